"""The commits of a scene: those of its time, and those that its deploys name, however long ago they were made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from detection.types import ChangedFile, Commit
from storage.deploys import record_deploy
from storage.surroundings.commits import record_commits
from tests.unit.workers.diagnosis.conftest import Shop
from tests.unit.workers.diagnosis.scenery import HOUR, MINUTE, ONSET, described
from workers.diagnosis.causes.candidates import brought_by
from workers.diagnosis.scene.reading import CHANGES_SECONDS, read_scene

GUILTY, OTHER, RECENT = "abcdef1" + "0" * 33, "abcdef2" + "0" * 33, "feed" * 10
LONG_AGO = ONSET - CHANGES_SECONDS - 48 * HOUR


def _commit(sha: str, at: float) -> Commit:
    files = (ChangedFile("checkout/pay.py", "modified", 1, 1, "@@ -1 +1 @@\n-TIMEOUT = 9\n+TIMEOUT = 1"),)
    return Commit(sha, None, "lena", at, "Wait less", "", files, "checkout", "shop/app")


def _told(shop: Shop, commits: Sequence[Commit], deployed_sha: str) -> None:
    live = datetime.fromtimestamp(ONSET - 5 * MINUTE, UTC)
    with shop.sessions.begin() as session:
        record_commits(session, commits, now=live)
        record_deploy(
            session,
            service="checkout",
            version="v2",
            commit_sha=deployed_sha,
            repository="shop/app",
            deployed_at=live,
            deployed_by=None,
            now=live,
        )


def test_a_commit_that_waited_for_days_before_it_went_live_is_of_the_scene(shop: Shop) -> None:
    _told(shop, [_commit(GUILTY, LONG_AGO), _commit(OTHER, LONG_AGO)], GUILTY[:7].upper())

    scene = read_scene(described("checkout"), shop.sources())
    ((brought,), alone) = brought_by(scene)

    assert [commit.sha for commit in scene.commits] == [GUILTY]
    assert [commit.sha for commit in brought.commits] == [GUILTY]
    assert alone == []


def test_a_recent_commit_that_a_deploy_names_is_there_once(shop: Shop) -> None:
    _told(shop, [_commit(RECENT, ONSET - HOUR)], RECENT[:8])

    assert [commit.sha for commit in read_scene(described("checkout"), shop.sources()).commits] == [RECENT]


def test_an_old_commit_that_no_deploy_names_is_left_out(shop: Shop) -> None:
    _told(shop, [_commit(OTHER, LONG_AGO)], GUILTY)

    assert read_scene(described("checkout"), shop.sources()).commits == ()
