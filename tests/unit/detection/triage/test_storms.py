from __future__ import annotations

from typing import Any

import pytest

from detection.triage import Context, Decision, Firing, OpenIncident, QuietWindow
from detection.types import Severity
from tests.unit.detection.triage.firings import calls, firing, judged, loud, quiet, woken

Storm = tuple[list[Firing], Context, set[str]]

HIGH: dict[str, Any] = {"value": 0.4, "threshold": 0.05}
SLOW: dict[str, Any] = {"value": 1300.0, "threshold": 1000.0}
SLOWER = [(0, 400), (10, 1300), (40, 4200), (50, 4700), (58, 5200)]
DUMP = [(5, 8), (10, 60), (30, 58), (40, 47), (50, 8), (59, 8)]
WINDOW = QuietWindow("migration", 0.0, 120 * 60.0, frozenset({"db", "shop"}), frozenset({"read-only"}))
TAKEN = OpenIncident("INC-1", "shop", "error_rate", "nil", "errors", "anna", "investigating", 5 * 60.0)


def _open(**others: Any) -> Context:
    fields: dict[str, Any] = {name: getattr(TAKEN, name) for name in OpenIncident.__slots__} | others
    return Context(incidents=(OpenIncident(**fields),))


STORMS: dict[str, Storm] = {
    "of those that log one error the first is told": (
        [
            firing("db", "db", "connection_errors", 10, sev=1, **HIGH, **loud("refused")),
            firing("shop", "shop", "http_5xx_rate", 11, sev=2, **HIGH, **loud("refused")),
            firing("cart", "cart", "error_rate", 12, sev=2, **HIGH, **loud("refused")),
        ],
        Context(),
        {"db"},
    ),
    "the service that the errors name is told, though its callers fired first": (
        [
            firing("shop", "shop", "http_5xx_rate", 10, sev=2, **HIGH, **loud("t", "dial tcp db-main:5432: refused")),
            firing("cart", "cart", "error_rate", 10.2, sev=2, **HIGH, **loud("t", "dial tcp db-main:5432: refused")),
            firing("db", "db-main", "connection_errors", 10.8, sev=2, **HIGH, **loud("t", "dial tcp db-main:5432")),
        ],
        Context(),
        {"db"},
    ),
    "the one that is called is told, not those that call it": (
        [
            firing("web", "web", "p99_latency_ms", 10, sev=2, value=4000.0, threshold=800.0),
            firing("shop", "shop", "p99_latency_ms", 10.5, sev=2, value=4000.0, threshold=800.0),
            firing("pay", "pay", "error_rate", 10.2, sev=2, **HIGH),
        ],
        Context(edges=calls(("web", "shop"), ("shop", "pay"))),
        {"pay"},
    ),
    "two troubles at one time are both told": (
        [
            firing("db", "db", "connection_errors", 10, sev=1, **HIGH, **loud("refused")),
            firing(
                "auth", "auth", "login_failure_rate", 10.5, sev=1, **HIGH, **loud("expired", "certificate has expired")
            ),
        ],
        Context(),
        {"db", "auth"},
    ),
    "a caller with a trouble of its own is told too": (
        [
            firing("pay", "pay", "error_rate", 10, sev=2, **HIGH, **loud("slow", "upstream timed out")),
            firing("shop", "shop", "error_rate", 12, sev=2, **HIGH, **loud("nil", "nil pointer dereference")),
        ],
        Context(edges=calls(("shop", "pay"))),
        {"pay", "shop"},
    ),
    "a callee that fails later is told too": (
        [
            firing("shop", "shop", "error_rate", 10, sev=2, **HIGH, **loud("a")),
            firing("pay", "pay", "error_rate", 18, sev=2, **HIGH, **loud("b")),
        ],
        Context(edges=calls(("shop", "pay"))),
        {"shop", "pay"},
    ),
    "the same error hours later is another trouble": (
        [
            firing("one", "db", "connection_errors", 10, sev=2, **HIGH, **loud("refused")),
            firing("two", "cart", "error_rate", 200, sev=2, **HIGH, **loud("refused")),
        ],
        Context(),
        {"one", "two"},
    ),
    "one alert in two regions is told once": (
        [
            firing("eu", "cart-eu-west-1", "http_5xx_rate", 10, sev=2, **HIGH),
            firing("us", "cart-us-east-2", "http_5xx_rate", 11, sev=2, **HIGH),
        ],
        Context(),
        {"eu"},
    ),
    "two services of one region are two troubles": (
        [
            firing("cart", "cart-eu-west-1", "http_5xx_rate", 10, sev=2, **HIGH, **loud("a")),
            firing("mail", "mail-eu-west-1", "http_5xx_rate", 11, sev=2, **HIGH, **loud("b")),
        ],
        Context(),
        {"cart", "mail"},
    ),
    "a storm of one network fault, each in its own words, is told once": (
        [
            firing(name, name, "error_rate", 10 + number / 4, sev=2, **HIGH, **loud(f"p{number}", text))
            for number, (name, text) in enumerate(
                [
                    ("edge", "network is unreachable"),
                    ("shop", "read tcp: connection reset by peer"),
                    ("cart", "no route to host"),
                    ("mail", "write: broken pipe"),
                ]
            )
        ],
        Context(),
        {"edge"},
    ),
    "two metrics of one service are told once": (
        [
            firing("errors", "pay", "http_5xx_rate", 10, sev=1, **HIGH, **loud("pool")),
            firing("slow", "pay", "p99_latency_ms", 11, sev=3, value=2400.0, threshold=800.0, **loud("pool")),
        ],
        Context(),
        {"errors"},
    ),
    "the cause that was first is told, though what people feel is called more severe": (
        [
            firing("vault", "vault", "seal_state", 10, sev=3, value=1.0, threshold=0.0, **loud("sealed")),
            firing("pay", "pay", "http_5xx_rate", 10.5, sev=1, **HIGH, **loud("sealed")),
        ],
        Context(),
        {"vault"},
    ),
    "the last in a line of complaints is told, though it fired last and is the least severe": (
        [
            firing("web", "web", "http_5xx_rate", 10, sev=1, **HIGH, **loud("a", "504 from shop")),
            firing("shop", "shop", "p99_latency_ms", 10.2, sev=1, **HIGH, **loud("b", "publish to mq-main timed out")),
            firing("mq", "mq-main", "alarm", 11.2, sev=3, value=1.0, threshold=0.0, **loud("c", "publishers blocked")),
        ],
        Context(),
        {"mq"},
    ),
    "a broker that names whom it turned away is the cause still": (
        [
            firing("mq", "mq-main", "alarm", 10, sev=2, value=1.0, threshold=0.0, **loud("c", "refused shop: blocked")),
            firing("shop", "shop", "p99_latency_ms", 10.2, sev=2, **HIGH, **loud("b", "publish to mq-main timed out")),
        ],
        Context(),
        {"mq"},
    ),
    "a name that could not be looked up is not what failed": (
        [
            firing("dns", "resolver", "servfail_rate", 10, sev=2, **HIGH, **loud("d", "lookup cart.svc: no such host")),
            firing("cart", "cart", "error_rate", 10.6, sev=1, **HIGH, **loud("d", "lookup cart.svc: no such host")),
            firing("shop", "shop", "error_rate", 10.8, sev=1, **HIGH, **loud("d", "lookup cart.svc: no such host")),
        ],
        Context(),
        {"dns"},
    ),
    "the database of a service is not the service": (
        [
            firing("pay", "pay", "error_rate", 10, sev=2, **HIGH, **loud("nil", "nil pointer dereference")),
            firing("shop", "shop", "error_rate", 12, sev=2, **HIGH, **loud("db", "dial tcp pay-db:5432: refused")),
        ],
        Context(),
        {"pay", "shop"},
    ),
    "who writes the line that all of them share is not whom it complains of": (
        [
            firing(
                "link", "wan", "packet_loss_pct", 10, sev=2, value=99.0, threshold=1.0, **loud("a", "mail: link lost")
            ),
            firing("mail", "mail", "queue_depth", 10.8, sev=2, **HIGH, **loud("a", "mail: link lost")),
        ],
        Context(),
        {"link"},
    ),
    "what was over before the other began is not its cause": (
        [
            firing(
                "cache",
                "cache-4",
                "memory_pct",
                10,
                sev=3,
                value=96.0,
                threshold=90.0,
                healed_after_seconds=60.0,
                **loud("a", "agent stopped"),
            ),
            firing("lb", "lb", "connect_errors", 13, sev=2, **HIGH, **loud("b", "connect to cache-4 refused")),
        ],
        Context(),
        {"cache", "lb"},
    ),
    "what is said to be over, but is not, is the cause still": (
        [
            firing(
                "cache",
                "cache-4",
                "memory_pct",
                10,
                [(5, 60), (10, 96), (12, 97), (20, 98)],
                sev=3,
                value=96.0,
                threshold=90.0,
                healed_after_seconds=60.0,
                **loud("a", "agent stopped"),
            ),
            firing("lb", "lb", "connect_errors", 13, sev=2, **HIGH, **loud("b", "connect to cache-4 refused")),
        ],
        Context(),
        {"cache"},
    ),
    "of one error that was over once and is back, the time that goes on is told": (
        [
            firing("once", "shop", "http_5xx_rate", 10, sev=2, healed_after_seconds=60.0, **HIGH, **loud("nil")),
            firing("again", "shop", "http_5xx_rate", 30, sev=2, **HIGH, **loud("nil")),
        ],
        Context(),
        {"again"},
    ),
    "of one error that was over each time the first is told": (
        [
            firing("once", "shop", "http_5xx_rate", 10, sev=2, healed_after_seconds=60.0, **HIGH, **loud("nil")),
            firing("again", "shop", "http_5xx_rate", 30, sev=2, healed_after_seconds=60.0, **HIGH, **loud("nil")),
        ],
        Context(),
        {"once"},
    ),
    "a service whose lines begin with its own name complains of nobody": (
        [
            firing("br", "pay-br", "error_rate", 10, sev=4, **HIGH, **loud("a", "pay-br: card declined")),
            firing("pay", "pay", "http_5xx_rate", 12, sev=2, **HIGH, **loud("b", "nil pointer dereference")),
        ],
        Context(),
        {"br", "pay"},
    ),
    "packets that a switch loses and the broken connections are one network fault": (
        [
            firing("switch", "tor-7", "packet_loss_pct", 10, sev=2, value=20.0, threshold=1.0, **loud("a", "flapping")),
            firing("shop", "shop", "error_rate", 11, sev=1, **HIGH, **loud("b", "no route to host")),
        ],
        Context(),
        {"switch"},
    ),
    "packets that a switch loses are not why a pointer is nil": (
        [
            firing("switch", "tor-7", "packet_loss_pct", 10, sev=2, value=20.0, threshold=1.0, **loud("a", "flapping")),
            firing("shop", "shop", "error_rate", 11, sev=1, **HIGH, **loud("b", "nil pointer dereference")),
        ],
        Context(),
        {"switch", "shop"},
    ),
    "what a probe sees from outside joins the errors that it sees": (
        [
            firing("probe", "pay", "synthetic_check_failed", 10, sev=1, value=1.0, threshold=0.0, **loud("check")),
            firing("errors", "pay", "http_5xx_rate", 10.8, sev=2, **HIGH, **loud("pool")),
            firing("score", "pay", "apdex", 12, sev=3, value=0.2, threshold=0.7, **loud("browser")),
        ],
        Context(),
        {"errors"},
    ),
    "what a probe sees joins what the errors that it sees are a symptom of": (
        [
            firing("db", "db-main", "io_stall_s", 10, sev=2, value=30.0, threshold=5.0, **loud("stall")),
            firing("errors", "pay", "http_5xx_rate", 10.8, sev=1, **HIGH, **loud("504", "db-main did not answer")),
            firing("probe", "pay", "synthetic_check_failed", 11, sev=1, value=1.0, threshold=0.0, **loud("check")),
        ],
        Context(),
        {"db"},
    ),
    "what a probe sees of one service joins no errors of another": (
        [
            firing("probe", "pay", "synthetic_check_failed", 10, sev=2, value=1.0, threshold=0.0, **loud("check")),
            firing("errors", "mail", "http_5xx_rate", 10.8, sev=2, **HIGH, **loud("pool")),
        ],
        Context(),
        {"probe", "errors"},
    ),
    "a full disk is not what a probe sees": (
        [
            firing("probe", "pay", "synthetic_check_failed", 10, sev=2, value=1.0, threshold=0.0, **loud("check")),
            firing("disk", "pay", "disk_usage_pct", 10.8, sev=2, value=99.0, threshold=90.0, **loud("rotate")),
        ],
        Context(),
        {"probe", "disk"},
    ),
    "one error of one service is told once within the hour, by whichever metric": (
        [
            firing("lag", "mail", "queue_depth", 10, sev=2, value=9000.0, threshold=100.0, **loud("stuck")),
            firing("age", "mail", "oldest_message_s", 50, sev=2, value=9000.0, threshold=100.0, **loud("stuck")),
        ],
        Context(),
        {"lag"},
    ),
    "what fired before people opened the incident about its error is known to them": (
        [firing("a", "cart", "error_rate", 4, [(3, 0.01), (4, 0.4), (20, 0.4)], sev=1, **HIGH, **loud("nil"))],
        _open(),
        set(),
    ),
    "what people wrote about in the incident is known to them": (
        [firing("a", "cart", "error_rate", 20, [(3, 0.01), (20, 0.4), (30, 0.4)], sev=1, **HIGH, **loud("nil"))],
        _open(summary="Expect errors in cart until it is back."),
        set(),
    ),
    "what complains of a service whose trouble is owned joins that incident, with its symptoms": (
        [
            firing("shop", "shop", "error_rate", 10, sev=2, **HIGH, **loud("nil")),
            firing("cart", "cart", "p99_latency_ms", 12, sev=2, **HIGH, **loud("slow", "waiting for shop, 12 s")),
            firing("web", "web", "http_5xx_rate", 13, sev=2, **HIGH, **loud("slow", "waiting for shop, 12 s")),
        ],
        _open(),
        set(),
    ),
    "a caller with an error of its own does not join the incident that another service owns": (
        [
            firing("shop", "shop", "error_rate", 10, sev=2, **HIGH, **loud("nil")),
            firing("cart", "cart", "error_rate", 12, sev=2, **HIGH, **loud("key", "idempotency key not found")),
        ],
        Context(incidents=(TAKEN,), edges=calls(("mail", "shop"))),
        {"cart"},
    ),
    "what complains of a service that is well again is told": (
        [
            firing("shop", "shop", "error_rate", 10, sev=2, healed_after_seconds=30.0, **HIGH, **loud("nil")),
            firing("cart", "cart", "p99_latency_ms", 12, sev=2, **HIGH, **loud("slow", "waiting for shop, 12 s")),
        ],
        _open(),
        {"cart"},
    ),
    "who is hurt badly by what is owned is told, as those on it may not know": (
        [
            firing("shop", "shop", "error_rate", 10, sev=2, **HIGH, **loud("nil")),
            firing("pay", "pay", "http_5xx_rate", 12, sev=1, **HIGH, **loud("slow", "waiting for shop, 12 s")),
        ],
        _open(),
        {"pay"},
    ),
    "another service that is hurt badly since then is told": (
        [firing("a", "cart", "error_rate", 20, [(3, 0.01), (20, 0.4), (30, 0.4)], sev=1, **HIGH, **loud("nil"))],
        _open(),
        {"a"},
    ),
    "what fired twice without an end between is over when its metric is": (
        [
            firing("one", "db", "io_wait_pct", 10, DUMP, sev=2, value=60.0, threshold=40.0, **quiet("dump")),
            firing("two", "db", "io_wait_pct", 35, DUMP, sev=2, value=47.0, threshold=40.0, **quiet("dump")),
        ],
        Context(),
        set(),
    ),
    "what an incident owns wakes nobody": (
        [firing("a", "shop", "error_rate", 10, [(5, 0.2), (10, 0.3), (20, 0.4)], sev=2, **HIGH, **loud("nil"))],
        _open(),
        set(),
    ),
    "a resolved incident owns nothing": (
        [firing("a", "shop", "error_rate", 10, sev=2, **HIGH, **loud("nil"))],
        _open(status="resolved"),
        {"a"},
    ),
    "an incident that nobody took owns nothing": (
        [firing("a", "shop", "error_rate", 10, sev=2, **HIGH, **loud("nil"))],
        _open(owner=None, status="triggered"),
        {"a"},
    ),
    "an incident about another error of the service owns nothing": (
        [firing("a", "shop", "error_rate", 10, sev=2, **HIGH, **loud("pool"))],
        _open(),
        {"a"},
    ),
    "an incident about another metric of the service owns nothing": (
        [firing("a", "shop", "disk_usage_pct", 10, sev=2, value=97.0, threshold=90.0)],
        _open(signature=None),
        {"a"},
    ),
    "what was thought mended and rises again is told": (
        [firing("a", "shop", "error_rate", 20, [(10, 0.02), (20, 0.2), (30, 0.3)], sev=2, **HIGH, **loud("nil"))],
        _open(status="monitoring"),
        {"a"},
    ),
    "what has grown many times since somebody took it is told": (
        [
            firing(
                "a",
                "shop",
                "error_rate",
                4,
                [(4, 0.06), (10, 0.3), (20, 0.6)],
                sev=2,
                value=0.06,
                threshold=0.05,
                **loud("nil"),
            )
        ],
        _open(),
        {"a"},
    ),
    "what is two steps more severe than what somebody took is told": (
        [firing("a", "shop", "error_rate", 10, [(5, 0.2), (10, 0.3), (20, 0.4)], sev=1, **HIGH, **loud("nil"))],
        _open(severity=Severity.SEV3),
        {"a"},
    ),
    "maintenance covers what heals in its scope": (
        [
            firing(
                "a",
                "shop",
                "http_5xx_rate",
                10,
                [(10, 0.4), (14, 0.01)],
                sev=2,
                healed_after_seconds=120.0,
                **HIGH,
                **quiet("drain", 2.0),
            )
        ],
        Context(windows=(WINDOW,)),
        set(),
    ),
    "maintenance covers the errors that it announced": (
        [
            firing(
                "a",
                "shop",
                "error_rate",
                10,
                [(10, 0.4), (14, 0.4), (20, 0.4)],
                sev=2,
                **HIGH,
                signature="read-only",
                signature_is_bad=False,
            )
        ],
        Context(windows=(WINDOW,)),
        set(),
    ),
    "maintenance does not cover another service": (
        [firing("a", "edge", "http_5xx_rate", 10, sev=2, **HIGH, **loud("origin"))],
        Context(windows=(WINDOW,)),
        {"a"},
    ),
    "maintenance does not cover another error in its scope that grows": (
        [
            firing(
                "a",
                "db",
                "replication_lag_s",
                10,
                [(5, 2), (10, 100), (20, 300), (30, 500)],
                sev=2,
                value=100.0,
                threshold=30.0,
                **loud("stalled"),
            )
        ],
        Context(windows=(WINDOW,)),
        {"a"},
    ),
    "maintenance does not cover what outlives it": (
        [firing("a", "shop", "http_5xx_rate", 110, [(110, 0.4), (125, 0.4), (130, 0.41)], sev=2, **HIGH)],
        Context(windows=(WINDOW,)),
        {"a"},
    ),
    "maintenance does not cover what began before it": (
        [firing("a", "shop", "http_5xx_rate", 10, [(10, 0.4), (25, 0.4), (30, 0.41)], sev=2, **HIGH)],
        Context(windows=(QuietWindow("late", 15 * 60.0, 60 * 60.0, frozenset({"shop"})),)),
        {"a"},
    ),
    "where it is a toss-up which of two services began it, both are told": (
        [
            firing("slo", "shop-slo", "error_budget_burn_rate", 10, value=16.0, threshold=14.4, **loud("rule")),
            firing("shop", "shop", "http_5xx_rate", 10.4, sev=2, **HIGH, **loud("rule")),
            firing("cart", "cart", "error_rate", 12.4, **HIGH, **loud("rule")),
        ],
        Context(),
        {"slo", "shop"},
    ),
    "of two faces of one service one is told, though it is a toss-up": (
        [
            firing("a", "shop", "error_rate", 10, sev=3, **HIGH, **loud("rule")),
            firing("b", "shop", "http_5xx_rate", 10.3, sev=2, **HIGH, **loud("rule")),
        ],
        Context(),
        {"a"},
    ),
    "of an alert that came again and stays, the time that stays is told, though no sample shows it gone between": (
        [
            firing("a", "shop", "p99_latency_ms", 10, SLOWER, **SLOW, healed_after_seconds=240.0, **loud("pool")),
            firing("b", "shop", "p99_latency_ms", 40, SLOWER, **SLOW, **loud("pool")),
        ],
        Context(),
        {"b"},
    ),
    "an alert that is said to be over but is not is told, if it did not come again": (
        [firing("a", "shop", "p99_latency_ms", 10, SLOWER, **SLOW, healed_after_seconds=240.0, **loud("pool"))],
        Context(),
        {"a"},
    ),
}


