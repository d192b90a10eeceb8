"""Ticks judge, verify and tell while data keeps coming, and whatever fails in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from detection.types import Event, Finding, FunnelDefinition, Severity
from storage import incidents
from storage.telemetry.protocol import RolledUp
from tests.scenarios.workers.alertmanager import Alertmanager
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.worker import Clock, Worker
from workers.clicks.slash_command import status_card
from workers.lifecycle import rolling_up
from workers.lifecycle.tick import run_parts, tick
from workers.services import Services
from workers.telling import where_message
from workers.watching.delays import delays

pytestmark = ON_BOTH


def page_views(clock: Clock, first: int, count: int) -> list[Event]:
    at = clock().timestamp()
    return [Event(f"e{number}", "view", f"u{number}", at, {}) for number in range(first, first + count)]


class Rushed:
    """A store to which more events arrive during each roll-up pass than the pass takes."""

    def __init__(self, services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent, self.passes = 1_000, 0
        self._services, self._clock = services, clock
        services.telemetry.append_events(page_views(clock, 0, self.sent))
        self._roll_up = services.telemetry.roll_up
        monkeypatch.setattr(services.telemetry, "roll_up", self.roll_up)

    def roll_up(self, funnels: Sequence[FunnelDefinition], **options: Any) -> RolledUp:
        self.passes += 1
        self._services.telemetry.append_events(page_views(self._clock, self.sent, 20))
        self.sent += 20
        taken: RolledUp = self._roll_up(funnels, **{**options, "limit": 10})
        return taken


def test_an_alert_becomes_an_incident_at_the_next_tick_although_events_never_stop_coming(
    services: Services, clock: Clock, alertmanager: Alertmanager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling_up, "BEFORE_JUDGING", 0.0)
    monkeypatch.setattr(rolling_up, "AFTER_JUDGING", 0.0)
    rushed = Rushed(services, clock, monkeypatch)
    clock.forward(60)
    alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
    tick(services)
    with services.readers() as session:
        assert [one.title for one in incidents.list_incidents(session)] == [
            "HighErrorRate is firing: HighErrorRate it is"
        ]
    assert rushed.passes == 0


def test_a_tick_that_comes_while_another_runs_is_made_up_for_at_once(
    services: Services, clock: Clock, alertmanager: Alertmanager, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll_up = services.telemetry.roll_up

    def slow_roll_up(funnels: Sequence[FunnelDefinition], **options: Any) -> RolledUp:
        monkeypatch.setattr(services.telemetry, "roll_up", roll_up)
        alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
        tick(services)
        with services.readers() as session:
            assert incidents.list_incidents(session) == []
        taken: RolledUp = roll_up(funnels, **options)
        return taken

    monkeypatch.setattr(services.telemetry, "roll_up", slow_roll_up)
    tick(services)
    with services.readers() as session:
        assert [one.title for one in incidents.list_incidents(session)] == [
            "HighErrorRate is firing: HighErrorRate it is"
        ]


def test_a_tick_that_comes_as_another_ends_runs_itself(
    services: Services, alertmanager: Alertmanager, monkeypatch: pytest.MonkeyPatch
) -> None:
    alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
    other = services.redis.lock("argux:tick", timeout=60)
    other.acquire()
    set_key = services.redis.set

    def set_as_the_other_ends(name: str, value: object, **options: Any) -> object:
        other.release()
        return set_key(name, value, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(services.redis, "set", set_as_the_other_ends)
    tick(services)
    with services.readers() as session:
        assert len(incidents.list_incidents(session)) == 1


def test_an_alert_that_comes_during_the_roll_up_is_judged_in_the_same_tick(
    services: Services, alertmanager: Alertmanager, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll_up = services.telemetry.roll_up

    def alert_meanwhile(funnels: Sequence[FunnelDefinition], **options: Any) -> RolledUp:
        monkeypatch.setattr(services.telemetry, "roll_up", roll_up)
        alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
        taken: RolledUp = roll_up(funnels, **options)
        return taken

    monkeypatch.setattr(services.telemetry, "roll_up", alert_meanwhile)
    run_parts(services)
    with services.readers() as session:
        assert len(incidents.list_incidents(session)) == 1


def test_a_lag_of_more_than_a_minute_is_told_with_what_to_do(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling_up, "BEFORE_JUDGING", 0.0)
    monkeypatch.setattr(rolling_up, "AFTER_JUDGING", 0.0)
    Rushed(services, clock, monkeypatch)
    tick(services)
    clock.forward(180)
    tick(services)
    with services.readers() as session:
        found = delays(services, session)
        card = status_card(services, session)
    assert found.longest_lag_seconds == 180
    [sentence] = found.sentences()
    assert sentence.startswith("Events are judged 3 min late")
    assert ("Argux itself", sentence) in card.fields
    assert card.title == "Nothing is known to be broken"


def test_a_tick_ends_in_its_time_and_the_next_ones_catch_up(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.telemetry.append_events(page_views(clock, 0, 2_000))
    monkeypatch.setattr(rolling_up, "BEFORE_JUDGING", 0.0)
    monkeypatch.setattr(rolling_up, "AFTER_JUDGING", 0.0)
    clock.forward(30)
    tick(services)
    monkeypatch.undo()
    tick(services)
    with services.readers() as session:
        assert delays(services, session).longest_lag_seconds == 0


def test_the_channel_is_told_once_that_argux_is_late_and_once_that_it_is_not(
    services: Services, clock: Clock, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rolling_up, "BEFORE_JUDGING", 0.0)
        patch.setattr(rolling_up, "AFTER_JUDGING", 0.0)
        Rushed(services, clock, patch)
        for _ in range(8):
            tick(services)
            clock.forward(20)
    tick(services)
    clock.forward(20)
    tick(services)
    worker.run_all()
    assert isinstance(services.chat, FakeChat)
    posted = [message.card for message in services.chat.messages.values()]
    assert [card.title for card in posted] == ["Argux does not keep up", "Argux keeps up again"]
    assert "Events are judged" in posted[0].text


def test_a_pause_without_ticks_is_told(services: Services, clock: Clock) -> None:
    with services.readers() as session:
        assert delays(services, session).sentences() == []
    tick(services)
    clock.forward(300)
    with services.readers() as session:
        [sentence] = delays(services, session).sentences()
    assert sentence.startswith("Nothing has been judged for 5 min. Check that a worker")


def failing(*_: object, **__: object) -> Any:
    raise ValueError("a bad row")


def fail_roll_up_of_events(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    real = services.telemetry.roll_up

    def roll_up(funnels: Sequence[FunnelDefinition], **options: Any) -> RolledUp:
        if options["kinds"] == ("events",):
            raise ValueError("a bad row")
        taken: RolledUp = real(funnels, **options)
        return taken

    monkeypatch.setattr(services.telemetry, "roll_up", roll_up)


def snooze_and_fail(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    with services.sessions.begin() as session:
        now = services.clock()
        incident = incidents.open_incident(
            session, title="old", severity=Severity.SEV3, service=None, onset_at=now, now=now
        )
        incident.snoozed_until = now - timedelta(minutes=1)
    monkeypatch.setattr("workers.telling.held_messages.end_snooze", failing)


BROKEN: dict[str, Callable[[Services, pytest.MonkeyPatch], None]] = {
    "ending the snooze of incident #1": snooze_and_fail,
    "rolling up events": fail_roll_up_of_events,
    "looking for new versions": lambda _, patch: patch.setattr("workers.lifecycle.tick.record_new_versions", failing),
    "looking for drifts of funnels": lambda services, patch: patch.setattr(
        "workers.memory.funnels.FunnelMemory.whose_turn", failing
    ),
}


@pytest.mark.parametrize("part", BROKEN)
def test_whatever_fails_in_a_tick_an_alert_still_becomes_an_incident_and_the_failure_is_told(
    services: Services, clock: Clock, alertmanager: Alertmanager, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    services.telemetry.append_events(page_views(clock, 0, 3))
    BROKEN[part](services, monkeypatch)
    alertmanager.send(alertmanager.alert("HighErrorRate", "firing"))
    for _ in range(2):
        clock.forward(10)
        with pytest.raises(ExceptionGroup, match="Not everything could be done"):
            tick(services)
    with services.readers() as session:
        found = delays(services, session)
        assert "HighErrorRate is firing: HighErrorRate it is" in {
            one.title for one in incidents.list_incidents(session)
        }
    assert found.tick is not None
    assert [(one.what, one.error) for one in found.tick.troubles] == [(part, "ValueError: a bad row")]
    assert found.tick.troubles[0].since == clock() - timedelta(seconds=10)
    monkeypatch.undo()
    tick(services)
    with services.readers() as session:
        assert delays(services, session).sentences() == []


def test_one_bad_alert_does_not_keep_the_others_from_their_incidents(
    services: Services, clock: Clock, alertmanager: Alertmanager, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = where_message.record_located_finding

    def record(services: Services, session: Any, incident: Any, finding: Finding, **options: Any) -> bool:
        if finding.subject.name == "Bad":
            raise ValueError("a bad row")
        return bool(real(services, session, incident, finding, **options))

    monkeypatch.setattr("workers.lifecycle.record_findings.record_located_finding", record)
    alertmanager.send(alertmanager.alert("Bad", "firing", service="one"))
    clock.forward(600)
    alertmanager.send(alertmanager.alert("Good", "firing", service="two"))
    troubles = run_parts(services)
    assert [str(error) for error in troubles.errors.values()] == ["a bad row"]
    with services.readers() as session:
        assert [one.service for one in incidents.list_incidents(session)] == ["two"]


def test_a_quiet_tick_writes_nothing_but_that_it_has_run(services: Services) -> None:
    tick(services)
    written: list[str] = []
    event.listen(
        services.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: written.append(statement) if not statement.startswith("SELECT") else None,
    )
    tick(services)
    changes = [one for one in written if one.split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert all("pull_cursors" in one for one in changes)


def test_a_tick_begins_a_long_log_of_sqlite_anew(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database.wal.LONGEST_LOG_BYTES", 0)
    tick(services)
    if services.engine.dialect.name == "sqlite":
        assert Path(f"{services.engine.url.database}-wal").stat().st_size == 0
