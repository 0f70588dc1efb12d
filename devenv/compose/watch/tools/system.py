"""Programs of the system: they read nothing of the project, or the files that they name."""

from __future__ import annotations

import re

from devenv.compose.watch.shell import Command
from devenv.compose.watch.tools.effect import NOTHING, SYSTEM, Area, Effect, Scene

_QUIET_NAMES = """
    : . [ a2dismod a2dissite a2enconf a2enmod a2ensite add-apt-repository addgroup adduser
    alternatives apk apt apt-add-repository apt-get apt-key apt-mark aptitude basename break
    chgrp chown chpasswd chsh curl date deb-install debconf-set-selections
    delgroup deluser dirname dnf docker-php-ext-configure docker-php-ext-enable
    docker-php-ext-install dpkg dpkg-architecture dpkg-reconfigure echo exit export false
    fc-cache find-rpm gem-update getent git go-install gpg gpgconf groupadd groupdel groupmod hash
    hostname id install-php-extensions install_packages ldconfig ln locale-gen localedef
    ls microdnf mkdir mkfifo mktemp pacman passwd phpenmod printenv printf pwd read readlink
    return rm rmdir rpm rustup set setcap shopt sleep source stat strip su sync
    tdnf test touch trap true tty type umask uname unset update-alternatives update-rc.d
    useradd userdel usermod wait wget which whoami yum zypper hadolint sysctl service
    npm-cache gosu"""
_QUIET = frozenset(_QUIET_NAMES.split())
_NAMING_NAMES = """
    cat head tail tee wc sha1sum sha256sum sha512sum md5sum cksum sort uniq xxd od
    chmod cp dos2unix install mv patch sed tar unzip gunzip gzip envsubst awk grep cut
    tr base64 openssl jq yq nginx visudo crontab dd rsync xz bunzip2 7z"""
_NAMING = frozenset(_NAMING_NAMES.split())
_PACKAGE = re.compile(r"\.(?:deb|apk|rpm)$")
_SETTINGS = {
    "apt": "/etc/apt",
    "apt-get": "/etc/apt",
    "aptitude": "/etc/apt",
    "apk": "/etc/apk",
    "dnf": "/etc/yum.repos.d",
    "microdnf": "/etc/yum.repos.d",
    "yum": "/etc/yum.repos.d",
    "locale-gen": "/etc/locale.gen",
}
"""What a program of the system reads of its own settings."""
_CERTIFICATES = "/usr/local/share/ca-certificates"


def find_effect(command: Command, scene: Scene) -> Effect | None:
    """The effect of a program of the system; None for one that is not known to be one."""
    program = command.program
    if "/" in command.words[0] and not command.words[0].startswith(("/bin/", "/sbin/", "/usr/")):
        return None
    if program == "update-ca-certificates":
        return Effect(paths=(_CERTIFICATES,), writes=(Area("/etc/ssl"),))
    if program in _QUIET:
        named = [command.path(word) for word in command.words[1:] if _PACKAGE.search(word)]
        if program in (".", "source") and len(command.words) > 1:
            return Effect(programs=(command.path(command.words[1]),), writes=(SYSTEM,))
        named += [_SETTINGS[program]] if program in _SETTINGS else []
        return Effect(paths=tuple(named), writes=(SYSTEM,)) if named else NOTHING
    if program == "find":
        return _find(command)
    if program in _NAMING:
        return _naming(command)
    return None


def is_of_system(command: Command) -> bool:
    """Whether it is a program of the system that does its work and ends."""
    return command.program in _QUIET or command.program in _NAMING or command.program == "find"


def _find(command: Command) -> Effect:
    words = command.words
    roots = []
    for word in words[1:]:
        if word.startswith(("-", "(", "!")):
            break
        roots.append(command.path(word))
    changes = {"chmod", "sed", "dos2unix", "mv", "cp"} & set(words)
    if not changes:
        return NOTHING
    paths = tuple(roots or [command.directory])
    return Effect(paths=paths, writes=tuple(Area(path) for path in paths))


def _naming(command: Command) -> Effect:
    """It reads the files that its words name. What it writes is the last one, or the same."""
    program, words = command.program, command.words
    plain = [word for word in words[1:] if not word.startswith("-")]
    if program == "chmod" and plain:
        plain = plain[1:]
    paths = tuple(command.path(word) for word in plain)
    match program:
        case "cp" | "mv" | "install" | "rsync":
            return Effect(paths=paths[:-1], writes=tuple(Area(path) for path in paths[-1:]))
        case "tar" | "unzip" | "7z":
            into = command.directory
            for option in ("-C", "-d", "--directory"):
                if option in words[:-1]:
                    into = command.path(words[words.index(option) + 1])
            return Effect(paths=paths, writes=(Area(into),))
        case "chmod" | "dos2unix" | "patch" | "gunzip" | "gzip" | "crontab":
            writes = tuple(Area(path) for path in paths)
            return Effect(paths=paths, writes=(*writes, SYSTEM) if program == "crontab" else writes)
        case "tee":
            return Effect(writes=tuple(Area(path) for path in paths))
        case "sed" if any(word.startswith(("-i", "--in-place")) for word in words):
            return Effect(paths=paths, writes=tuple(Area(path) for path in paths))
    return Effect(paths=paths)