@pytest.mark.parametrize("name", STORMS)
def test_exactly_those_are_told(name: str) -> None:
    firings, context, expected = STORMS[name]
    assert woken(firings, context, minute=135.0 if "outlives" in name else 60.0) == expected, name


def test_a_symptom_names_what_it_joins() -> None:
    firings, context, _ = STORMS["of those that log one error the first is told"]
    found = judged(firings, context)
    assert found["cart"].joins == "db"
    assert found["cart"].reason == "It is part of connection_errors of db, which began 2 minutes earlier."


def test_what_is_owned_names_who_is_on_it() -> None:
    firings, context, _ = STORMS["what an incident owns wakes nobody"]
    found = judged(firings, context)["a"]
    assert (found.decision, found.joins, found.rule) == (Decision.RECORD, "INC-1", "owned")


def test_what_goes_on_waits_for_the_digest_and_what_is_over_is_recorded() -> None:
    over = firing("over", "shop", "cpu_pct", 10, value=91.0, threshold=90.0, healed_after_seconds=30.0, **quiet("gc"))
    on = firing("on", "edge", "tls_cert_expiry_days", 10, value=21.0, threshold=30.0)
    found = judged([over, on])
    assert (found["over"].decision, found["on"].decision) == (Decision.RECORD, Decision.DIGEST)
    assert found["over"].reason == "It ended by itself after 30 s; its log pattern is a usual one."


