"""The usual health check of well-known images."""

from __future__ import annotations

from devenv.checks.forever import image_name

_POSTGRES = '[CMD-SHELL, "pg_isready -U $${POSTGRES_USER:-postgres}"]'
_MYSQL = '[CMD-SHELL, "mysqladmin ping -h 127.0.0.1 -p$${MYSQL_ROOT_PASSWORD}"]'
_SEARCH = '[CMD-SHELL, "curl -fs http://localhost:9200/_cluster/health"]'
_PROBES = {
    "postgres": _POSTGRES,
    "postgis": _POSTGRES,
    "pgvector": _POSTGRES,
    "timescaledb": _POSTGRES,
    "mysql": _MYSQL,
    "percona": _MYSQL,
    "mariadb": "[CMD, healthcheck.sh, --connect, --innodb_initialized]",
    "redis": "[CMD, redis-cli, ping]",
    "valkey": "[CMD, valkey-cli, ping]",
    "keydb": "[CMD, keydb-cli, ping]",
    "mongo": "[CMD, mongosh, --quiet, --eval, \"db.adminCommand('ping').ok\"]",
    "rabbitmq": "[CMD, rabbitmq-diagnostics, -q, ping]",
    "elasticsearch": _SEARCH,
    "opensearch": _SEARCH,
    "kafka": '[CMD-SHELL, "kafka-broker-api-versions.sh --bootstrap-server localhost:9092"]',
    "cp-kafka": '[CMD-SHELL, "kafka-broker-api-versions --bootstrap-server localhost:9092"]',
    "zookeeper": "[CMD, zkServer.sh, status]",
    "memcached": "[CMD-SHELL, \"bash -c '</dev/tcp/127.0.0.1/11211'\"]",
    "minio": "[CMD, mc, ready, local]",
    "nats": None,
    "influxdb": "[CMD, influx, ping]",
    "clickhouse-server": '[CMD-SHELL, "wget -qO- http://127.0.0.1:8123/ping"]',
    "cassandra": "[CMD-SHELL, \"cqlsh -e 'describe keyspaces'\"]",
    "neo4j": '[CMD-SHELL, "wget -qO- http://localhost:7474"]',
    "etcd": "[CMD, etcdctl, endpoint, health]",
    "vault": "[CMD, vault, status]",
    "consul": "[CMD, consul, info]",
}
_OWNERS = ("", "library", "bitnami", "postgis", "pgvector", "valkey", "minio", "confluentinc")
"""Publishers whose images of these names are the known ones, and come without a HEALTHCHECK."""


def is_stateful_image(reference: str) -> bool:
    """Whether an image is a database, broker or cache by its name."""
    return image_name(reference) in _PROBES


def is_known_image(reference: str) -> bool:
    """Whether it is one of the public images that are known to have no health check."""
    path = reference.partition("@")[0].removeprefix("docker.io/")
    return is_stateful_image(reference) and path.rpartition("/")[0] in _OWNERS


def usual_probe(reference: str) -> str | None:
    """The `test` that such an image is usually given, as YAML; None where there is none."""
    return _PROBES.get(image_name(reference))
