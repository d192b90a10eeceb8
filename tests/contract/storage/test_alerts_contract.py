"""The state of alerts for any order of deliveries, and limits of metrics; on both databases."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from detection.types import AlertChange, Severity
from storage.alerts import (
    FIRING,
    RESOLVED,
    alerts_named,
    drop_old_alerts,
    fingerprint_of,
    fingerprints_named,
    firing_alerts,
    record_alerts,
    resolve_stale_alerts,
    severity_of_word,
    unannounced_ends,
)
from storage.database.session import sessions
from storage.metric_limits import add_limit, list_limits, remove_limit
from storage.models import Alert

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)


def change(minute: float = 0, *, is_firing: bool = True, **more: object) -> AlertChange:
    at = NOW.timestamp() + 60 * minute
    base = AlertChange("shop:errors", "alertmanager", "HighErrorRate", "shop", "critical", is_firing, at)
    return replace(base, **more)  # type: ignore[arg-type]


def record(engine: Engine, *changes: AlertChange, now: datetime = NOW) -> None:
    with sessions(engine).begin() as session:
        record_alerts(session, changes, now=now)


def stored_alert(engine: Engine) -> Alert:
    with sessions(engine).begin() as session:
        [alert] = alerts_named(session, "HighErrorRate", "shop")
        return alert


def test_the_alerts_of_some_names_are_found_by_name_and_service(engine: Engine) -> None:
    shop = change()
    twin, other = replace(shop, identity="twin"), replace(shop, identity="other", service=None)
    record(engine, shop, twin, other, replace(shop, identity="disk", name="DiskFull"))
    with sessions(engine).begin() as session:
        found = fingerprints_named(session, {"HighErrorRate", "Unknown"})
    assert found == {
        ("HighErrorRate", "shop"): {fingerprint_of(shop), fingerprint_of(twin)},
        ("HighErrorRate", None): {fingerprint_of(other)},
    }


def test_an_alert_is_one_row_however_often_it_is_delivered(engine: Engine) -> None:
    for _ in range(3):
        record(engine, change(values={"value": 0.5}, url="https://x", summary="5 % fail"))
    alert = stored_alert(engine)
    assert (alert.state, alert.started_at, alert.ended_at, alert.severity) == (FIRING, NOW, None, Severity.SEV2)
    assert (alert.values, alert.url, alert.summary) == ({"value": 0.5}, "https://x", "5 % fail")


def test_an_alert_ends_when_resolved_and_a_new_firing_starts_it_again(engine: Engine) -> None:
    record(engine, change(0), change(5, is_firing=False))
    assert (stored_alert(engine).state, stored_alert(engine).ended_at) == (RESOLVED, NOW + timedelta(minutes=5))
    record(engine, change(9))
    alert = stored_alert(engine)
    assert (alert.state, alert.started_at, alert.ended_at) == (FIRING, NOW + timedelta(minutes=9), None)


DELIVERIES = (change(0), change(5, is_firing=False), change(9), change(12, is_firing=False))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_an_alert_that_has_ended_is_resolved_for_any_order_of_deliveries(
    engine: Engine, order: tuple[int, ...]
) -> None:
    for place in order:
        record(engine, DELIVERIES[place])
        record(engine, DELIVERIES[place])
    record(engine, DELIVERIES[-1])
    assert stored_alert(engine).state == RESOLVED


def test_concurrent_deliveries_make_one_row(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda minute: record(engine, change(minute)), [3, 1, 2, 0]))
    assert stored_alert(engine).started_at == NOW


def test_an_alert_that_needs_no_attention_is_not_listed_as_firing(engine: Engine) -> None:
    record(engine, change(severity="none"), change(identity="2", name="Other", severity=None))
    with sessions(engine).begin() as session:
        assert [alert.name for alert in firing_alerts(session, now=NOW)] == ["Other"]


@pytest.mark.parametrize(
    ("word", "severity"),
    [("critical", "sev2"), ("Page", "sev2"), ("error", "sev3"), (None, "sev3"), ("warning", "sev4"), ("info", None)],
)
def test_a_senders_severity_word_becomes_a_severity(word: str | None, severity: str | None) -> None:
    assert severity_of_word(word) == severity


def test_an_alert_not_heard_of_for_its_senders_limit_is_resolved(engine: Engine) -> None:
    record(engine, change(quiet_after_seconds=3600))
    later = NOW + timedelta(hours=1)
    with sessions(engine).begin() as session:
        assert firing_alerts(session, now=later) == []
        resolve_stale_alerts(session, now=later)
    assert (stored_alert(engine).state, stored_alert(engine).ended_at) == (RESOLVED, later)


def test_an_end_is_unannounced_until_it_is_announced_and_the_alert_is_deleted_after_its_retention(
    engine: Engine,
) -> None:
    record(engine, change(0), change(5, is_firing=False))
    with sessions(engine).begin() as session:
        assert unannounced_ends(session, ended_by=NOW) == []
        [alert_id] = unannounced_ends(session, ended_by=NOW + timedelta(minutes=5))
        alert = session.get_one(Alert, alert_id)
        alert.told_at = NOW
    with sessions(engine).begin() as session:
        assert unannounced_ends(session, ended_by=NOW + timedelta(days=1)) == []
        assert drop_old_alerts(session, now=NOW + timedelta(days=30)) == 0
        assert drop_old_alerts(session, now=NOW + timedelta(days=36)) == 1


def test_overlong_texts_are_cut_to_fit(engine: Engine) -> None:
    record(
        engine, change(name="n" * 999, service="s" * 999, source="x" * 999, summary="y" * 99_999, together="z" * 999)
    )
    with sessions(engine).begin() as session:
        [alert] = firing_alerts(session, now=NOW)
        assert len(alert.name) == 200


def test_a_limit_is_changed_by_adding_it_again_and_removed_by_its_number(engine: Engine) -> None:
    with sessions(engine).begin() as session:
        made = [
            add_limit(session, name="depth", service=service, threshold=5, above=above, horizon_hours=6,
                      created_by="ana", now=NOW)
            for service, above in ((None, True), ("shop", True), ("shop", False), (None, True))
        ]  # fmt: skip
        assert made[0] is made[3]
        assert len(list_limits(session)) == 3
        remove_limit(session, made[0].id)
        assert [(limit.service, limit.above) for limit in list_limits(session)] == [("shop", True), ("shop", False)]
