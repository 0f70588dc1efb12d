"""go, cargo, maven, gradle, dotnet, cmake: which files they read, and where the results are."""

from __future__ import annotations

import re

from devenv.compose.watch.shell import Command
from devenv.compose.watch.tools.effect import NOTHING, SYSTEM, Area, Effect, Scene

_GRADLE_NAMES = ("build.gradle*", "settings.gradle*", "gradle.properties", "gradlew", "*.toml")
_DOTNET_NAMES = (
    "*.csproj",
    "*.fsproj",
    "*.vbproj",
    "*.sln",
    "*.slnx",
    "*.props",
    "*.targets",
    "[Nn]u[Gg]et.[Cc]onfig",
    "global.json",
    "packages.lock.json",
    "*.esproj",
)
_GRADLE_BUILDS = re.compile(
    r"(?i)build|jar|assemble|install|war|compile|native|dist|publish|run|dev$"
)
_MAVEN_RESOLVES = re.compile(r"dependency:|:resolve|go-offline|:properties")


def find_effect(command: Command, scene: Scene) -> Effect | None:
    """The effect of a compiler's driver; None for any other program."""
    match command.program:
        case "go":
            return _go(command, scene)
        case "cargo":
            return _cargo(command, scene)
        case "mvn" | "mvnw":
            return _maven(command)
        case "gradle" | "gradlew":
            return _gradle(command)
        case "dotnet":
            return _dotnet(command)
        case "make" | "cmake" | "ninja" | "meson":
            system = "install" in command.words
            writes = (Area(command.directory), SYSTEM) if system else (Area(command.directory),)
            return Effect(everything=True, compiles=True, writes=writes)
    return None


def _output(command: Command, *names: str) -> str | None:
    for index, word in enumerate(command.words):
        name, equals, value = word.partition("=")
        if name in names:
            found = value if equals else "".join(command.words[index + 1 : index + 2])
            return command.path(found) if found else None
    return None


def _verb(command: Command) -> str:
    return next((word for word in command.words[1:] if not word.startswith("-")), "")


def _go(command: Command, scene: Scene) -> Effect:
    verb = _verb(command)
    names = ("go.mod", "go.sum", "go.work", "go.work.sum")
    if verb == "mod":
        return Effect(
            names=names,
            directory=command.directory,
            nested=True,
            writes=(SYSTEM, Area(command.path("vendor"))),
            installs=True,
        )
    if verb in ("install", "get") and any("@" in word for word in command.words):
        return NOTHING
    if verb in ("env", "version", "clean", "telemetry", "fmt", "vet"):
        return NOTHING
    if verb == "install":
        place = scene.environment.get("GOBIN") or scene.environment.get("GOPATH") or "/go"
        return Effect(everything=True, compiles=True, writes=(Area(command.path(place)),))
    output = _output(command, "-o", "--o")
    return Effect(everything=True, compiles=True, writes=(Area(output or command.directory),))


def _cargo(command: Command, scene: Scene) -> Effect:
    verb = _verb(command)
    target = scene.environment.get("CARGO_TARGET_DIR") or "target"
    target = _output(command, "--target-dir") or command.path(target)
    names = ("Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml")
    if verb == "chef":
        recipe = _output(command, "--recipe-path") or command.path("recipe.json")
        if "prepare" in command.words:
            return Effect(
                names=names, directory=command.directory, nested=True, writes=(Area(recipe),)
            )
        return Effect(paths=(recipe,), writes=(Area(target), SYSTEM), installs=True)
    if verb in ("fetch", "vendor", "generate-lockfile"):
        return Effect(
            names=names,
            directory=command.directory,
            nested=True,
            writes=(SYSTEM, Area(command.path("vendor"))),
            installs=True,
        )
    if verb == "install":
        if "--path" not in command.words and not any(
            w.startswith("--path=") for w in command.words
        ):
            return NOTHING
        root = _output(command, "--root")
        return Effect(
            everything=True, compiles=True, writes=(Area(root) if root else SYSTEM, Area(target))
        )
    if verb in ("new", "init"):
        return Effect(writes=(Area(command.directory),))
    return Effect(
        everything=True, compiles=True, writes=(Area(target), Area(command.path("Cargo.lock")))
    )


def _maven(command: Command) -> Effect:
    if any(_MAVEN_RESOLVES.search(word) for word in command.words[1:]):
        return Effect(
            names=("pom.xml", "settings.xml", "mvnw"),
            folders=(".mvn",),
            directory=command.directory,
            nested=True,
            writes=(SYSTEM,),
            installs=True,
        )
    if len(command.words) > 1 and command.words[1] in ("-v", "--version", "-version"):
        return NOTHING
    writes = [Area(command.directory)]
    if "install" in command.words:
        writes.append(SYSTEM)
    return Effect(everything=True, compiles=True, writes=tuple(writes))


def _gradle(command: Command) -> Effect:
    tasks = [word for word in command.words[1:] if not word.startswith("-")]
    if any(_GRADLE_BUILDS.search(task) for task in tasks):
        return Effect(everything=True, compiles=True, writes=(Area(command.directory),))
    return Effect(
        names=_GRADLE_NAMES,
        folders=("gradle", "buildSrc"),
        directory=command.directory,
        nested=True,
        writes=(SYSTEM, Area(command.path(".gradle"))),
        installs=True,
    )


def _dotnet(command: Command) -> Effect:
    verb = _verb(command)
    if verb == "restore":
        return Effect(
            names=_DOTNET_NAMES,
            directory=command.directory,
            nested=True,
            writes=(SYSTEM, Area(command.directory, "obj")),
            installs=True,
        )
    if verb in ("tool", "dev-certs", "nuget", "workload", "new"):
        return NOTHING
    output = _output(command, "-o", "--output")
    writes = [Area(output)] if output else []
    return Effect(everything=True, compiles=True, writes=(*writes, Area(command.directory)))
