"""The commits of a scene: those of its time, and those that its deploys name, however long ago they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from detection.types import ChangedFile, Commit
from storage.deploys import record_deploy
from storage.surroundings.commits import record_commits
from tests.unit.workers.diagnosis.conftest import Shop
from tests.unit.workers.diagnosis.scenery import HOUR, MINUTE, ONSET, described
from workers.diagnosis.causes.candidates import brought_by
from workers.diagnosis.scene.live_changes import CHANGES_SECONDS
from workers.diagnosis.scene.reading import read_scene

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


LEAKS = "@@ -1,2 +1,3 @@ def handle(self, request):\n     user = self.load(request)\n+    self._seen[request.id] = user"


def _live_two_days_before(shop: Shop, patch: str) -> list[str]:
    """Return the commits of the deploys that are looked at, with one whose only deploy was two days before."""
    live = datetime.fromtimestamp(ONSET - 48 * HOUR, UTC)
    file = ChangedFile("checkout/pay.py", "modified", 1, 1, patch)
    with shop.sessions.begin() as session:
        record_commits(session, [replace(_commit(GUILTY, ONSET - 49 * HOUR), files=(file,))], now=live)
        record_deploy(
            session,
            service="checkout",
            version="v1",
            commit_sha=GUILTY,
            repository="shop/app",
            deployed_at=live,
            deployed_by=None,
            now=live,
        )
    return [deploy.commit_sha for deploy in read_scene(described("checkout"), shop.sources()).deploys]


def test_a_deploy_of_days_ago_is_looked_at_if_its_diff_makes_something_grow(shop: Shop) -> None:
    assert _live_two_days_before(shop, LEAKS) == [GUILTY]


def test_another_deploy_of_days_ago_is_not(shop: Shop) -> None:
    assert _live_two_days_before(shop, "@@ -1 +1 @@\n-TIMEOUT = 9\n+TIMEOUT = 1") == []
