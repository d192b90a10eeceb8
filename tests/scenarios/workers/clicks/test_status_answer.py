"""`/argux status`: what is broken, what cannot be judged and why, and what is under maintenance or snoozed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detection.coverage import Need, Watched, WatchState, watched
from detection.types import LogRecord, MetricPoint, Subject
from integrations.cards import Card, moment
from storage import funnels, incidents, triage
from storage.triage import NewDecision
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import opened
from tests.scenarios.workers.worker import Clock
from workers.clicks.slash_command import answer_command
from workers.clicks.snooze import snooze_incident
from workers.rules.maintenance import start_window
from workers.services import Services
from workers.watching import states as watching
from workers.watching.catalogue import WATCHES
from workers.watching.watch import Tick


def asked(services: Services, text: str = "status") -> Card:
    answer_command(services, text, "https://hooks.example/1")
    assert isinstance(services.chat, FakeChat)
    return services.chat.responses[-1]


def watch_funnel(services: Services, name: str) -> None:
    steps: list[dict[str, Any]] = [{"name": step, "event": step, "properties": {}} for step in ("view", "sign up")]
    with services.sessions.begin() as session:
        funnels.create_funnel(session, name=name, steps=steps, baseline_days=7, window_minutes=30, now=services.clock())


def test_a_lack_of_data_is_not_reported_as_all_quiet(services: Services) -> None:
    watch_funnel(services, "Sign-up")
    card = asked(services)
    assert card.title == "Nothing is known to be broken"
    assert dict(card.fields)["Watching"] == "1 thing: 1 with insufficient data"
    assert card.sections[0].startswith(
        "**Insufficient data**\n- Sign-up: 0 of 100 entries needed in the last 30 min; 0 of 24 hours of history needed"
    )


@ON_BOTH
def test_logs_and_metrics_have_a_state_of_their_own(services: Services, clock: Clock) -> None:
    clock.now = clock.now.replace(minute=20)
    now = clock().timestamp()
    services.telemetry.append_logs(
        [LogRecord(f"l{n}", "shop", None, now - 7200 + n, "info", "hello there") for n in range(3)]
    )
    services.telemetry.append_metric_points([MetricPoint(f"p{n}", "heap", "shop", now - 60 * n, 1.0) for n in range(9)])
    clock.forward(20)
    for _ in range(3):
        services.telemetry.roll_up([], now=clock().timestamp())
    told = [watching.sentence(one) for one in watching.watched_states(services)]
    assert told == [
        "shop logs: 2 of 24 hours of history needed",
        "shop heap: 0 of 36 hours of history needed",
    ]


@pytest.mark.parametrize(("count", "title", "more"), [(1, "1 open incident", ()), (12, "12 open incidents", (2,))])
def test_of_many_incidents_the_newest_are_listed_and_the_rest_counted(
    services: Services, count: int, title: str, more: tuple[int, ...]
) -> None:
    for _ in range(count):
        opened(services)

    card = asked(services)

    assert card.title == title
    assert [line for line in card.text.splitlines() if line.startswith("…")] == [
        f"… and {number} more open" for number in more
    ]
    assert card.text.count("- **#") == count - sum(more)


@pytest.mark.parametrize(
    ("alerts", "own", "title", "more"),
    [
        (0, 0, "No alert is firing", ""),
        (1, 0, "1 alert is firing", ""),
        (0, 1, "No alert is firing, and Argux has 1 finding of its own", ""),
        (50, 2, "50 alerts are firing, and Argux has 2 findings of its own", "… and 32 more: `GET /api/triage`"),
    ],
)
def test_of_many_decisions_the_latest_are_listed_and_all_are_counted(
    services: Services, alerts: int, own: int, title: str, more: str
) -> None:
    now = services.clock()
    names = [f"alert:{number}" for number in range(alerts)] + [f"error_rate:{number}" for number in range(own)]
    with services.sessions.begin() as session:
        for name in names:
            triage.decide(session, NewDecision(name, name, None, "wake", "lasts", "", None, 1.0, now), None, now=now)

    card = asked(services, "triage")

    assert card.title == title
    assert card.text.endswith(more)
    assert card.text.count("**#") == min(alerts + own, 20)


def test_the_answer_says_when_nothing_is_watched(services: Services) -> None:
    assert dict(asked(services).fields)["Watching"].startswith("nothing yet")


def test_all_is_quiet_when_everything_can_be_judged_and_nothing_is_broken(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = [Watched(Subject("endpoint", "POST /a", service="shop", endpoint="POST /a"), WatchState.OK)]
    monkeypatch.setattr("workers.clicks.slash_command.watched_states", lambda services: fine)
    card = asked(services)
    assert (card.title, card.sections) == ("All quiet", ())


def test_subjects_without_enough_data_are_listed_first_wholes_before_segments_and_the_rest_counted(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many(services: Services, tick: Tick) -> list[Watched]:
        some = [Subject("funnel", "Buy", funnel_id=1, dimension="country", value=f"{n:02}") for n in range(14)]
        return [
            watched(Subject("funnel", "Fine", funnel_id=2), []),
            *(watched(one, [Need(1, 100, "entries")]) for one in (*some, Subject("funnel", "Buy", funnel_id=1))),
        ]

    watch = WATCHES[0]
    monkeypatch.setattr(watching, "WATCHES", (replace(watch, states=many),))
    states = watching.watched_states(services)
    assert states[0].subject.dimension is None
    assert states[-1].state is WatchState.OK
    lines = asked(services).sections[0].splitlines()
    assert lines[1] == "- Buy: 1 of 100 entries needed"
    assert lines[2] == "- Buy (country 00): 1 of 100 entries needed"
    assert lines[-1] == "… and 5 more: `GET /api/status`"


@ON_BOTH
def test_running_windows_and_snoozes_are_listed(services: Services, clock: Clock) -> None:
    incident_id = opened(services)
    now = clock()
    with services.sessions.begin() as session:
        ends = now + timedelta(hours=2)
        start_window(
            services, session, service="shop", begins_at=now, ends_at=ends, reason="new database", actor="Ana", now=now
        )
        incident = incidents.get_incident(session, incident_id)
        snooze_incident(services, session, incident, minutes=60, actor="Ana", now=now)
    card = asked(services)
    assert ("Maintenance", f"shop (new database) until {moment(ends.timestamp())}: nobody is told") in card.fields
    assert f"snoozed until {moment((now + timedelta(hours=1)).timestamp())}" in card.text
    assert dict(card.fields)["Watching"].endswith("1 broken")
