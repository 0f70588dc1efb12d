"""What a Dockerfile copies, keeps in the image, and runs as."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from devenv.checks.build_steps import kept_stages, needed_stages
from devenv.checks.builds import find_builds, find_ignore_file
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Fault, Place, Related, Severity
from devenv.checks.registry import check
from devenv.checks.secret_values import (
    REGISTRY_FILES,
    SecretKind,
    has_credentials,
    judge_value,
)
from devenv.compose.dockerfile import (
    literal_path,
    resolve_metadata,
    resolve_sources,
)
from devenv.compose.dockerignore import IgnoreFile

_KEY_FILE = re.compile(
    r"(?:^|/)(?:id_(?:rsa|ed25519|ecdsa|dsa)|[^/]*\.pem|[^/]*\.key|\.netrc|\.npmrc|\.pypirc)$"
)

_CERTIFICATE = re.compile(
    r"(?:^|/)(?:[\w-]*[_-])?(?:ca|cacerts?|certs?|certificates?|chain|fullchain|root|bundle|pub|public)"
    r"(?:[_-][\w-]*)?\.pem$",
    re.IGNORECASE,
)
"""A certificate is made to be handed out."""

_PRIVATE_KEY = re.compile(r"(?:^|/)(?:id_(?:rsa|ed25519|ecdsa|dsa)|[^/]*\.key)$")


@check("copy-source-missing", Severity.ERROR, "Dockerfile reference: COPY; measured")
def copy_source_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A COPY names what is not in the build context.

    The file is not there, or the ignore file leaves it out. The build fails at that step. Looked at
    are sources without wildcards, their variables filled in, in stages that the target needs.

    Wrong:

        # there is no requirements.txt beside the Dockerfile
        COPY requirements.txt ./

    Right:

        COPY pyproject.toml ./

    Measured: The classic builder ends at that step with "file not found in build context or
    excluded by .dockerignore", BuildKit with "not found".
    """
    for view in find_builds(profile, facts):
        if view.context.kind is not FileKind.DIRECTORY or view.dockerfile is None:
            continue
        ignored = find_ignore_file(view, facts)
        for stage in needed_stages(view):
            args, contexts = view.build.args, view.build.additional_contexts
            for source in resolve_sources(view.dockerfile, stage, args, contexts):
                if source.origin is not None:
                    continue
                for written in source.paths:
                    path = literal_path(written)
                    if path is None:
                        continue
                    absolute = posixpath.join(view.build.context, path)
                    if absolute not in facts.files:
                        continue
                    if facts.file(absolute).kind is FileKind.MISSING:
                        why = "does not exist in the build context"
                        related: tuple[Related, ...] = ()
                    elif ignored is not None and _leaves_out(
                        ignored[1], path, facts.file(absolute).kind
                    ):
                        name = posixpath.basename(ignored[0])
                        why = f"is left out of the build context by {name}"
                        related = (Related(Place(ignored[0]), "the ignore file"),)
                    else:
                        continue
                    yield Fault(
                        f"{source.instruction.name} names {written}, which {why}.",
                        view.at(source.instruction),
                        service=view.service.name,
                        fix="correct the path, or the ignore file",
                        severity=view.severity,
                        related=related,
                    )


def _leaves_out(ignore: IgnoreFile, path: str, kind: FileKind) -> bool:
    """Whether nothing of a path is sent; a `!` pattern may bring back a part of a directory."""
    back = any(pattern.startswith("!") for pattern in ignore.patterns)
    return ignore.excludes(path) and (kind is FileKind.FILE or not back)


