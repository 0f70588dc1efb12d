"""The rules: how one is declared, and the list of all, found by listing `checks.rules`."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module

from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, NotChecked, Severity
from devenv.values import dataclass

RuleFunction = Callable[[CheckedProfile, Facts], Iterator[Fault | NotChecked]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, usual severity, where it comes from, and the function that looks."""

    name: str
    severity: Severity
    spec: str
    """A section of a specification or reference, or what was measured."""
    family: str
    """The module's name."""
    run: RuleFunction
    leaks: bool = False
    """Whether an error of this rule is about a secret that gets out, and not about the start."""
    explains_refusal: bool = False
    """Whether an error of this rule is the reason why Compose refuses a model, so that
    `compose-invalid` need not say it too."""

    @property
    def text(self) -> str:
        """The docstring: a summary line, why it matters, `Wrong:` and `Right:` examples."""
        return inspect.cleandoc(self.run.__doc__ or "")

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.text.partition("\n")[0]


_declared: dict[str, Rule] = {}


def check(
    name: str,
    severity: Severity,
    spec: str,
    *,
    leaks: bool = False,
    explains_refusal: bool = False,
) -> Callable[[RuleFunction], RuleFunction]:
    """Declare the function below as the rule `name`. Raises ValueError for a second of a name."""

    def declare(function: RuleFunction) -> RuleFunction:
        if name in _declared:
            raise ValueError(f"two rules are called {name}")
        family = function.__module__.rsplit(".", 1)[1]
        _declared[name] = Rule(name, severity, spec, family, function, leaks, explains_refusal)
        return function

    return declare


@cache
def load_rules() -> tuple[Rule, ...]:
    """All rules, by family and then in the order in which they are declared."""
    from devenv.checks import rules

    for module in pkgutil.iter_modules(rules.__path__):
        import_module(f"{rules.__name__}.{module.name}")
    return tuple(sorted(_declared.values(), key=lambda rule: rule.family))
