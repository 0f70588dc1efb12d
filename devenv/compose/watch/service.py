"""What a changed path means for one service."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import cached_property

from devenv.compose.dockerfile import Instruction
from devenv.compose.layers import Layers
from devenv.compose.model import Project, Service
from devenv.compose.watch.builds import ImageBuild, find_other_reader, pattern_line
from devenv.compose.watch.flow import Copied, Result, Traces, find_copied_text, trace
from devenv.compose.watch.kinds import is_configuration, is_first_start, is_loaded, is_output
from devenv.compose.watch.mounts import Mount, resolve_mounts
from devenv.compose.watch.places import key_place, mount_place, rule_place
from devenv.compose.watch.recipe import entry_words, short_words, start_commands, start_words
from devenv.compose.watch.rules import INITIAL, WatchRule, choose_rule, parse_rules
from devenv.compose.watch.shell import Command
from devenv.compose.watch.start import Loading, Start, resolve_start
from devenv.compose.watch.values import Place, PlannedChange, WatchAction, WatchFacts

_SYNCS = (WatchAction.SYNC, WatchAction.SYNC_RESTART, WatchAction.SYNC_EXEC)


class ServicePlanner:
    """Decides for one service of one model."""

    def __init__(
        self,
        project: Project,
        layers: Layers,
        facts: WatchFacts,
        service: Service,
        image: ImageBuild | None,
        images: Mapping[str, ImageBuild],
    ) -> None:
        self.service = service
        self.image = image
        self._layers = layers
        self._facts = facts
        self._images = images
        services = project.document.get("services") or {}
        self._raw: Mapping[str, object] = services.get(service.name) or {}
        self.mounts = resolve_mounts(
            project.document, service.name, layers.directory, facts.resolve
        )
        self.rules = parse_rules(services.get(service.name) or {})

    @cached_property
    def start(self) -> Start:
        """What the start command tells, on the first question."""
        image, workdir = self.image, str(self._raw.get("working_dir") or "")
        environment = {k: v for k, v in self.service.environment.items() if v is not None}
        base = self.service.image
        commands: tuple[Command, ...] = ()
        if image is not None and image.target is not None and image.flow is not None:
            recipe = image.flow.recipes[image.flow.target]
            workdir = posixpath.normpath(posixpath.join(recipe.workdir, workdir))
            environment = {**recipe.environment, **environment}
            base = recipe.base_image
            commands, _ = start_commands(
                image.dockerfile, image.target, image.build.args, workdir or "/"
            )
        workdir = posixpath.normpath(workdir or "/")
        entrypoint, command = self.service.entrypoint, self.service.command
        if entrypoint:
            commands = start_words([*entrypoint, *(command or ())], workdir)
        elif command:
            words = list(command)
            if image is not None and image.target is not None:
                own = entry_words(image.dockerfile, image.target, image.build.args)
                words = [*own, *words]
            commands = start_words(words, workdir)
        return resolve_start(tuple(commands), self._text, environment, base)

    def _text(self, path: str) -> str | None:
        """The text of a file by its path in the container."""
        over = self.mounts.find_over(path)
        if over is not None and over.kind == "bind":
            below = path[len(over.target) :].strip("/") if over.target != "/" else path[1:]
            return self._facts.read(posixpath.join(over.source, below).rstrip("/"))
        if self.image is None or self.image.flow is None:
            return None
        return find_copied_text(self.image.flow, path)

    def plan(self, path: str, *, is_directory: bool = False) -> PlannedChange:
        """The action for a normal absolute path; `ignore` with a reason, "" for none to tell."""
        if not any(_within(path, root) or _within(root, path) for root in self._roots):
            return self._ignore(path, "")
        if self._facts.mode == "compose" and self.rules:
            return self._by_rule(path, None) or self._ignore(
                path, "no rule of develop.watch names it"
            )
        inferred = self._infer(path, is_directory)
        return self._by_rule(path, inferred) or inferred

    @cached_property
    def _roots(self) -> frozenset[str]:
        """Directories and files outside of which nothing can touch the service."""
        contexts = {context for image in self._chain() for context in image.ignores}
        mounts = {root for mount in self.mounts.mounts for root in (mount.source, mount.real)}
        mounts.discard("")
        return frozenset(self.anchors() | contexts | mounts)

    def anchors(self) -> set[str]:
        """Paths whose directories must be watched whatever lies beside them."""
        found = {mount.source for mount in self.mounts.mounts if mount.source}
        found |= {rule.path for rule in self.rules}
        for image in self._chain():
            found |= {*image.ignore_candidates, image.dockerfile_path or image.context}
        return {path for path in found if path.strip("/")}

    def keeps_below(self, path: str) -> bool:
        """Whether an ignore file leaves a directory out, but not all that is below it."""
        image = self.image
        for context, chosen in image.ignores.items() if image else ():
            if chosen is None or not _within(path, context) or path == context:
                continue
            relative = posixpath.relpath(path, context)
            for pattern in chosen[1].patterns:
                kept = pattern.removeprefix("!")
                literal = kept.split("*")[0].rpartition("/")[0] if "*" in kept else kept
                near = not literal or _within(literal, relative) or _within(relative, literal)
                if kept != pattern and near:
                    return True
        return False

    # Rules of develop.watch

    def _by_rule(self, path: str, inferred: PlannedChange | None) -> PlannedChange | None:
        """What the rules that name the path ask for; None where inference decides."""
        covering = [rule for rule in self.rules if rule.covers(path)]
        if not covering or self._left_out(path):
            return None
        covering = [rule for rule in covering if not self._is_mounted(rule)]
        matching = [rule for rule in covering if rule.matches(path)]
        if not matching:
            ignored = covering and inferred is not None
            if ignored and inferred is not None and inferred.action in _SYNCS:
                rule = covering[0]
                place = rule_place(self._layers, self.service.name, rule)
                return self._ignore(path, "a develop.watch rule leaves it out", place)
            return None
        action, rule = choose_rule(matching)
        place = rule_place(self._layers, self.service.name, rule)
        if inferred is not None and inferred.action in (WatchAction.REBUILD, WatchAction.RELOAD):
            own = any(one.path == path for one in matching)
            if action is not WatchAction.REBUILD and not own and self._needs_build(path):
                return None  # a rule for a directory forgets the manifest that lies in it
        target = next((t for one in matching if (t := one.target_of(path))), None)
        reason = f"develop.watch: {action.value}"
        if rule.path != path:
            reason += f" of {posixpath.relpath(rule.path, self._layers.directory or '/')}"
        return PlannedChange(
            path,
            self.service.name,
            action,
            reason,
            target if action is not WatchAction.REBUILD else None,
            place,
            rule.command if action is WatchAction.SYNC_EXEC else (),
            stale_image=action in _SYNCS,
            is_initial=action in INITIAL and any(one.is_initial for one in matching),
        )

    def _is_mounted(self, rule: WatchRule) -> bool:
        """Compose itself leaves out a sync of what a bind mount already shows."""
        if rule.action not in _SYNCS or not self._facts.is_local:
            return False
        return any(m.kind == "bind" and _within(rule.path, m.source) for m in self.mounts.mounts)

    def _left_out(self, path: str) -> bool:
        """Compose's watch does not look at what the build's ignore file leaves out."""
        return self.image is not None and self.image.find_ignoring(path) is not None

    def _needs_build(self, path: str) -> bool:
        if self._is_build_file(path):
            return True
        return any(result.installs for result in self._traces(path, False).results)

    # Inference

    def _infer(self, path: str, is_directory: bool) -> PlannedChange:
        if self._is_build_file(path):
            return self._of_build_file(path)
        traces = self._traces(path, is_directory)
        shown = self.mounts.locate(path)
        inside = [place for place, _ in shown] + [copy.path for copy in traces.copies]
        if self._starts_with_install(inside):
            return self._of_start_install(path, traces, shown)
        result = self._seen_result(traces)
        if result is not None:
            return self._rebuild(path, result)
        copies = [copy for copy in traces.copies if self.mounts.shows_image(copy.path)]
        # An entrypoint or a configuration that was copied out of what a mount shows is used there.
        if shown and (not copies or shown[0][1].source == path):
            return self._of_mount(path, *shown[0])
        if copies:
            return self._of_copy(path, copies[0])
        return self._ignore(path, *self._why_not(path, traces))

    def _traces(self, path: str, is_directory: bool) -> Traces:
        if self.image is None or self.image.flow is None:
            return Traces()
        return trace(self.image.flow, path, is_directory=is_directory)

    def _is_build_file(self, path: str) -> bool:
        return any(
            path == image.dockerfile_path or self._is_ignore_file(image, path)
            for image in self._chain()
        )

    def _is_ignore_file(self, image: ImageBuild, path: str) -> bool:
        """A file that is, or would be, the ignore file of the build."""
        if path not in image.ignore_candidates:
            return False
        chosen = image.ignores[image.context]
        first = image.ignore_candidates[0]
        return chosen is None or chosen[0] == path or path == first

    def _chain(self) -> list[ImageBuild]:
        """The service's build, and those of the services that its image is built from."""
        found: list[ImageBuild] = []
        pending = [self.image] if self.image else []
        while pending:
            image = pending.pop()
            if image not in found:
                found.append(image)
                pending += [self._images[n] for n in image.services if n in self._images]
        return found

    def _of_build_file(self, path: str) -> PlannedChange:
        own = self.image is not None and path == self.image.dockerfile_path
        what = "the Dockerfile" if own else "a file that the build itself is made of"
        if self.image is not None and path in self.image.ignore_candidates:
            what = "the ignore file of the build"
        place = key_place(self._layers, "services", self.service.name, "build", "dockerfile")
        return self._change(
            path, WatchAction.REBUILD, f"{what} decides what the image holds", place
        )

    def _seen_result(self, traces: Traces) -> Result | None:
        """A result of the build that the container sees; one that names the file first."""
        seen = [r for r in traces.results if self.mounts.shows_area(r.area)]
        return min(seen, key=lambda r: (not r.installs, not r.is_named), default=None)

    def _rebuild(self, path: str, result: Result) -> PlannedChange:
        words = short_words(result.run)
        line = f"line {result.run.line}"
        if result.installs:
            reason = f"{words} ({line}) installs from it, and the container uses what it installed"
        elif result.run is result.read and result.run.name != "RUN":
            reason = f"{words} ({line}) unpacks it"
        else:
            reason = f"{words} ({line}) runs with it, and the container uses the result"
        return self._change(
            path, WatchAction.REBUILD, reason, _at(result.dockerfile, result.read, self)
        )

    def _starts_with_install(self, inside: list[str]) -> bool:
        return any(effect.names_file(place) for effect in self.start.installs for place in inside)

    def _of_start_install(
        self, path: str, traces: Traces, shown: list[tuple[str, Mount]]
    ) -> PlannedChange:
        reason = "the start command installs from it"
        place = key_place(self._layers, "services", self.service.name, "command")
        if shown and self._facts.is_local:
            return self._change(path, WatchAction.RESTART, reason, place, shown[0][0])
        target = shown[0][0] if shown else traces.copies[0].path
        return self._change(path, WatchAction.SYNC_RESTART, reason, place, target, stale=not shown)

    def _of_mount(self, path: str, inside: str, mount: Mount) -> PlannedChange:
        place = mount_place(self._layers, mount)
        if mount.source != path and is_output(path):
            return self._ignore(path, "programs write it while they run", place)
        how = {"configs": "a config", "secrets": "a secret"}.get(mount.key, "a bind mount")
        restart = self._wants_restart(path, inside, mount)
        if not self._facts.is_local:
            action = WatchAction.SYNC_RESTART if restart else WatchAction.SYNC
            reason = f"{how} of a remote engine shows that machine's files, so it is copied"
            return self._change(path, action, reason, place, inside)
        if restart:
            reason = f"{how} shows it; {restart}"
            return self._change(path, WatchAction.RESTART, reason, place, inside)
        reason = f"{how} already shows it"
        if is_first_start(inside):
            reason += "; it is read only while the data volume is empty"
        elif how := self.start.how:
            reason += f", and {how}"
        return self._change(path, WatchAction.LIVE, reason, place, inside)

    def _of_copy(self, path: str, copy: Copied) -> PlannedChange:
        place = _at(copy.dockerfile, copy.instruction, self)
        if self._raw.get("read_only") and self.mounts.find_over(copy.path) is None:
            reason = "copied into the image, and the container's root filesystem is read-only"
            return self._change(path, WatchAction.REBUILD, reason, place)
        restart = self._wants_restart(path, copy.path)
        how = self.start.how
        if restart or (not how and is_loaded(path, self.start.program)):
            reason = restart or "the program is not known to load changes by itself"
            action = WatchAction.SYNC_RESTART
        else:
            action = WatchAction.SYNC
            reason = how or "nothing keeps it loaded"
        reason = f"copied into the image and used by no later step; {reason}"
        return self._change(path, action, reason, place, copy.path, stale=True)

    def _wants_restart(self, path: str, inside: str, mount: Mount | None = None) -> str:
        """Why the container must start again to see a file that it already has; "" if not."""
        start = self.start
        if inside in start.scripts:
            return "the start script is read only at start"
        if mount is not None and mount.key in ("configs", "secrets"):
            return "programs read it at start"
        is_own = mount is not None and mount.source == path
        if inside in start.named and (start.loading is not Loading.RELOADS or start.each_request):
            return "the start command reads it at start"
        if start.each_request or start.is_server or self._is_server_image(is_own):
            return "servers read their configuration at start" if is_configuration(inside) else ""
        if start.loading is Loading.KEEPS and is_loaded(path, start.program):
            return f"{start.program} keeps what it loaded"
        return ""

    def _is_server_image(self, is_file: bool) -> bool:
        """An image that runs its own program, perhaps with options or a file of its own."""
        if self.image is not None or self.start.loading is not Loading.UNKNOWN:
            return False
        words = (*(self.service.entrypoint or ()), *(self.service.command or ()))
        return not words or is_file or words[0].startswith("-")

    def _why_not(self, path: str, traces: Traces) -> tuple[str, Place | None]:
        """Why nothing is to be done; the reason is "" where the path is far from the service."""
        hiding = self.mounts.find_hiding(path)
        image = self.image
        if image is not None:
            ignoring = image.find_ignoring(path)
            if ignoring is not None:
                file, _, pattern = ignoring
                line = pattern_line(self._facts.read(file), pattern)
                name = posixpath.basename(file)
                return f"{name} leaves it out of the build: {pattern}", Place(file, line)
            hidden = next(iter(traces.copies), None)
            if hidden is not None:
                over = self.mounts.find_over(hidden.path)
                place = mount_place(self._layers, over) if over else None
                return f"a mount on {over.target if over else '/'} hides the image's copy", place
            other = find_other_reader(image, path)
            if other is not None:
                stage, instruction = other
                name = stage.name or str(stage.index)
                place = _at(image.dockerfile_path, instruction, self)
                return f"only stage {name} reads it, which the target does not need", place
            if traces.lost and not traces.results:
                lost = traces.lost[-1]
                what = "removes it" if lost.name == "RUN" else "puts another file in its place"
                reason = f"{short_words(lost)} (line {lost.line}) {what}"
                return reason, _at(image.dockerfile_path, lost, self)
            if traces.results:
                return "a mount hides everything that was built from it", None
            if traces.reads:
                place = _at(image.dockerfile_path, traces.reads[0], self)
                return "read by a step whose result is not in the image", place
        if hiding is not None:
            place = mount_place(self._layers, hiding)
            return f"the volume on {hiding.target} hides it", place
        if image is not None and image.holds(path):
            return "in the build context, but no instruction reads it", None
        return "", None

    # Values

    def _ignore(self, path: str, reason: str, place: Place | None = None) -> PlannedChange:
        return PlannedChange(path, self.service.name, WatchAction.IGNORE, reason, because=place)

    def _change(
        self,
        path: str,
        action: WatchAction,
        reason: str,
        place: Place | None,
        target: str | None = None,
        *,
        stale: bool = False,
    ) -> PlannedChange:
        name = self.service.name
        return PlannedChange(path, name, action, reason, target, place, stale_image=stale)

    def inline_place(self) -> Place | None:
        """Where the build's `dockerfile_inline` stands."""
        return key_place(self._layers, "services", self.service.name, "build", "dockerfile_inline")


def _at(dockerfile: str | None, instruction: Instruction, planner: ServicePlanner) -> Place | None:
    return Place(dockerfile, instruction.line) if dockerfile else planner.inline_place()


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
