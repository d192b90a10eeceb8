"""A change that takes room away is felt hours later, when more comes; not every surge is its doing."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.workers.diagnosis.scenery import (
    END,
    HOUR,
    MINUTE,
    ONSET,
    START,
    K,
    commit,
    course,
    deploy,
    observed,
    sign,
    weights_of,
)
from workers.diagnosis import weights
from workers.diagnosis.causes.by_change.fit import fit
from workers.diagnosis.causes.by_change.room import is_missed_at_the_peak
from workers.diagnosis.causes.by_change.trajectory import trajectory
from workers.diagnosis.causes.suspects import find_suspects
from workers.diagnosis.changes import read_change
from workers.diagnosis.scene.model import Observed, Scene

FEWER = "-  workers: 40\n+  workers: 8"
RATE = "messages_per_second"
LONG_AGO = ONSET - 3 * HOUR


def at_the_peak(diff: str = FEWER, *, peak: float = 3.0, live_at: float = LONG_AGO, part: str = "consumer") -> Observed:
    """Return a consumer that gets more by the hour and falls behind, and a change of it long before."""
    began = ONSET - 10 * MINUTE
    scene = replace(
        Scene(START, END, (part,), ONSET + 5 * MINUTE),
        deploys=(deploy(part, "c0ffee12", at=live_at),),
        commits=(commit(f"{part}/config.yaml", diff),),
    )
    return observed(
        signs=[
            sign(part, K.TRAFFIC, at=began, text=RATE),
            sign(part, K.QUEUE, text="queue_depth"),
        ],
        courses=[
            course(part, RATE, 300, 300 * peak, since=began),
            course("producer", RATE, 300, 300 * peak, since=began),
            course(part, "queue_depth", 5, 9000),
        ],
        origin=part,
        alerted=[part],
        more=scene,
    )


def time_of(scene: Observed, diff: str = FEWER, *, live_at: float = LONG_AGO) -> float:
    found = fit(read_change(commit("consumer/config.yaml", diff)), ["consumer"], scene)
    return trajectory(live_at, found, ["consumer"], scene)


def test_fewer_workers_are_missed_at_the_peak_hours_later() -> None:
    assert time_of(at_the_peak()) == weights.MISSED_AT_THE_PEAK


def test_a_peak_that_the_workers_of_before_would_not_have_served_is_not_their_doing() -> None:
    few = "-  workers: 12\n+  workers: 10"

    assert time_of(at_the_peak(few, peak=6.0), few) < 0


def test_more_workers_are_not_missed() -> None:
    more = "-  workers: 8\n+  workers: 40"

    assert time_of(at_the_peak(more), more) < 0


def test_a_change_after_the_peak_began_did_not_meet_it() -> None:
    effect = fit(read_change(commit("consumer/config.yaml", FEWER)), ["consumer"], at_the_peak()).effect

    assert is_missed_at_the_peak(effect, LONG_AGO, {"consumer"}, at_the_peak())
    assert not is_missed_at_the_peak(effect, ONSET - 5 * MINUTE, {"consumer"}, at_the_peak())


def test_room_that_another_service_lost_is_not_missed_here() -> None:
    effect = fit(read_change(commit("consumer/config.yaml", FEWER)), ["consumer"], at_the_peak()).effect

    assert not is_missed_at_the_peak(effect, LONG_AGO, {"mailer"}, at_the_peak())


def test_a_crowd_is_doubted_where_a_change_took_its_room() -> None:
    def doubts(scene: Observed) -> float | None:
        (crowd,) = [item for item in find_suspects(scene).outside if item.hypothesis.cause == "surge"]
        return weights_of(crowd).get("room_taken")

    assert doubts(at_the_peak()) == weights.ROOM_WAS_TAKEN
    assert doubts(at_the_peak("-  title: a\n+  title: b")) is None


def test_a_queue_after_more_traffic_is_put_down_in_full_only_to_a_change_that_takes_room() -> None:
    scene = at_the_peak()
    slower = read_change(commit("consumer/client.py", "-    get(url, timeout=1)\n+    get(url, timeout=2)"))

    assert fit(read_change(commit("consumer/config.yaml", FEWER)), ["consumer"], scene).score > 0.5
    assert fit(slower, ["consumer"], scene).score < 0.3
