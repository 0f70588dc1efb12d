"""Faults of the start order and of health checks."""

from __future__ import annotations

from tests.corpus.faults.fault import Expected, at, planted
from tests.corpus.faults.project import Model

HEALTHY = {"condition": "service_healthy"}


@planted("dependency-cycle", "db", short=True)
def cycle(model: Model) -> list[Expected]:
    model.services["db"]["depends_on"] = ["cache"]
    model.services["cache"]["depends_on"] = ["db"]
    return [
        at("cache", "cache", "depends_on", 0) | at("db", "db", "depends_on", 0),
    ]


@planted("dependency-cycle", "worker")
def cycle_of_itself(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"] = {"worker": {"condition": "service_started"}}
    return [at("worker", "worker", "depends_on", "worker")]


@planted("dependency-undefined", "worker", short=True)
def undefined_short(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"] = ["queue"]
    return [at("worker", "worker", "depends_on", 0)]


@planted("dependency-undefined", "worker")
def undefined_long(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"]["databse"] = HEALTHY
    return [at("worker", "worker", "depends_on", "databse")]


@planted("dependency-undefined", "worker")
def undefined_network(model: Model) -> list[Expected]:
    model.services["worker"]["network_mode"] = "service:vpn"
    return [at("worker", "worker", "network_mode")]


@planted("inactive-dependency", "worker", short=True)
def inactive_short(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"] = ["tool"]
    model.services["tool"] = {"image": "example.com/tool:1.0", "profiles": ["tools"]}
    return [at("worker", "worker", "depends_on", 0)]


@planted("inactive-dependency", "worker")
def inactive_long(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"]["tool"] = {"condition": "service_started"}
    model.services["tool"] = {"image": "example.com/tool:1.0", "profiles": ["tools"]}
    return [at("worker", "worker", "depends_on", "tool")]


@planted("healthy-without-healthcheck", "worker")
def healthy_without(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"]["mail"] = HEALTHY
    return [at("worker", "worker", "depends_on", "mail")]


@planted("healthy-without-healthcheck", "cache")
def healthy_disabled(model: Model) -> list[Expected]:
    model.services["cache"]["healthcheck"] = {"disable": True}
    return [at("app", "app", "depends_on", "cache")]


@planted("healthy-without-healthcheck", "cache")
def healthy_none(model: Model) -> list[Expected]:
    model.services["cache"]["healthcheck"]["test"] = ["NONE"]
    return [at("app", "app", "depends_on", "cache")]


@planted("healthy-without-healthcheck", "worker")
def healthy_interval_alone(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"]["mail"] = HEALTHY
    model.services["mail"]["healthcheck"] = {"interval": "2s"}
    return [at("worker", "worker", "depends_on", "mail")]


@planted("healthy-without-healthcheck", "worker")
def healthy_of_build(model: Model) -> list[Expected]:
    model.services["job"] = {
        "build": {"context": "./app", "dockerfile_inline": "FROM scratch\nCOPY src /\nUSER 10\n"}
    }
    model.services["worker"]["depends_on"]["job"] = HEALTHY
    return [at("worker", "worker", "depends_on", "job")]


@planted("started-not-healthy", "worker", short=True)
def started_short(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"] = ["mail", "db"]
    return [at("worker", "worker", "depends_on", 1)]


@planted("started-not-healthy", "worker")
def started_long(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"]["cache"] = {"condition": "service_started"}
    return [at("worker", "worker", "depends_on", "cache")]


@planted("hidden-dependency", "worker")
def hidden_in_map(model: Model) -> list[Expected]:
    model.services["worker"]["environment"]["REDIS_URL"] = "redis://cache:6379/0"
    return [at("worker", "worker", "environment", "REDIS_URL")]


@planted("hidden-dependency", "worker")
def hidden_in_list(model: Model) -> list[Expected]:
    model.services["worker"]["environment"] = ["QUEUE=orders", "CACHE_HOST=cache"]
    return [at("worker", "worker", "environment", 1)]


@planted("hidden-dependency", "worker")
def hidden_in_command(model: Model) -> list[Expected]:
    model.services["worker"]["command"] = ["work", "--redis", "redis://cache:6379"]
    return [at("worker", "worker", "command")]


@planted("hidden-dependency", "worker")
def hidden_in_env_file(model: Model) -> list[Expected]:
    model.services["worker"]["env_file"] = [{"path": "worker.env", "required": True}]
    model.files["worker.env"] = "LEVEL=info\nREDIS_URL=redis://cache:6379/0\n"
    return [at("worker", file="worker.env", needle="REDIS_URL")]


@planted("completed-never", "worker")
def completed_never(model: Model) -> list[Expected]:
    model.services["migrate"] = {"image": "example.com/shop/worker:1.2", "restart": "always"}
    model.services["migrate"]["command"] = ["migrate"]
    model.services["worker"]["depends_on"]["migrate"] = {
        "condition": "service_completed_successfully"
    }
    return [at("worker", "worker", "depends_on", "migrate")]


@planted("completed-never", "worker", severity="warning")
def completed_never_serves(model: Model) -> list[Expected]:
    model.services["worker"]["depends_on"]["db"] = {"condition": "service_completed_successfully"}
    return [at("worker", "worker", "depends_on", "db")]


@planted("stateful-without-healthcheck", "queue", short=True)
def stateful(model: Model) -> list[Expected]:
    model.services["queue"] = {"image": "rabbitmq:3.13"}
    model.services["worker"]["depends_on"] = ["queue"]
    return [at("queue", "queue")]


@planted("healthcheck-slow-start", "db")
def slow_start(model: Model) -> list[Expected]:
    model.services["db"]["healthcheck"]["interval"] = "30s"
    return [at("db", "db", "healthcheck", "interval")]


@planted("healthcheck-too-short", "db")
def too_short(model: Model) -> list[Expected]:
    model.start_seconds["db"] = 60.0
    return [at("db", "db", "healthcheck")]


@planted("start-interval-without-start-period", "db")
def interval_without_period(model: Model) -> list[Expected]:
    model.services["db"]["healthcheck"]["start_interval"] = "1s"
    return [at("db", "db", "healthcheck", "start_interval")]


@planted("start-interval-ignored", "db")
def interval_ignored(model: Model) -> list[Expected]:
    model.engine = (20, 10, 24)
    model.services["db"]["healthcheck"] |= {"start_interval": "1s", "start_period": "30s"}
    return [at("db", "db", "healthcheck", "start_interval")]


@planted("healthcheck-dollar", "db")
def dollar_in_item(model: Model) -> list[Expected]:
    model.services["db"]["healthcheck"]["test"] = ["CMD-SHELL", "pg_isready -U $PG_USER"]
    return [at("db", "db", "healthcheck", "test", 1)]


@planted("healthcheck-dollar", "db")
def dollar_in_text(model: Model) -> list[Expected]:
    model.services["db"]["healthcheck"]["test"] = "pg_isready -U ${PG_USER}"
    return [at("db", "db", "healthcheck", "test")]


@planted("healthcheck-time-too-small", "db")
def time_too_small(model: Model) -> list[Expected]:
    model.services["db"]["healthcheck"]["timeout"] = "5us"
    return [at("db", "db", "healthcheck", "timeout")]


@planted("healthcheck-none-as-command", "db", severity="error")
def none_as_command(model: Model) -> list[Expected]:
    model.services["db"]["healthcheck"]["test"] = "NONE"
    return [at("db", "db", "healthcheck", "test")]


@planted("healthcheck-test-form", "db")
def test_form(model: Model) -> list[Expected]:
    model.services["db"]["healthcheck"]["test"] = ["pg_isready"]
    return [at("db", "db", "healthcheck", "test", 0)]


@planted("replicas-zero-dependency", "cache")
def scale_zero(model: Model) -> list[Expected]:
    model.services["cache"]["scale"] = 0
    return [at("app", "app", "depends_on", "cache")]


@planted("replicas-zero-dependency", "cache")
def replicas_zero(model: Model) -> list[Expected]:
    model.services["cache"]["deploy"] = {"replicas": 0}
    return [at("app", "app", "depends_on", "cache")]


@planted("one-shot-unawaited", "migrate")
def one_shot(model: Model) -> list[Expected]:
    model.services["migrate"] = {
        "image": "example.com/shop/worker:1.2",
        "command": ["./manage", "migrate"],
        "depends_on": {"db": HEALTHY},
    }
    return [at("migrate", "migrate")]


@planted("restart-invalid", "worker")
def restart(model: Model) -> list[Expected]:
    model.services["worker"]["restart"] = "on_failure"
    return [at("worker", "worker", "restart")]


@planted("network-mode-conflict", "worker")
def network_conflict(model: Model) -> list[Expected]:
    model.services["worker"]["network_mode"] = "service:mail"
    model.services["worker"]["ports"] = ["9000:9000"]
    return [at("worker", "worker", "ports")]


@planted("ipc-not-shareable", "worker")
def ipc(model: Model) -> list[Expected]:
    model.services["worker"]["ipc"] = "service:mail"
    return [at("worker", "worker", "ipc")]
