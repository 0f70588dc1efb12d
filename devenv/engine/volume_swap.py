"""A volume's new content put beside the old *within* the volume, and swapped in by renames.

The engine can neither rename a volume nor remove one that a container has, but within a volume
a rename is one step and writes nothing. So new content goes into a directory of its own there:

    .devenv-restore-1a2b3c4d/new/volume/…   what is to come
    .devenv-restore-1a2b3c4d/going/…        what was there, while it is moved aside
    .devenv-restore-1a2b3c4d/old/…          the same, once all of it is

One `sh` in a container of the project's own image does the swap, with `mv` alone. Each name is
moved by one rename, and which step it was at is seen from the directories that there are: cut off
at any moment, the same call goes on from there. What cannot be moved aside is moved back.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import secrets
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from types import MappingProxyType

from devenv.engine.api import ApiError, EngineClient
from devenv.engine.exchange import Exchange
from devenv.engine.volumes import (
    MOUNT,
    VolumeError,
    make_vessel,
    remove_vessel,
    write_volume,
)

SHELL_SECONDS = 3600.0
STAGE_MOUNT = "/devenv-volume"
"""Where the volume is in the vessel through which new content is written."""
_BLOCK = 512
_PREFIX = ".devenv-restore-"
_TOOLS = ("sh", "mv", "rm", "mkdir", "rmdir")
_BINS = ("/bin/", "/usr/bin/")
_BACK, _EMPTY = 3, 4
_SWAP = f"""
place=$1
move() {{
  find "$1" -mindepth 1 -maxdepth 1 ! -name "$place" \\
    -exec sh -c 'exec mv -f -- "$@" "$0"' "$2" {{}} + 2>/dev/null
  for one in "$1"/..?* "$1"/.[!.]* "$1"/*; do
    [ "$one" != "./$place" ] || continue
    [ ! -e "$one" ] && [ ! -L "$one" ] || mv -f -- "$one" "$2" || return 1
  done
}}
cd {MOUNT} && read go || exit 1
if [ -d "$place/new/volume" ]; then
  if [ ! -d "$place/old" ]; then
    mkdir -p "$place/going" || exit 1
    if ! move . "$place/going"; then
      move "$place/going" . && rmdir "$place/going" && exit {_BACK}
      exit 1
    fi
    mv "$place/going" "$place/old" || exit 1
  fi
  move "$place/new/volume" . && rmdir "$place/new/volume" || exit 1
fi
rm -rf -- "$place"
"""
"""`find` moves many names at once; where the image has none, one `mv` for each name."""
_DROP = f"""
cd {MOUNT} || exit 1
[ ! -d "$1/going" ] || exit 1
[ ! -d "$1/old" ] || [ ! -d "$1/new/volume" ] || exit 1
rm -rf -- "$1" || exit 1
for one in ..?* .[!.]* *; do
  [ ! -e "$one" ] && [ ! -L "$one" ] || exit 0
done
exit {_EMPTY}
"""


class MovedBack(VolumeError):
    """What a volume has could not be moved aside: it is as it was."""


def new_place() -> str:
    """A name for the directory within a volume, or for a volume beside, that is new."""
    return _PREFIX + secrets.token_hex(4)


def staged_path(place: str) -> str:
    """Where the new content stands, in a vessel of the volume."""
    return f"{STAGE_MOUNT}/{place}/new{MOUNT}"


async def find_swap_image(
    client: EngineClient, images: Sequence[str], labels: Mapping[str, str]
) -> str | None:
    """The first image that has what a swap needs: by its files, nothing is started."""
    for image in images:
        try:
            made = await make_vessel(client, image, labels)
        except ApiError as error:
            if error.status == 404:
                continue  # the image is gone
            raise
        try:
            if all([await _has_tool(client, made, tool) for tool in _TOOLS]):
                return image
        finally:
            await remove_vessel(client, made)
    return None


async def _has_tool(client: EngineClient, container_id: str, tool: str) -> bool:
    for place in _BINS:
        try:
            path = f"/containers/{container_id}/archive"
            await client.request("HEAD", path, {"path": place + tool})
        except ApiError as error:
            if error.status != 404:
                raise
        else:
            return True
    return False


class Swapper:
    """A container of the volume that runs already, and does the swap once it is told to.

    To start it takes longer than all that it does: that goes on while other things are done. A
    devenv that ends meanwhile closes its input, and it ends having done nothing.
    """

    def __init__(
        self, client: EngineClient, image: str, labels: Mapping[str, str], volume: str, place: str
    ) -> None:
        self._client = client
        self._of = image, labels, volume, place
        self._stack = contextlib.AsyncExitStack()
        self._starting: asyncio.Task[tuple[str, Exchange]] | None = None

    def start(self) -> None:
        """Begin to start it; what that fails with is raised by `swap`."""
        self._starting = asyncio.create_task(self._start())

    async def _start(self) -> tuple[str, Exchange]:
        client = self._client
        image, labels, volume, place = self._of
        command = ("sh", "-c", _SWAP, "devenv", place)
        made = await make_vessel(client, image, labels, volume, command=command, reads=True)
        self._stack.push_async_callback(remove_vessel, client, made)
        path = f"/containers/{made}"
        attach = client.open_exchange("POST", f"{path}/attach?stream=1&stdin=1", {})
        exchange = await self._stack.enter_async_context(attach)
        await client.request("POST", f"{path}/start")
        return made, exchange

    async def ready(self) -> None:
        """Wait until it runs. Raises ApiError, VolumeError."""
        assert self._starting is not None
        await asyncio.shield(self._starting)

    async def swap(self, root: tuple[int, int, int, int], what: str) -> None:
        """Put the new content in place of the old, which goes; again where that was cut off.

        `root`: mode, owner, group and time of the volume's own directory. Raises MovedBack, and
        VolumeError where it must be repeated.
        """
        assert self._starting is not None
        made, exchange = await asyncio.shield(self._starting)
        await exchange.write(b"go\n")
        code = await _wait(self._client, made)
        if code == _BACK:
            raise MovedBack(
                f"What volume {what} has cannot be moved aside. Nothing was changed.",
                fix="is a file in it immutable (lsattr), or the volume's file system read-only?",
            )
        if code != 0:
            raise VolumeError(f"The container that puts volume {what} in place ended with {code}.")
        directory = render_directories({MOUNT.strip("/"): root})
        await write_volume(self._client, made, _once(directory))

    async def close(self) -> None:
        """Remove it, whatever it is at."""
        if self._starting is not None:
            await asyncio.wait([self._starting])
            if not self._starting.cancelled():
                self._starting.exception()  # seen, so that nobody complains of it
        await self._stack.aclose()


async def prepare_place(
    client: EngineClient, vessel_id: str, place: str, root: tuple[int, int, int, int]
) -> None:
    """Make the directory for new content, which nobody but root can look into.

    The vessel has the volume at STAGE_MOUNT. `root`: as for `Swapper.swap`.
    """
    new = f"{STAGE_MOUNT.strip('/')}/{place}/new"
    private = (0o700, 0, 0, 0)
    directories = {new.rpartition("/")[0]: private, new: private, f"{new}{MOUNT}": root}
    links = {MOUNT.strip("/"): f"{new}{MOUNT}"}
    await write_volume(client, vessel_id, _once(render_directories(directories, links)))


async def write_staged(
    client: EngineClient, vessel_id: str, tar: AsyncGenerator[bytes, None]
) -> None:
    """Extract what `read_volume` gave into the directory that was prepared.

    The engine refuses symbolic links that lead out of the directory which it extracts into, and a
    volume may have such. So it extracts into `/`, where a link stands for the volume's own
    directory; an entry of that name would replace the link, so the first one is left out.
    """
    async with contextlib.aclosing(without_first(tar)) as rest:
        await write_volume(client, vessel_id, rest)


async def without_first(tar: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A tar stream less its first entry, a directory, with the extended headers before it."""
    head = b""
    cut = 0  # bytes to leave out, once that is known
    async for chunk in tar:
        if cut:
            yield chunk
            continue
        head += chunk
        at = 0
        while not cut and len(head) >= at + _BLOCK:
            info = tarfile.TarInfo.frombuf(head[at : at + _BLOCK], "utf-8", "surrogateescape")
            at += _BLOCK
            if info.isdir():
                cut = at
            else:
                at += info.size + -info.size % _BLOCK
        if cut:
            yield head[cut:]
            head = b""


async def drop_place(
    client: EngineClient, image: str, labels: Mapping[str, str], volume: str, place: str
) -> bool:
    """Remove what was prepared and not swapped in; whether the volume is empty then.

    Raises VolumeError where a swap has begun, or it cannot be removed.
    """
    command = ("sh", "-c", _DROP, "devenv", place)
    made = await make_vessel(client, image, labels, volume, command=command)
    try:
        await client.request("POST", f"/containers/{made}/start")
        code = await _wait(client, made)
    finally:
        await remove_vessel(client, made)
    if code not in (0, _EMPTY):
        raise VolumeError(f"{place} in volume {volume} cannot be removed.")
    return code == _EMPTY


async def _wait(client: EngineClient, vessel_id: str) -> int:
    path = f"/containers/{vessel_id}/wait"
    done = await client.request("POST", path, timeout_seconds=SHELL_SECONDS)
    return int(done.json().get("StatusCode", 1))


def render_directories(
    directories: Mapping[str, tuple[int, int, int, int]],
    links: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """A tar file of directories: path -> mode, owner, group, seconds since the epoch; and of
    symbolic links: path -> text."""
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path, (mode, uid, gid, modified) in directories.items():
                info = tarfile.TarInfo(path)
                info.type, info.mode, info.mtime = tarfile.DIRTYPE, mode, modified
                info.uid, info.gid = uid, gid
                tar.addfile(info)
            for path, text in links.items():
                info = tarfile.TarInfo(path)
                info.type, info.linkname = tarfile.SYMTYPE, text
                tar.addfile(info)
        return file.getvalue()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
