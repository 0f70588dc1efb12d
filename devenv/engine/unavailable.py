"""Why an engine cannot be reached, in words: what happened, where, and what to do.

Owns these messages alone; the connection that failed is `transport.py`'s part.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

from devenv.engine.context import Endpoint, EndpointKind
from devenv.errors import EngineUnavailable

_FAR = "check that the engine runs there, and DOCKER_HOST or the current context."
_START = "start Docker: `sudo systemctl start docker`, or open Docker Desktop."


def no_answer(endpoint: Endpoint, seconds: float) -> EngineUnavailable:
    """Nothing came within the deadline."""
    return EngineUnavailable(
        f"The Docker engine at {endpoint.describe()} did not answer within {seconds:g} s.",
        fix="see whether `docker info` answers; if not, restart Docker.",
    )


def not_an_engine(endpoint: Endpoint) -> EngineUnavailable:
    """Something answers that does not speak the Engine API."""
    return EngineUnavailable(
        f"What answers at {endpoint.describe()} is not a Docker engine.",
        fix="check DOCKER_HOST and the current context (`docker context ls`).",
    )


def wants_tls(endpoint: Endpoint) -> EngineUnavailable:
    """The address was spoken to in plain text, and refuses it."""
    return EngineUnavailable(
        f"The Docker engine at {endpoint.describe()} refuses a connection without TLS.",
        fix="set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the directory with ca.pem, cert.pem "
        "and key.pem.",
    )


def closed_early(endpoint: Endpoint) -> EngineUnavailable:
    """The connection was made, and ended before the answer did."""
    if _lacks_certificate(endpoint):
        return _certificate_wanted(endpoint)
    fix = "see whether it still runs: `docker info`."
    if endpoint.kind is EndpointKind.TCP:
        fix = "see whether it still runs: `docker info`; if it wants TLS, set DOCKER_TLS_VERIFY=1."
    return EngineUnavailable(
        f"The Docker engine at {endpoint.describe()} closed the connection.", fix=fix
    )


def ssh_failed(endpoint: Endpoint, argv: tuple[str, ...], said: str) -> EngineUnavailable:
    """`argv` is the ssh command that ended, `said` what it wrote on stderr."""
    words = [word for word in argv[: argv.index("--")] if word != "-T"]
    words = [word for word in words if word != "-o" and "=" not in word]
    by_hand = " ".join([*words, argv[argv.index("--") + 1], "docker version"])
    return EngineUnavailable(
        f"The Docker engine at {endpoint.describe()} cannot be reached over ssh.",
        excerpt=said or None,
        fix=f"make `{by_hand}` work there without asking for a password.",
    )


def cannot_connect(endpoint: Endpoint, error: OSError | UnicodeError) -> EngineUnavailable:
    """The operating system's or TLS' refusal of a connection."""
    import ssl  # not for `check`, which asks no engine

    where = endpoint.describe()
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if endpoint.kind is EndpointKind.SSH:
        return EngineUnavailable(
            f"ssh to {where} cannot be started: {reason}.", fix="install an ssh client."
        )
    local = endpoint.kind is EndpointKind.UNIX
    match error:
        case ssl.SSLCertVerificationError():
            return EngineUnavailable(
                f"The certificate of the Docker engine at {where} is not trusted: "
                f"certificate verify failed, {error.verify_message}.",
                fix="check ca.pem in DOCKER_CERT_PATH or in the context.",
            )
        case ssl.SSLError() if _lacks_certificate(endpoint) and "ALERT" in (error.reason or ""):
            return _certificate_wanted(endpoint)
        case ssl.SSLError():
            return EngineUnavailable(
                f"The TLS connection to {where} failed: {reason}.",
                fix="check ca.pem, cert.pem and key.pem, and that the engine uses TLS.",
            )
        case FileNotFoundError() | NotADirectoryError():
            return EngineUnavailable(
                f"No Docker engine runs here: the socket {endpoint.address} does not exist.",
                fix=_START,
            )
        case PermissionError() if local:
            return permission_denied(endpoint.address)
        case ConnectionRefusedError() if local and not _is_socket(endpoint.address):
            return EngineUnavailable(
                f"{endpoint.address} is no socket, so no Docker engine answers there.",
                fix="check DOCKER_HOST and the current context (`docker context ls`).",
            )
        case ConnectionRefusedError():
            return EngineUnavailable(
                f"The Docker engine at {where} refuses connections: it is not running.",
                fix=_START if local else _FAR,
            )
        case ConnectionResetError() | BrokenPipeError():
            return closed_early(endpoint)
    return EngineUnavailable(
        f"No connection to the Docker engine at {where}: {reason}.", fix=_START if local else _FAR
    )


def permission_denied(path: str) -> EngineUnavailable:
    """The socket belongs to somebody else: whose it is, and how this user comes to use it."""
    user = _user(os.geteuid())
    message = f"You ({user}) may not use the Docker engine at unix://{path}: permission denied"
    try:
        found = Path(path).stat()
    except OSError:
        return EngineUnavailable(
            message + "; a directory above the socket is closed to you.",
            fix="it is another user's engine: use your own (`docker context ls`, DOCKER_HOST), "
            "or run devenv as that user.",
        )
    owner, group = _user(found.st_uid), _group(found.st_gid)
    message += f" (it belongs to {owner}:{group}, mode {stat.S_IMODE(found.st_mode):04o})."
    if not found.st_mode & stat.S_IWGRP or group == "root":
        fix = (
            "it is another user's engine: use your own (`docker context ls`, DOCKER_HOST), "
            f"or run devenv as {owner}."
        )
    elif user in _members(found.st_gid):
        fix = f"you are in the group {group} already, but not yet in this session: log in again."
    else:
        fix = (
            f"join the group {group} (`sudo usermod -aG {group} {user}`; its members are as mighty "
            "as root), then log in again."
        )
    return EngineUnavailable(message, fix=fix)


def _lacks_certificate(endpoint: Endpoint) -> bool:
    return endpoint.kind is EndpointKind.TLS and endpoint.cert_file is None


def _certificate_wanted(endpoint: Endpoint) -> EngineUnavailable:
    return EngineUnavailable(
        f"The Docker engine at {endpoint.describe()} closed the TLS connection: most likely it "
        "wants a client certificate, and there is none.",
        fix="put cert.pem and key.pem beside ca.pem in DOCKER_CERT_PATH (by default ~/.docker), "
        "or into the context.",
    )


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        return True


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _members(number: int) -> list[str]:
    try:
        return grp.getgrgid(number).gr_mem
    except KeyError:
        return []
