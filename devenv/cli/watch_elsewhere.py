"""Whether the checkout left the environment that is watched: another branch may have another."""

from __future__ import annotations

from devenv.cli.watch_model import WatchModel
from devenv.cli.watch_tell import Teller
from devenv.errors import DevenvError
from devenv.host.git import read_branch


class Elsewhere:
    """Whether the checkout is on a branch whose environment is another one.

    Its files are not brought into this one: `devenv switch` or a running `up` changes over.
    """

    def __init__(self) -> None:
        self._told: str | None = None

    def is_elsewhere(self, model: WatchModel, teller: Teller) -> bool:
        """Reads the branch; where the environment is another one, that is said once a branch."""
        files = model.session.files
        git = read_branch(files.root)
        before = files.git.effective_branch if files.git is not None else None
        branch = git.effective_branch if git is not None else None
        if branch == before:
            self._told = None
            return False
        try:
            name = model.session.renew().project.name
        except DevenvError:
            return True
        if name == model.project.name:
            return False
        if self._told != branch:
            self._told = branch
            message = f"branch {branch} belongs to environment {name}: its files are not taken"
            teller.note(None, "other-environment", message, again=True)
        return True