def test_what_comes_later_than_now_is_not_looked_at() -> None:
    course = [(10.0, 0.3), (11.0, 0.01), (40.0, 0.5), (50.0, 0.6)]
    one = firing(
        "a", "shop", "error_rate", 10, course, value=0.3, threshold=0.05, healed_after_seconds=40.0, **quiet("x")
    )
    assert woken([one], minute=20.0) == set()
    assert woken([one], minute=60.0) == {"a"}


def test_a_usual_line_that_many_services_write_ties_nothing() -> None:
    firings = [
        firing("mail", "mail", "error_rate", 10, sev=2, **HIGH, **quiet("gc")),
        firing("shop", "shop", "error_rate", 11, sev=2, **HIGH, **quiet("gc")),
    ]
    assert woken(firings) == {"mail", "shop"}


def test_a_usual_line_is_owned_by_no_incident_of_another_service() -> None:
    one = firing("a", "db", "disk_usage_pct", 10, sev=2, value=97.0, threshold=90.0, **quiet("rotate"))
    incident = OpenIncident("INC-1", "logs", "disk_usage_pct", "rotate", "", "kim", "investigating", 0.0)
    assert woken([one], Context(incidents=(incident,))) == {"a"}


def test_an_old_incident_whose_metric_was_fine_in_between_owns_nothing() -> None:
    course = [(10.0, 0.3), (40.0, 0.01), (60.0, 0.01), (90.0, 0.4), (95.0, 0.4)]
    one = firing("a", "shop", "error_rate", 90, course, sev=2, **HIGH)
    incident = OpenIncident("INC-1", "shop", "error_rate", None, "", "kim", "investigating", 600.0)
    assert woken([one], Context(incidents=(incident,)), minute=95.0) == {"a"}


