"""The kinds of failure that a caller may want to tell apart."""

from __future__ import annotations

from collections.abc import Sequence

from devenv.errors import CommandFailed, ComposeFileError, Source, UsageError

NO_IMAGE = "An image cannot be fetched."


class EnvFileBroken(ComposeFileError):
    """An env file does not load; Compose's line is not always the one to repair."""


class InvalidModel(ComposeFileError):
    """The Compose files load as YAML, but what they say is not allowed.

    `key_path` is the place in the model (`("services", "web", "portz")`), for a reader that
    knows the lines; `service` the service it concerns. Both may be empty. Where Compose names
    no key, `refused` is the text of an entry of one of `lists` (`ports`), variables filled in.
    `unset` are the variables that Compose took for blank, anywhere in the files.
    """

    def __init__(
        self,
        message: str,
        *,
        key_path: tuple[str, ...] = (),
        service: str | None = None,
        source: Source | None = None,
        fix: str | None = None,
        refused: str | None = None,
        lists: tuple[str, ...] = (),
        unset: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, source=source, fix=fix)
        self.key_path = key_path
        self.service = service
        self.refused = refused
        self.lists = lists
        self.unset = unset

    def blame_variables(self, names: Sequence[str]) -> None:
        """Say that the value is what it is because these variables have none."""
        if not names:
            return
        one = len(names) == 1
        listed = names[0] if one else f"{', '.join(names[:-1])} and {names[-1]}"
        self.message = f"{self.message[:-1]}, since {listed} {'is' if one else 'are'} not set."
        self.fix = f"set {listed} in .env or in the shell, or give a default: ${{{names[0]}:-…}}"


class MissingVariable(InvalidModel):
    """A variable written as `${NAME:?…}` has no value."""

    def __init__(self, variable: str, note: str, key_path: tuple[str, ...]) -> None:
        super().__init__(
            f"The variable {variable} has no value" + (f": {note}" if note else "."),
            key_path=key_path,
            fix=f"set {variable} in .env or in the shell.",
        )
        self.variable = variable


class NoSuchService(UsageError):
    """A command names a service that the project, with its active profiles, does not have."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f"There is no service {service!r}.",
            fix="list the services with `docker compose config --services`; "
            "one of an inactive profile needs --profile.",
        )
        self.service = service


class PortAllocated(CommandFailed):
    """A host port that a service publishes is taken."""

    port: int


class ImagePullFailed(CommandFailed):
    """An image is neither here nor can be fetched."""

    image: str | None
    service: str | None
    """The service that wants it, where only that is named (Compose before 5)."""

    def name_image(self, image: str | None) -> None:
        """Say which image it is, where that is known."""
        self.image = image
        self.message = f"The image {image} cannot be fetched." if image else NO_IMAGE


class BuildFailed(CommandFailed):
    """An image build failed. `step` is the instruction, `source` its line where it is known."""

    step: str | None
    step_number: int | None
    """Its place among all instructions of the Dockerfile, from 1; the classic builder tells it."""
    target: str | None
    """The service whose build failed, where the builder names it."""
    exit_code_of_step: int | None
    missing_dockerfile: str | None = None
    """The path where the classic builder looks for a Dockerfile and finds none."""
    disk_full: bool = False
    """Whether the engine's disk had no space left."""

    def name_disk(self, directory: str) -> None:
        """Say where the engine keeps its data, on the disk that is full."""
        self.message = self.message.replace("the engine's disk", f"the engine's disk ({directory})")

    def blame_inline(self, service: str) -> None:
        """Say that the classic builder has no use for the service's `dockerfile_inline`."""
        self.message = f"{service} has a dockerfile_inline, which only BuildKit can build."
        self.fix = (
            "install the buildx plugin (package docker-buildx or docker-buildx-plugin), or write "
            "the instructions into a Dockerfile."
        )


class DependencyFailed(CommandFailed):
    """A container that others wait for became unhealthy or exited."""

    container: str
    reason: str
    """`unhealthy`, `exited` or `missing healthcheck`."""
    exited_with: int | None
