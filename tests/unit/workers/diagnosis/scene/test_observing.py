"""What follows from a scene: signs, the part that failed first, the onset, and who is concerned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detection.types import EdgeKind
from tests.unit.workers.diagnosis.scenery import (
    END,
    HOUR,
    MINUTE,
    ONSET,
    START,
    K,
    calls,
    course,
    deploy,
    described,
    event,
    line,
    observed,
    on_node,
    sign,
)
from workers.diagnosis.scene.model import Scene
from workers.diagnosis.scene.observing import observe, parts_of, places_of
from workers.diagnosis.scene.reading import alerted
from workers.diagnosis.source_states import SERVICE_MAP, Source, SourceState

MAP = (calls("storefront", "checkout"), calls("checkout", "checkout-db", EdgeKind.STORES))
CALM = Scene(START, END, ("storefront",), ONSET + 5 * MINUTE, edges=MAP)
HURT = replace(
    CALM,
    courses=(
        course("checkout-db", "connections_used", 20, 100),
        course("checkout", "latency_p95_ms", 100, 900, since=ONSET + MINUTE),
        course("storefront", "latency_p95_ms", 150, 950, since=ONSET + 2 * MINUTE),
        course("search", "latency_p95_ms", 50, 50),
    ),
)


def test_the_callee_that_left_its_course_first_is_the_origin_and_its_callers_are_victims() -> None:
    found = observe(HURT, described("storefront"))

    assert found.chain.origin == "checkout-db"
    assert set(found.chain.victims) == {"checkout", "storefront"}
    assert found.involved() == {"checkout-db", "checkout", "storefront"}


def test_the_onset_is_that_of_the_origin() -> None:
    earliest, latest = observe(HURT, described("storefront")).onset

    assert earliest <= ONSET
    assert abs(latest - ONSET) <= 2 * MINUTE


def test_a_scene_without_trouble_has_no_signs_no_victims_and_the_onset_that_was_described() -> None:
    found = observe(CALM, described("storefront"))

    assert (found.signs, found.chain.victims, found.onset) == ((), (), (ONSET - MINUTE, ONSET))


def test_lines_that_always_come_and_steady_metrics_are_no_signs() -> None:
    steady = replace(
        CALM,
        lines=(line("checkout", "timeout calling x", count=50, usual=48),),
        courses=(course("checkout", "latency_p95_ms", 100, 100),),
    )

    assert not observe(steady, described("storefront")).signs


def test_new_error_lines_and_events_are_signs_too() -> None:
    told = event("OOMKilling", "Killed process 7", name="pod/checkout-7f9c", at=ONSET)
    scene = replace(CALM, lines=(line("checkout", "deadlock detected"),), events=(told,))

    assert {"log", "event"} <= {item.source for item in observe(scene, described("storefront")).signs}


def test_everything_with_a_name_is_a_part() -> None:
    scene = replace(
        HURT,
        lines=(line("mailer", "x"),),
        places=(on_node("cart", "node-7"),),
        deploys=(deploy("orders", "abcdef1"),),
        events=(event("Killing", "x", node="node-8"),),
    )

    assert parts_of(scene) >= {"storefront", "checkout-db", "search", "mailer", "cart", "node-7", "orders", "node-8"}


def test_events_of_pods_tell_where_services_run() -> None:
    told = [
        event("Scheduled", "x", node="node-7", name="pod/checkout-7f9c"),
        event("Scheduled", "x", name="pod/search-7f9c"),
    ]
    found = places_of(told, frozenset(("checkout", "search")))

    assert [(place.service, place.node) for place in found] == [("checkout", "node-7")]


def test_the_first_signs_of_a_part_are_those_that_began_with_its_first_one() -> None:
    signs = [
        sign("checkout", K.MEMORY),
        sign("checkout", K.LATENCY, at=ONSET + MINUTE),
        sign("checkout", K.CRASH, at=ONSET + 10 * MINUTE),
    ]
    scene = observed(signs=signs)

    assert scene.first_kinds("checkout") == {K.MEMORY, K.LATENCY}
    assert scene.first_kinds("search") == frozenset()


def test_a_user_of_the_store_that_ran_out_holds_it_if_it_took_more_before() -> None:
    signs = [
        sign("checkout-db", K.CONNECTIONS),
        sign("reporting", K.CONNECTIONS, at=ONSET - MINUTE),
        sign("checkout", K.CONNECTIONS, at=ONSET + 5 * MINUTE),
        sign("search", K.TRAFFIC, at=ONSET - MINUTE),
    ]
    edges = [*MAP, calls("reporting", "checkout-db", EdgeKind.STORES)]
    scene = observed(signs=signs, origin="checkout-db", edges=edges)

    assert scene.holders() == {"reporting"}


def test_without_an_origin_nobody_holds_anything() -> None:
    assert observed(signs=[sign("checkout", K.ERRORS)], origin=None).holders() == frozenset()


def test_near_is_what_depends_on_a_part_of_the_incident_or_is_used_by_one() -> None:
    scene = observed(signs=[sign("checkout", K.ERRORS)], edges=[*MAP, calls("search", "index")])

    assert all(scene.is_near(part) for part in ("checkout", "storefront", "checkout-db"))
    assert not scene.is_near("search")
    assert not scene.is_near("index")


def test_near_is_what_runs_on_the_node_that_failed() -> None:
    places = [on_node("cart", "node-7"), on_node("search", "node-8")]
    scene = observed(signs=[sign("node-7", K.MEMORY)], origin="node-7", places=places)

    assert (scene.is_near("cart"), scene.is_near("search")) == (True, False)


def test_the_services_of_the_incident_are_alerted_each_once() -> None:
    assert alerted(described("checkout", "storefront", "checkout")) == ("checkout", "storefront")


def test_signs_of_another_hour_are_not_of_this_incident() -> None:
    over = course("checkout", "latency_p95_ms", 100, 100)
    bump = (over.times > ONSET - 50 * MINUTE) & (over.times < ONSET - 40 * MINUTE)
    over = replace(over, values=over.values + 800 * bump)

    assert not observe(replace(CALM, courses=(over,), alerted_at=ONSET + HOUR / 3), described("storefront")).signs


@pytest.mark.parametrize(
    "said", ["x509: certificate has expired", "no space left on device", "timeout calling cart-db"]
)
def test_a_handful_of_lines_changes_nothing_that_was_observed(said: str) -> None:
    usual = line("storefront", "GET / 200", count=400, usual=400, bad=False)
    few = line("storefront", said, count=5)
    without, seen = (observe(replace(HURT, lines=lines), described("storefront")) for lines in ((usual,), (usual, few)))

    assert (seen.signs, seen.chain, seen.kinds, seen.onset) == (
        without.signs,
        without.chain,
        without.kinds,
        without.onset,
    )
    assert (seen.scene.lines, seen.scene.faint) == ((usual,), (few,))


def test_where_nobody_told_who_depends_on_whom_every_part_may_be_concerned() -> None:
    without_map = replace(HURT, edges=(), sources=(Source(SERVICE_MAP, SourceState.EMPTY),))
    with_map = replace(HURT, sources=(Source(SERVICE_MAP, SourceState.DATA),))

    assert observe(without_map, described("storefront")).is_concerned("mailer")
    assert not observe(with_map, described("storefront")).is_concerned("mailer")
