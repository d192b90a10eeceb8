"""What surrounds the services: the network, the node that they share, the job that runs at its hour."""

from __future__ import annotations

import pytest

from detection.chain import LineGroup
from detection.types import OrchestratorEvent
from tests.unit.workers.diagnosis.scenery import (
    END,
    HOUR,
    MINUTE,
    ONSET,
    START,
    K,
    calls,
    event,
    line,
    observed,
    on_node,
    sign,
    weights_of,
)
from workers.diagnosis import weights
from workers.diagnosis.causes.kinds import network, node, scheduled_job
from workers.diagnosis.scene.model import Scene

NODE = [on_node("cart", "node-7"), on_node("search", "node-7"), on_node("orders", "node-8")]


def test_names_that_do_not_resolve_in_several_parts_are_found() -> None:
    signs = [sign(part, K.NAME_LOOKUP, text="no such host", source="log") for part in ("checkout", "cart")]
    (found,) = network.suspects(observed(signs=signs, victims=["cart"]))

    assert found.hypothesis.cause == "name_lookup"
    assert weights_of(found) == {"network_signs": weights.NETWORK_IN_SEVERAL}


def test_names_of_several_hosts_that_fail_speak_against_a_typing_error() -> None:
    text = "dial tcp: lookup {} on 10.0.0.10:53: i/o timeout"
    signs = [
        sign("checkout", K.NAME_LOOKUP, text=text.format("billing.prod.svc"), source="log"),
        sign("checkout", K.NETWORK, text=text.format("billing.prod.svc"), source="log"),
        sign("cart", K.NAME_LOOKUP, text=text.format("stock.prod.svc"), source="log"),
    ]
    (found,) = network.suspects(observed(signs=signs, victims=["cart"]))

    assert found.hypothesis.cause == "name_lookup"
    assert weights_of(found)["names_that_fail"] == weights.SEVERAL_NAMES_FAIL


def test_names_that_do_not_resolve_may_be_the_main_trouble_of_one_part() -> None:
    lookup = "dial tcp: lookup stock.svc on 10.0.0.10:53: server misbehaving"
    signs = [sign("checkout", K.NAME_LOOKUP, text=lookup, source="log")]
    (mostly,) = network.suspects(observed(signs=signs, lines=[line("checkout", lookup, count=90)]))
    few = [line("checkout", lookup, count=9), line("checkout", "panic: nil map", count=900)]
    (seldom,) = network.suspects(observed(signs=signs, lines=few))

    assert weights_of(mostly)["network_signs"] == weights.NO_WAY_MOSTLY
    assert weights_of(seldom)["network_signs"] == weights.NETWORK_IN_ONE


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("dial tcp 10.2.3.4:8443: connect: no route to host", weights.NO_WAY_MOSTLY),
        ("read tcp 10.1.1.1:443: connection reset by peer", weights.NETWORK_IN_ONE),
    ],
)
def test_where_no_way_leads_it_is_the_network_and_a_reset_may_be_the_other_parts_doing(
    text: str, weight: float
) -> None:
    signs = [sign("checkout", K.NETWORK, text=text, source="log")]
    (found,) = network.suspects(observed(signs=signs, lines=[line("checkout", text, count=90)]))

    assert weights_of(found)["network_signs"] == weight


def test_one_name_that_does_not_resolve_may_be_a_typing_error() -> None:
    signs = [
        sign(part, K.NAME_LOOKUP, text="getaddrinfo ENOTFOUND biling.prod.svc", source="log")
        for part in ("checkout", "cart")
    ]
    (found,) = network.suspects(observed(signs=signs, victims=["cart"]))

    assert "names_that_fail" not in weights_of(found)


def test_a_network_that_drops_packets_for_one_part_says_less() -> None:
    (found,) = network.suspects(observed(signs=[sign("checkout", K.NETWORK, text="packet loss")]))

    assert (found.hypothesis.cause, weights_of(found)["network_signs"]) == ("network", weights.NETWORK_IN_ONE)


def test_connections_reset_long_after_it_began_are_a_consequence_and_no_cause() -> None:
    late = sign("checkout", K.NETWORK, at=ONSET + 20 * MINUTE, text="connection reset by peer")

    assert not list(network.suspects(observed(signs=[sign("checkout", K.MEMORY), late])))


