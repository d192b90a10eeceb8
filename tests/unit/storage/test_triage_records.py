from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from detection.types import AlertChange
from storage import triage
from storage.alert_firings import KEPT, drop_old_firings, firings_since
from storage.alerts import fingerprint_of, record_alerts, resolve_stale_alerts
from storage.database.session import sessions
from storage.triage import NewDecision

NOW = datetime(2026, 2, 7, 12, tzinfo=UTC)


def _change(minutes: float, *, is_firing: bool = True) -> AlertChange:
    at = (NOW + timedelta(minutes=minutes)).timestamp()
    return AlertChange("a", "test", "High", "shop", None, is_firing, at, values={"A": 7.0}, quiet_after_seconds=3600.0)


def _record(engine: Engine, *changes: AlertChange) -> None:
    with sessions(engine).begin() as session:
        for change in changes:
            record_alerts(session, [change], now=NOW)


def _firings(engine: Engine) -> list[tuple[float, float | None, float | None]]:
    with sessions(engine).begin() as session:
        found = firings_since(session, {fingerprint_of(_change(0))}, NOW)
    return [
        (
            (one.started_at - NOW).total_seconds() / 60,
            None if one.ended_at is None else (one.ended_at - NOW).total_seconds() / 60,
            one.value,
        )
        for one in found
    ]


def test_each_firing_is_kept_once_however_often_it_is_sent(engine: Engine) -> None:
    _record(engine, _change(0), _change(0), _change(2), _change(5, is_firing=False), _change(5, is_firing=False))
    _record(engine, _change(9), _change(9))
    assert _firings(engine) == [(0.0, 5.0, 7.0), (9.0, None, 7.0)]


def test_an_old_delivery_begins_no_firing(engine: Engine) -> None:
    _record(engine, _change(0), _change(5, is_firing=False), _change(3))
    assert _firings(engine) == [(0.0, 5.0, 7.0)]


def test_an_alert_that_is_no_longer_sent_has_ended(engine: Engine) -> None:
    _record(engine, _change(0))
    with sessions(engine).begin() as session:
        resolve_stale_alerts(session, now=NOW + timedelta(hours=2))
    assert _firings(engine) == [(0.0, 60.0, 7.0)]


def test_old_firings_are_dropped_and_newer_ones_are_not(engine: Engine) -> None:
    _record(engine, _change(0))
    with sessions(engine).begin() as session:
        assert drop_old_firings(session, now=NOW + KEPT, at_once=10) == 0
        assert drop_old_firings(session, now=NOW + KEPT + timedelta(minutes=1), at_once=10) == 1


def _new(decision: str, rule: str = "flaps", fired: int = 0) -> NewDecision:
    fired_at = NOW + timedelta(minutes=fired)
    return NewDecision("alert:a", "High", "shop", decision, rule, "It flaps.", None, -1.0, fired_at)


def test_a_change_of_mind_is_a_new_row_that_knows_since_when_it_waited(engine: Engine) -> None:
    with sessions(engine).begin() as session:
        first = triage.decide(session, _new("digest"), None, now=NOW)
        later = NOW + timedelta(minutes=3)
        assert triage.decide(session, _new("digest"), first, now=later) is first
        second = triage.decide(session, _new("wake", "rises"), first, now=later)
        assert (second.waiting_since, second.over_at, first.over_at) == (NOW, None, later)
        assert triage.decide(session, _new("wake", "lasts"), second, now=later) is second
        third = triage.decide(session, _new("wake", fired=30), second, now=later)
        assert third.waiting_since is None
        assert [one.id for one in triage.holding(session, of_alerts=True).values()] == [third.id]
        assert triage.holding(session, of_alerts=False) == {}


def test_a_digest_lists_what_waited_to_its_end_and_not_what_woke(engine: Engine) -> None:
    with sessions(engine).begin() as session:
        waited = triage.decide(session, _new("digest"), None, now=NOW)
        triage.end_decisions(session, [waited.id], now=NOW)
        before = triage.decide(session, _new("digest", fired=9), None, now=NOW)
        triage.decide(session, _new("wake", fired=9), before, now=NOW)
        assert [one.id for one in triage.unlisted(session, limit=9)] == [waited.id]
        triage.mark_listed(session, [waited.id], now=NOW)
        assert triage.unlisted(session, limit=9) == []


def test_a_word_counts_once_for_each_decision_and_stays_when_the_decision_goes(engine: Engine) -> None:
    with sessions(engine).begin() as session:
        decision = triage.decide(session, _new("digest"), None, now=NOW)
        triage.end_decisions(session, [decision.id], now=NOW)
        assert triage.should_have_woken(session, decision.id, said_by="ana", now=NOW)[1]
        assert not triage.should_have_woken(session, decision.id, said_by="mia", now=NOW)[1]
        assert triage.words_about(session, {"alert:a", "alert:b"}, NOW) == {"alert:a": (0, 1)}
        assert triage.drop_old_decisions(session, now=NOW + triage.KEPT + timedelta(1), at_once=9) == 1
        assert triage.words_about(session, {"alert:a"}, NOW) == {"alert:a": (0, 1)}
