"""The coverage line: what was checked, was empty, failed, and what would be worth connecting."""

from __future__ import annotations

from workers.diagnosis.connecting import worth_connecting
from workers.diagnosis.coverage import coverage
from workers.diagnosis.source_states import Source, SourceState

METRICS = Source("metrics", SourceState.DATA, 12)


def never(*names: str) -> list[Source]:
    return [Source(name, SourceState.EMPTY, is_connected=False) for name in names]


def test_a_source_that_never_gave_anything_is_worth_connecting_and_the_line_says_how() -> None:
    line = coverage([METRICS, *never("commits")])

    assert line == (
        "Coverage: checked metrics; nothing in commits. Worth connecting: commits (GitHub, or POST /api/commits)."
    )


def test_a_source_that_is_only_empty_now_is_not_suggested() -> None:
    assert worth_connecting([METRICS, Source("commits", SourceState.EMPTY)], ()) == ()


def test_a_source_that_could_not_be_reached_is_told_as_such_and_not_suggested() -> None:
    failed = Source("the status page of stripe", SourceState.FAILED, error="503")

    line = coverage([METRICS, failed, Source("the code host", SourceState.FAILED)])

    assert line == "Coverage: checked metrics; could not reach the status page of stripe, the code host."


def test_at_most_two_are_suggested_the_most_useful_for_this_incident_first() -> None:
    sources = never("metrics", "logs", "commits", "service map", "status feeds", "flags")

    assert len(worth_connecting(sources, ())) == 2
    assert worth_connecting(sources, ())[0] == "metrics (OTLP)"
    assert "STATUS_FEEDS" in worth_connecting(sources, ("third_party",))[0]
    assert "service-map" in worth_connecting(sources, ("downstream",))[0]


def test_with_traces_nobody_is_told_to_send_spans() -> None:
    assert worth_connecting([Source("traces", SourceState.DATA, 3), *never("service map")], ()) == ()


def test_with_requests_metrics_are_not_missed() -> None:
    assert worth_connecting([Source("requests", SourceState.DATA, 3), *never("metrics")], ()) == ()