def test_a_network_that_fails_for_a_part_of_no_concern_is_no_cause() -> None:
    signs = [sign("checkout", K.ERRORS), sign("mailer", K.NAME_LOOKUP, text="no such host")]

    assert not list(network.suspects(observed(signs=signs)))


def test_a_node_under_pressure_is_found_by_its_events_its_place_in_the_chain_and_what_runs_on_it() -> None:
    signs = [sign("node-7", K.MEMORY), sign("cart", K.LATENCY), sign("search", K.LATENCY)]
    told = [event("NodeHasMemoryPressure", "node-7 has memory pressure", node="node-7")]
    (found,) = node.suspects(
        observed(signs=signs, origin="node-7", victims=["cart", "search"], places=NODE, events=told)
    )

    assert found.hypothesis.key == "node:node-7"
    assert weights_of(found) == {
        "node_events": weights.NODE_EVENTS,
        "failed_first": weights.FAILED_FIRST,
        "same_node": weights.SAME_NODE_ALIKE,
    }


def test_a_node_that_a_guest_used_up_is_less_likely_why() -> None:
    signs = [sign("cart", K.MEMORY), sign("node-7", K.MEMORY), sign("search", K.LATENCY)]
    told = [event("NodeHasMemoryPressure", "node-7 has memory pressure", node="node-7")]
    (found,) = node.suspects(observed(signs=signs, origin="node-7", victims=["search"], places=NODE, events=told))

    assert weights_of(found)["guest"] == weights.NODE_USED_UP_BY_A_GUEST


@pytest.mark.parametrize(
    ("part", "kind", "at"),
    [
        ("orders", K.MEMORY, ONSET),
        ("cart", K.LATENCY, ONSET),
        ("cart", K.MEMORY, ONSET + 10 * MINUTE),
    ],
)
def test_what_runs_elsewhere_shows_something_else_or_comes_later_used_up_no_node(part: str, kind: K, at: float) -> None:
    signs = [sign("node-7", K.MEMORY), sign(part, kind, at=at), sign("search", K.LATENCY)]
    told = [event("NodeHasMemoryPressure", "node-7 has memory pressure", node="node-7")]
    (found,) = node.suspects(observed(signs=signs, origin="node-7", victims=["search"], places=NODE, events=told))

    assert "guest" not in weights_of(found)


def test_services_that_call_one_another_suffer_together_on_any_node() -> None:
    signs = [sign("cart", K.LATENCY), sign("search", K.LATENCY)]
    scene = observed(signs=signs, origin="cart", victims=["search"], places=NODE, edges=[calls("search", "cart")])

    assert not list(node.suspects(scene))


def test_a_node_is_not_blamed_where_those_elsewhere_that_need_nothing_of_it_suffer_too() -> None:
    hurt = ["cart", "search", "orders"]
    signs = [sign(part, K.LATENCY) for part in hurt]

    assert not list(node.suspects(observed(signs=signs, origin="frontend", victims=hurt, places=NODE)))
    dragged = observed(signs=signs, origin="node-7", victims=hurt, places=NODE, edges=[calls("orders", "cart")])
    assert weights_of(*node.suspects(dragged))["same_node"] == weights.SAME_NODE_ALIKE


@pytest.mark.parametrize(
    "told",
    [
        event("NodeHasMemoryPressure", "node-9 has memory pressure", node="node-9"),
        event("NodeHasMemoryPressure", "node-7 has memory pressure", node="node-7", at=ONSET - 3 * HOUR),
        event("Pulled", "image pulled on node-7", node="node-7"),
        event("Unhealthy", "probe answered: node-7 is not ready, evicting all pods", node="node-7"),
        event("Scheduled", "cart was assigned to node-7", node="node-7"),
        event("NodeReady", "node-7 status is now: NodeReady", node="node-7"),
    ],
)
def test_events_of_another_node_of_another_time_or_of_every_day_blame_no_node(told: OrchestratorEvent) -> None:
    scene = observed(signs=[sign("cart", K.ERRORS)], origin="cart", alerted=["cart"], places=NODE, events=[told])

    assert not list(node.suspects(scene))


