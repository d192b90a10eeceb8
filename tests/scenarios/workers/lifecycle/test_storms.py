"""In a storm of alerts the cause wakes, and what only passes it on joins it; two storms wake twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from detection.types import AlertChange, EdgeKind, FlagChange, LogRecord, LogSignature, ServiceEdge, Severity
from storage import incidents, triage
from storage.alerts import record_alerts
from storage.models import Incident, TriageDecision
from storage.surroundings import flags, service_map
from storage.surroundings.log_signatures import record_signatures
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.worker import Clock
from workers.lifecycle.tick import tick
from workers.services import Services
from workers.triage.firings import flag_change, read_scene
from workers.watching.alerts import findings
from workers.watching.watch import Tick


def all_incidents(services: Services) -> list[Incident]:
    with services.readers() as session:
        return sorted(incidents.list_incidents(session), key=lambda incident: incident.id)


def decisions(services: Services) -> dict[str, TriageDecision]:
    with services.readers() as session:
        return {one.service or "": one for one in triage.holding(session, of_alerts=True).values()}


def fire(services: Services, clock: Clock, service: str, name: str, severity: str = "critical") -> None:
    change = AlertChange(f"{name}:{service}", "test", name, service, severity, True, clock().timestamp())
    with services.sessions.begin() as session:
        record_alerts(session, [change], now=clock())
    clock.forward(5)


def calls(services: Services, clock: Clock, *pairs: tuple[str, str]) -> None:
    edges = [ServiceEdge(one, other, EdgeKind.CALLS, "spans", clock().timestamp()) for one, other in pairs]
    with services.sessions.begin() as session:
        service_map.record_edges(session, edges, now=clock())


def logs(services: Services, service: str, bodies: Iterable[tuple[float, str]], severity: str = "ERROR") -> None:
    services.telemetry.append_logs(
        [LogRecord(f"{service}{number}", service, None, at, severity, body) for number, (at, body) in enumerate(bodies)]
    )
    tick(services)


def usual_lines(services: Services, clock: Clock, service: str) -> list[tuple[float, str]]:
    """Return a line every two minutes over the last hour and a half."""
    now = clock().timestamp()
    return [(now - 120 * number, f"order {number} could not be paid") for number in range(45)]


@ON_BOTH
def test_of_a_database_and_its_three_callers_the_database_wakes_and_the_callers_join_it(
    services: Services, clock: Clock
) -> None:
    callers = ("cart", "checkout", "search")
    calls(services, clock, ("cart", "orders-db"), ("checkout", "orders"), ("orders", "orders-db"), ("search", "orders"))
    fire(services, clock, "orders-db", "PostgresConnectionsSaturated", "warning")
    for caller in callers:
        fire(services, clock, caller, "HighErrorRate")
    tick(services)
    [incident] = all_incidents(services)
    assert incident.service == "orders-db"
    decided = decisions(services)
    assert decided["orders-db"].decision == "wake"
    root = decided["orders-db"].fingerprint
    assert [(decided[one].decision, decided[one].joins) for one in callers] == [("record", root)] * 3
    assert "It is part of PostgresConnectionsSaturated of orders-db" in decided["cart"].reason


def test_the_incident_of_a_cause_is_as_severe_as_its_worst_symptom(services: Services, clock: Clock) -> None:
    calls(services, clock, ("cart", "orders-db"))
    fire(services, clock, "orders-db", "PostgresConnectionsSaturated", "warning")
    fire(services, clock, "cart", "HighErrorRate", "critical")
    tick(services)
    assert [one.severity for one in all_incidents(services)] == [Severity.SEV2]


def test_without_knowing_who_calls_whom_each_of_them_wakes(services: Services, clock: Clock) -> None:
    fire(services, clock, "orders-db", "PostgresConnectionsSaturated")
    fire(services, clock, "cart", "HighErrorRate")
    tick(services)
    assert {one.decision for one in decisions(services).values()} == {"wake"}
    assert len(all_incidents(services)) == 2


def test_two_storms_that_have_nothing_in_common_wake_once_each(services: Services, clock: Clock) -> None:
    calls(services, clock, ("cart", "orders-db"), ("login", "accounts-db"), ("profile", "accounts-db"))
    fire(services, clock, "orders-db", "PostgresConnectionsSaturated")
    fire(services, clock, "accounts-db", "DiskFull")
    for caller in ("cart", "login", "profile"):
        fire(services, clock, caller, "HighErrorRate")
    tick(services)
    assert [one.service for one in all_incidents(services)] == ["orders-db", "accounts-db"]
    decided = decisions(services)
    assert decided["cart"].joins == decided["orders-db"].fingerprint
    assert decided["login"].joins == decided["profile"].joins == decided["accounts-db"].fingerprint


def test_a_caller_whose_own_logs_tell_of_another_fault_wakes_beside_the_database(
    services: Services, clock: Clock
) -> None:
    calls(services, clock, ("cart", "orders-db"))
    now = clock().timestamp()
    bad = [(now - 3 * number, "x509: certificate has expired or is not yet valid") for number in range(40)]
    logs(services, "cart", [*usual_lines(services, clock, "cart"), *bad])
    fire(services, clock, "orders-db", "PostgresConnectionsSaturated")
    fire(services, clock, "cart", "HighErrorRate")
    tick(services)
    decided = decisions(services)
    assert {one.decision for one in decided.values()} == {"wake"}
    assert "its log pattern is new" in decided["cart"].reason.lower()


def test_an_alert_whose_logs_name_the_service_that_fires_joins_it_without_a_map(
    services: Services, clock: Clock
) -> None:
    now = clock().timestamp()
    calls(services, clock, ("web", "ledger"), ("web", "cart"))
    bad = [(now - 3 * number, f"could not connect to ledger:5432 for request {number}") for number in range(40)]
    logs(services, "cart", [*usual_lines(services, clock, "cart"), *bad])
    fire(services, clock, "ledger", "InstanceDown")
    fire(services, clock, "cart", "HighErrorRate")
    tick(services)
    assert decisions(services)["cart"].joins == decisions(services)["ledger"].fingerprint


def test_two_callers_whose_logs_complain_of_the_same_silent_service_wake_once(services: Services, clock: Clock) -> None:
    now = clock().timestamp()
    calls(services, clock, ("cart", "redis-main"), ("search", "redis-main"))
    for service in ("cart", "search"):
        bad = [(now - 3 * number, f"connection to redis-main refused, attempt {number}") for number in range(40)]
        logs(services, service, [*usual_lines(services, clock, service), *bad])
        fire(services, clock, service, "HighErrorRate")
    tick(services)
    assert sorted(one.decision for one in decisions(services).values()) == ["record", "wake"]


def test_the_same_words_in_two_services_are_no_common_cause(services: Services, clock: Clock) -> None:
    now = clock().timestamp()
    calls(services, clock, ("cart", "redis-main"), ("mail", "smtp"))
    for service in ("cart", "mail"):
        bad = [(now - 3 * number, f"internal error in request {number}") for number in range(40)]
        logs(services, service, [*usual_lines(services, clock, service), *bad])
        fire(services, clock, service, "HighErrorRate")
    tick(services)
    assert sorted(one.decision for one in decisions(services).values()) == ["wake", "wake"]


def test_ordinary_lines_that_become_more_are_no_sign_of_a_fault(services: Services, clock: Clock) -> None:
    now = clock().timestamp()
    calls(services, clock, ("cart", "ledger"))
    more = [(now - 3 * number, f"retrying nothing, ledger answered {number}") for number in range(40)]
    logs(services, "cart", [*usual_lines(services, clock, "cart"), *more], severity="INFO")
    fire(services, clock, "cart", "QueueDepthHigh")
    tick(services)
    assert "log pattern" not in decisions(services)["cart"].reason


def test_lines_that_another_tool_has_counted_tell_whom_an_alert_complains_of(services: Services, clock: Clock) -> None:
    now = clock().timestamp()
    calls(services, clock, ("web", "ledger"))
    line = LogSignature("cart", "could not connect to ledger", 200, 2.0, None, True, now - 600, now)
    with services.sessions.begin() as session:
        record_signatures(session, [line], now=clock())
    fire(services, clock, "ledger", "InstanceDown")
    fire(services, clock, "cart", "HighErrorRate")
    tick(services)
    assert decisions(services)["cart"].joins == decisions(services)["ledger"].fingerprint


def test_a_flag_that_names_the_new_limit_counts_as_a_change_of_its_service(services: Services, clock: Clock) -> None:
    at = clock().timestamp()
    change = FlagChange("1", "heap", "cart", "production", "{}", '{"memory_limit_pct": {"from": 80, "to": 90}}', at)
    assert flag_change(change).limits == {"heap.memory_limit_pct": 90.0}
    assert flag_change(replace(change, after="on")).limits == {}
    with services.sessions.begin() as session:
        flags.record_flag_changes(session, [change], now=clock())
    fire(services, clock, "cart", "MemoryHigh")
    found = findings(services, Tick(clock(), [], []))
    scene = read_scene(services, found, (), clock())
    assert [(one.service, one.version) for one in scene.context.changes] == [("cart", "heap")]
