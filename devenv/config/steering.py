"""Variables that a profile may not set, because they steer the programs that devenv starts.

A profile comes with the repository, and `[env]` is in the environment of Docker Compose and of all
that it starts (git for a remote context, ssh, credential helpers). With one of these a profile
would run a program of its own on this machine, before `devenv allow`, or reach another engine
than the one that devenv follows.
"""

from __future__ import annotations

_NAMES = frozenset(
    (
        # what is run at all
        *("PATH", "HOME", "SHELL", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4"),
        *("EDITOR", "VISUAL", "PAGER", "BROWSER", "TMPDIR", "GCONV_PATH", "GLIBC_TUNABLES"),
        # interpreters that helpers may be written in
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONUSERBASE"),
        *("NODE_OPTIONS", "NODE_PATH", "PERL5OPT", "PERL5LIB", "PERL5DB", "RUBYOPT", "RUBYLIB"),
        *("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"),
        # git and ssh
        *("GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EXEC_PATH", "GIT_PROXY_COMMAND"),
        *("GIT_EXTERNAL_DIFF", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_PAGER"),
        *("GIT_TEMPLATE_DIR", "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE"),
        *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ALLOW_PROTOCOL"),
        *("SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER"),
        # which engine, and with what beside it
        *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS"),
        *("DOCKER_TLS_VERIFY", "BUILDX_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME"),
        *("XDG_CACHE_HOME", "XDG_RUNTIME_DIR"),
    )
)
_PREFIXES = (
    "LD_",
    "DYLD_",
    "GIT_CONFIG",
    "GIT_TRACE",
    "BASH_FUNC_",
    "DEVENV_",
    "DOCKER_CLI_PLUGIN",
)


def is_steering(name: str) -> bool:
    """Whether a variable of this name steers the programs that devenv starts."""
    upper = name.upper()
    return upper in _NAMES or upper.startswith(_PREFIXES)