@check("runs-as-root", Severity.WARNING, "Dockerfile best practices: USER")
def runs_as_root(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The image runs its program as root.

    A fault in the program then has the rights of root in the container; and with a bind mount,
    files that a development container writes belong to root on the host. The last stage and the
    target of development are looked at apart. Where the base image is here, its own user counts.

    Wrong:

        FROM node:20-slim
        CMD ["node", "server.js"]

    Right:

        FROM node:20-slim
        USER node
        CMD ["node", "server.js"]

    Measured: Read from the stages' last USER, along the FROM chain, and from `docker image inspect`
    where the base image is here; hadolint 2 is silent where there is no USER at all.
    """
    for view in find_builds(profile, facts):
        dockerfile, target = view.dockerfile, view.target
        if dockerfile is None or target is None:
            continue
        stages = {dockerfile.stages[-1].index: dockerfile.stages[-1], target.index: target}
        if view.service.user and view.service.user.partition(":")[0] not in ("root", "0"):
            del stages[target.index]  # Compose decides, and not the image
        for stage in stages.values():
            found = resolve_metadata(dockerfile, stage, view.build.args)
            user = found.user
            base = dockerfile.image_base(stage, view.build.args)
            if user is None and base is not None:
                image = facts.engine.images.get(base) if facts.engine else None
                user = image.user if image is not None else None
                if user is None and ("nonroot" in base or "unprivileged" in base):
                    continue
            if (user or "root").partition(":")[0] not in ("root", "0"):
                continue
            last = stage is dockerfile.stages[-1]
            what = "The last stage" if last else f"The target {stage.name or stage.index}"
            yield Fault(
                f"{what} runs as root.",
                view.place(found.user_line or stage.line, 1),
                fix="USER with a user that the image has or makes",
                service=view.service.name,
                is_shared=True,
            )


@check("secret-in-image", Severity.ERROR, "Dockerfile reference: ARG; docker history", leaks=True)
def secret_in_image(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A secret is written into an image.

    ARG and ENV values can be read from the image's history by everyone who can pull it. An error
    where the value has the shape of a real secret, or where an ENV of the image has a secret's
    name and no usual stand-in; a warning where such a name is that of an ARG or of a stage that
    does not end up in the image. A private key that is copied counts as well.

    Wrong:

        ENV NPM_TOKEN=npm_0123456789abcdefghijABCDEFGHIJ012345

    Right:

        RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci

    Measured: `docker history --no-trunc` and `docker image inspect` print ENV values, and ARG
    values that a RUN step saw. The shapes are those of real tokens; stand-ins such as `changeme`
    stay quiet.
    """
    for view in find_builds(profile, facts):
        kept = kept_stages(view)
        for stage in needed_stages(view):
            for one in stage.instructions:
                if one.name == "ENV":
                    pairs = list(zip(one.arguments[::3], one.arguments[1::3], strict=False))
                elif one.name == "ARG":
                    pairs = [(w.partition("=")[0], w.partition("=")[2]) for w in one.arguments]
                else:
                    pairs = []
                for name, value in pairs:
                    kind = judge_value(name, value.strip("'\""))
                    if kind is SecretKind.NONE or "$" in value:
                        continue
                    stays = kind is SecretKind.SHAPED or (one.name == "ENV" and stage in kept)
                    severity = None if stays else Severity.WARNING
                    yield Fault(
                        f"The value of {name} is written into the image.",
                        view.at(one),
                        fix="RUN --mount=type=secret, or a variable at run time",
                        severity=severity,
                        service=view.service.name,
                        is_shared=True,
                    )
                if one.name in ("COPY", "ADD") and one.flag("from") is None:
                    for path in one.arguments[:-1]:
                        absolute = posixpath.join(view.build.context, path)
                        if not _KEY_FILE.search(path) or _CERTIFICATE.search(path):
                            continue
                        if not _is_harmless(absolute, facts):
                            is_key = _PRIVATE_KEY.search(path) is not None and stage in kept
                            yield Fault(
                                f"{path} is copied into the image.",
                                view.at(one),
                                fix="RUN --mount=type=secret for the step that needs it",
                                severity=None if is_key else Severity.WARNING,
                                service=view.service.name,
                                is_shared=True,
                            )


def _is_harmless(path: str, facts: Facts) -> bool:
    """Whether it is a package manager's settings, and there are no credentials in them."""
    path = posixpath.normpath(path)
    if posixpath.basename(path) not in REGISTRY_FILES or path not in facts.files:
        return False
    text = facts.file(path).text
    return text is not None and not has_credentials(text)
