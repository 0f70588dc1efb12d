"""What a batch asks for, each service once."""

from __future__ import annotations

from devenv.compose.names import ServiceName
from devenv.compose.watch.batch import join_work, plan_batch
from devenv.compose.watch.values import PlannedChange, WatchAction

APP, WEB = ServiceName("app"), ServiceName("web")


def change(path: str, service: str | None, action: WatchAction) -> PlannedChange:
    name = ServiceName(service) if service else None
    return PlannedChange(path, name, action, "why", target=f"/app{path}")


def test_the_strongest_action_stands_for_all() -> None:
    plan = plan_batch(
        [
            change("/a", "app", WatchAction.SYNC),
            change("/b", "app", WatchAction.REBUILD),
            change("/a", "web", WatchAction.SYNC),
            change("/c", "web", WatchAction.SYNC_RESTART),
            change("/d", None, WatchAction.IGNORE),
            change("/e", None, WatchAction.RELOAD),
        ]
    )
    assert [c.path for c in plan.reload] == ["/e"]
    assert [(w.service, w.action) for w in plan.works] == [
        (APP, WatchAction.REBUILD),
        (WEB, WatchAction.SYNC_RESTART),
    ]
    assert plan.works[1].restarts and [c.path for c in plan.works[1].synced] == ["/a", "/c"]
    assert plan_batch([change("/d", None, WatchAction.IGNORE)]).is_empty


def test_works_are_joined_and_the_later_plan_of_a_path_counts() -> None:
    first = plan_batch([change("/a", "app", WatchAction.SYNC)]).works[0]
    second = plan_batch(
        [change("/a", "app", WatchAction.SYNC_RESTART), change("/b", "app", WatchAction.LIVE)]
    ).works[0]
    joined = join_work(first, second)
    assert joined.action is WatchAction.SYNC_RESTART
    assert [(c.path, c.action) for c in joined.changes] == [
        ("/a", WatchAction.SYNC_RESTART),
        ("/b", WatchAction.LIVE),
    ]
