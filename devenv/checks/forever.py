"""Whether a service's process ends by itself, as far as its words tell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from devenv.checks.facts import ImageFacts
from devenv.compose.model import Service

_SHELLS = ("sh", "bash", "ash", "dash", "zsh")
_ENDLESS = re.compile(r"(?:exec\s+)?(?:sleep\s+(?:infinity|inf)|tail\s+-[fF]n?0?\s+/dev/null)")
_ONE_SHOT = re.compile(
    r"(?:^|[-_.])(?:migrate|migrations?|migrator|init|initdb|seed|seeder|seeds|setup|bootstrap"
    r"|createbuckets|create-buckets|provision)(?:$|[-_.])"
)
_SERVERS = frozenset(
    {
        "postgres",
        "postgis",
        "timescaledb",
        "mysql",
        "mariadb",
        "percona",
        "mongo",
        "redis",
        "valkey",
        "keydb",
        "memcached",
        "rabbitmq",
        "kafka",
        "zookeeper",
        "nats",
        "elasticsearch",
        "opensearch",
        "minio",
        "nginx",
        "httpd",
        "caddy",
        "traefik",
        "haproxy",
        "mailhog",
        "mailpit",
        "vault",
        "consul",
        "etcd",
        "influxdb",
        "grafana",
        "prometheus",
        "localstack",
    }
)
_WORDS_OF_SERVERS = re.compile(
    r"^(?:\S*/)?(?:gunicorn|uvicorn|hypercorn|nginx|httpd|redis-server|postgres|mysqld|mongod"
    r"|celery|puma|sidekiq|runserver|nodemon|vite|caddy|traefik)$"
)


def runs_forever(service: Service, image: ImageFacts | None) -> bool:
    """Whether the container certainly never ends: it sleeps, or reads nothing for ever.

    `image` gives the command where the service sets none; None where that is unknown.
    """
    words = container_words(service, image)
    if words is None:
        return False
    if len(words) >= 3 and words[0].rpartition("/")[2] in _SHELLS and words[1] in ("-c", "-ec"):
        return _ENDLESS.fullmatch(words[2].strip()) is not None
    return _ENDLESS.fullmatch(" ".join([words[0].rpartition("/")[2], *words[1:]])) is not None


def container_words(service: Service, image: ImageFacts | None) -> list[str] | None:
    """Entrypoint and command together; None where the image's own are needed and unknown.

    Spec: compose-spec 05-services.md#entrypoint: one in Compose drops the image's command.
    """
    entrypoint: Sequence[str] | None = service.entrypoint
    command: Sequence[str] | None = service.command
    if entrypoint is None:
        if image is None:
            return None
        entrypoint = image.entrypoint
        if command is None:
            command = image.command
    words = [*entrypoint, *(command or ())]
    return words or None


def seems_to_serve(service: Service) -> tuple[str, str] | None:
    """The key and the words that make a service look like one that serves; None for none."""
    if service.ports:
        return "ports", "it publishes a port"
    if service.healthcheck is not None:
        return "healthcheck", "it has a health check"
    own_words = service.command is not None or service.entrypoint is not None
    if service.image and not own_words:
        name = image_name(service.image)
        if name in _SERVERS:
            return "image", f"the image {name}"
    for key, words in (("command", service.command), ("entrypoint", service.entrypoint)):
        for word in _split(words or ()):
            if _WORDS_OF_SERVERS.match(word):
                return key, f"it runs {word.rpartition('/')[2]}"
    return None


def _split(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        try:
            found += shlex.split(word)
        except ValueError:
            found.append(word)
    return found


def image_name(reference: str) -> str:
    """The last part of an image's name without registry, tag and digest: `redis`."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()


def is_one_shot_name(name: str) -> bool:
    """Whether a service is named after a task that ends."""
    return _ONE_SHOT.search(name.lower()) is not None