def test_a_chain_of_likenesses_does_not_hide_what_is_most_severe() -> None:
    firings = [
        firing("db", "db-main", "connection_errors", 10, sev=1, **HIGH, **loud("a", "too many connections")),
        firing("cart", "cart", "error_rate", 11, sev=2, **HIGH, **loud("b", "db-main refused, then mailer failed")),
        firing("mail", "mailer", "login_failure_rate", 11, sev=1, **HIGH, **loud("c", "token revoked")),
    ]
    assert woken(firings) == {"db", "mail"}


def test_two_faces_of_one_fault_in_a_service_are_told_once() -> None:
    firings = [
        firing("disk", "db", "disk_usage_pct", 10, sev=1, value=99.0, threshold=90.0, **loud("a", "disk full")),
        firing("errors", "db", "error_rate", 11, sev=2, **HIGH, **loud("b", "write failed: no space left on device")),
    ]
    assert woken(firings) == {"disk"}


def test_a_flapper_that_is_over_at_this_moment_is_a_flapper_still() -> None:
    course = [(10.0, 85.4), (11.0, 82.0), (30.0, 85.6), (31.0, 82.0), (50.0, 85.5)]
    fields: dict[str, Any] = {"value": 85.4, "threshold": 85.0, "fired_last_hour": 14, "healed_after_seconds": 20.0}
    assert woken([firing("a", "logs", "disk_usage_pct", 10, course, **fields, **quiet("rotate"))]) == set()
    worse = [*course[:-1], (50.0, 88.0)]
    assert woken([firing("a", "logs", "disk_usage_pct", 10, worse, **fields, **quiet("rotate"))]) == {"a"}


def test_a_cascade_of_timeouts_each_naming_the_next_is_told_once() -> None:
    firings = [
        firing("db", "pay-db", "query_latency_ms", 10, sev=2, value=900.0, threshold=50.0, **loud("a", "lock wait")),
        firing("pay", "pay", "error_rate", 11, sev=2, **HIGH, **loud("b", "pay-db timed out after 3s")),
        firing("shop", "shop", "error_rate", 12, sev=2, **HIGH, **loud("c", "deadline exceeded calling pay")),
        firing("web", "web", "http_5xx_rate", 13, sev=1, **HIGH, **loud("d", "shop returned 504 gateway timeout")),
    ]
    assert len(woken(firings)) == 1