def test_a_job_that_begins_with_the_trouble_is_found() -> None:
    began = line("checkout-db", "nightly vacuum started on orders", at=ONSET - MINUTE, bad=False)
    scene = observed(signs=[sign("checkout-db", K.LOCKS)], origin="checkout-db", lines=[began])
    (found,) = scheduled_job.suspects(scene)

    assert weights_of(found) == {"job_began": weights.JOB_AT_ONSET}


def test_a_job_that_works_on_the_store_that_failed_is_found() -> None:
    began = line("reporting", "hourly export: starting", at=ONSET - MINUTE, bad=False)
    scene = observed(
        signs=[sign("orders-db", K.CPU)], origin="orders-db", lines=[began], edges=[calls("reporting", "orders-db")]
    )

    assert weights_of(*scheduled_job.suspects(scene)) == {"job_began": weights.JOB_AT_ONSET}


def test_two_jobs_that_begin_together_say_more_than_one() -> None:
    lines = [
        line("checkout-db", "scheduled backup started", at=ONSET - MINUTE, bad=False),
        line("reporting", "nightly export started", at=ONSET - MINUTE, bad=False),
    ]
    scene = observed(signs=[sign("checkout-db", K.DISK)], origin="checkout-db", lines=lines)

    assert weights_of(*scheduled_job.suspects(scene)) == {
        "job_began": weights.JOB_AT_ONSET,
        "jobs_at_once": weights.JOBS_AT_ONCE,
    }


def test_the_orchestrator_tells_of_a_cron_job_too() -> None:
    told = event("SuccessfulCreate", "Created job checkout-backup", name="cronjob/checkout-backup", at=ONSET - MINUTE)

    assert [item.hypothesis.cause for item in scheduled_job.suspects(observed(events=[told]))] == ["scheduled_job"]


def test_an_event_whose_message_alone_speaks_of_a_job_tells_of_none() -> None:
    told = event("Unhealthy", "probe answered: nightly backup started", name="pod/checkout-7f9c", at=ONSET - MINUTE)

    assert not list(scheduled_job.suspects(observed(signs=[sign("checkout", K.ERRORS)], events=[told])))


def test_a_job_of_another_part_is_doubted() -> None:
    began = line("reporting", "nightly export started", at=ONSET - MINUTE, bad=False)

    (found,) = scheduled_job.suspects(observed(signs=[sign("checkout", K.ERRORS)], lines=[began]))
    assert weights_of(found)["job_began"] < 0


@pytest.mark.parametrize("at", [ONSET - HOUR, ONSET + 10 * MINUTE])
def test_a_job_an_hour_before_or_after_the_onset_is_no_cause(at: float) -> None:
    began = line("checkout", "nightly export started", at=at, bad=False)

    assert not list(scheduled_job.suspects(observed(signs=[sign("checkout", K.ERRORS)], lines=[began])))


@pytest.mark.parametrize(
    "text",
    [
        "server started on port 8080",
        "import of module checkout.pay failed",
        "request batch of 3 items accepted",
        "cron expression is invalid",
        "Batch span processor: exporter is not running",
    ],
)
def test_lines_of_every_day_are_no_job(text: str) -> None:
    said = line("checkout", text, at=ONSET - MINUTE)

    assert not list(scheduled_job.suspects(observed(signs=[sign("checkout", K.ERRORS)], lines=[said])))


def _only_once(began: LineGroup) -> Scene:
    return Scene(START, END, ("checkout",), ONSET, faint=(began,))


def test_a_line_that_a_job_began_is_nothing_where_nothing_else_shows_its_work() -> None:
    began = line("checkout", "nightly export started", at=ONSET - MINUTE, bad=False)
    said = sign("checkout", K.ERRORS, text="export failed", source="log")

    assert not list(scheduled_job.suspects(observed(signs=[said], more=_only_once(began))))


def test_the_one_line_of_a_job_is_enough_where_its_store_shows_its_work() -> None:
    began = line("reporting", "hourly export: starting", count=1, at=ONSET - MINUTE, bad=False)
    scene = observed(
        signs=[sign("orders-db", K.CPU)],
        origin="orders-db",
        more=_only_once(began),
        edges=[calls("reporting", "orders-db")],
    )

    assert weights_of(*scheduled_job.suspects(scene)) == {"job_began": weights.JOB_AT_ONSET}
