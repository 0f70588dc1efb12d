"""Secrets that stand where everybody can read them."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.checks.env_scan import at_entry, scan_env, shown
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Place, Severity
from devenv.checks.registry import check
from devenv.checks.secret_values import SecretKind, is_made_of, judge_value
from devenv.compose.env_entries import EntryKind
from devenv.compose.env_file import parse_env_file
from devenv.compose.env_scope import find_scalars
from devenv.compose.env_values import read_value
from devenv.compose.interpolation import find_references
from devenv.compose.secrets import is_secret_name

_VARIABLES = ("environment", "args")


@check("secret-in-compose", Severity.WARNING, "measured: name list and token shapes", leaks=True)
def secret_in_compose(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A Compose file has a secret written into it.

    It is in the repository with the file. Usual stand-ins (`changeme`, `postgres`, `<…>`, a
    value that the service uses for its user or database too, a word of an image's name) are not
    meant.

    Wrong:

        services:
          app:
            environment:
              DB_PASSWORD: hunter2

    Right:

        services:
          app:
            environment:
              DB_PASSWORD: ${DB_PASSWORD:?set it in .env}

    Measured: A list of names and some eight token shapes; detect-secrets misses
    `DB_PASSWORD=hunter2`. On real sample projects no error-level finding was wrong.
    """
    found = [
        (keys, name, value, Place(path, node.start_mark.line + 1, node.start_mark.column + 1))
        for path, keys, node in find_scalars(profile.layers)
        for name, value in _named_values(keys, str(node.value))
    ]
    public = {
        value
        for _, name, value, _ in found
        if not is_secret_name(name) and judge_value(name, value) is SecretKind.NONE
    }
    public |= set(profile.layers.service_names())
    public = {value.lower() for value in public}
    images = " ".join(value for keys, _, value, _ in found if keys[-1:] == ("image",)).lower()
    for keys, name, value, place in found:
        kind = judge_value(name, value)
        if kind is SecretKind.NONE or (
            kind is SecretKind.GUESSED
            and (value.lower() in public or value.lower() in images or is_made_of(value, public))
        ):
            continue
        what = name or "A value"
        yield Fault(
            f"{what} looks like a real secret, and is written into the Compose file.",
            place,
            service=keys[1] if keys[:1] == ("services",) and len(keys) > 2 else None,
            fix=f"write ${{{name}}} here, and the value into an env file that git ignores"
            if name
            else "move it into an env file that git ignores, or into a Compose secret",
        )


def _named_values(keys: tuple[str, ...], text: str) -> Iterator[tuple[str, str]]:
    """Name and value of what a scalar sets; the defaults of its references under their names."""
    name, value = "", text
    if len(keys) >= 2 and keys[-2] in _VARIABLES:
        name = keys[-1]
        if name.isdigit():
            name, _, value = text.partition("=")
    if "$" in value:
        for reference in find_references(value):
            if reference.has_fallback and reference.operator.endswith("-"):
                yield reference.name, reference.argument_text
        if "://" not in value:
            return
    yield name, value


@check("secret-in-example", Severity.ERROR, "measured: name list and token shapes", leaks=True)
def secret_in_example(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An example of an env file holds a real secret.

    Examples are made to be committed and copied. An error where the value has the shape of a
    real token or key, or is long and random under a secret's name; a warning where its name says
    secret and it is no usual stand-in.

    Wrong:

        # .env.example
        DB_PASSWORD=hunter2

    Right:

        # .env.example
        DB_PASSWORD=changeme

    Measured: The names and shapes of `secret-in-compose`.
    """
    scan = scan_env(profile, facts)
    for _, example in scan.examples():
        entries = [
            (entry, read_value(entry))
            for entry in parse_env_file(facts.file(example).text or "").entries
            if entry.kind is EntryKind.ASSIGNMENT
        ]
        public = {value.lower() for entry, value in entries if not is_secret_name(entry.name)}
        for entry, value in entries:
            kind = judge_value(entry.name, value)
            if kind is SecretKind.GUESSED and is_made_of(value, public):
                continue
            if kind is not SecretKind.NONE:
                yield Fault(
                    f"{entry.name} in {shown(facts, example)} looks like a real secret.",
                    at_entry(example, entry),
                    fix=f"write {entry.name}=changeme, and replace the secret if it was real",
                    severity=Severity.ERROR if kind is SecretKind.SHAPED else Severity.WARNING,
                )
