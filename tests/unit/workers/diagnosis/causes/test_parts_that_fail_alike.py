"""Parts that fail in the same way at the same time speak for what they share, and against a change in one of them."""

from __future__ import annotations

from dataclasses import replace

from detection.chain import Sign
from integrations.text import ours
from tests.unit.workers.diagnosis.scenery import (
    END,
    HOUR,
    MINUTE,
    ONSET,
    START,
    K,
    calls,
    commit,
    deploy,
    observed,
    on_node,
    sign,
    weight,
    weights_of,
)
from workers.diagnosis import weights
from workers.diagnosis.causes.alike import fail_alike
from workers.diagnosis.causes.by_change.changes import check_change, judge_commits
from workers.diagnosis.causes.by_change.fit import fit
from workers.diagnosis.causes.kinds import node
from workers.diagnosis.changes import read_change
from workers.diagnosis.model import Evidence
from workers.diagnosis.scene.model import Observed, Scene

NO_SPACE = "write /var/data: no space left on device"
NAME = ours("deploy 1")


def full(part: str, *, at: float = ONSET) -> Sign:
    return sign(part, K.DISK, at=at, text=NO_SPACE, source="log")


def refused(part: str, *, at: float = ONSET) -> Sign:
    return sign(part, K.AUTHENTICATION, at=at, text="token rejected", source="log")


def evidence_of_a_change(scene: Observed) -> list[Evidence]:
    judged = judge_commits([commit("checkout/store.py", "-    f.write(a)\n+    wal.append(a)")], "checkout", scene)
    return check_change("deploy:1", NAME, judged, ["checkout"], ONSET - 2 * MINUTE, scene)


def test_full_disks_in_several_services_at_once_speak_against_a_change_in_one() -> None:
    found = evidence_of_a_change(observed(signs=[full("checkout"), full("search"), full("thumbs")]))

    assert weight(found, "others_alike") == weights.OTHERS_FAIL_ALIKE


def test_one_other_service_that_fails_alike_says_less() -> None:
    found = evidence_of_a_change(observed(signs=[full("checkout"), full("search")]))

    assert weight(found, "others_alike") == weights.ANOTHER_FAILS_ALIKE


def test_callers_that_repeat_a_refusal_do_not_fail_alike() -> None:
    signs = [refused("checkout"), refused("storefront"), refused("app")]
    scene = observed(signs=signs, edges=[calls("storefront", "checkout"), calls("app", "storefront")])

    assert fail_alike("checkout", scene) == {}


def test_services_apart_that_refuse_at_once_fail_alike() -> None:
    scene = observed(signs=[refused("checkout"), refused("reports")], edges=[calls("storefront", "checkout")])

    assert fail_alike("checkout", scene) == {K.AUTHENTICATION: frozenset({"reports"})}


def test_a_line_that_blames_the_part_tells_of_its_failure_and_not_of_another() -> None:
    told = replace(refused("reports"), blames=frozenset({"checkout"}))

    assert fail_alike("checkout", observed(signs=[refused("checkout"), told])) == {}


def test_what_failed_long_before_does_not_fail_at_the_same_time() -> None:
    assert fail_alike("checkout", observed(signs=[full("checkout"), full("search", at=ONSET - HOUR)])) == {}


def test_errors_and_latency_that_any_failure_shows_are_not_alike() -> None:
    signs = [sign(part, kind) for part in ("checkout", "search") for kind in (K.ERRORS, K.LATENCY)]

    assert fail_alike("checkout", observed(signs=signs)) == {}


def test_a_service_with_a_deploy_of_its_own_at_that_time_is_not_held_against_the_change() -> None:
    scene = replace(Scene(START, END, ("checkout",), ONSET + 5 * MINUTE), deploys=(deploy("search", "c0ffee12"),))
    found = evidence_of_a_change(observed(signs=[full("checkout"), full("search")], more=scene))

    assert not [item for item in found if item.check == "others_alike"]


def test_a_machine_whose_disk_filled_before_what_runs_on_it_had_none_is_found_by_its_metrics() -> None:
    signs = [
        sign("worker-3", K.DISK, at=ONSET - HOUR, text="node_filesystem_avail_bytes"),
        full("checkout"),
        full("search"),
    ]
    (found,) = node.suspects(observed(signs=signs))

    assert found.hypothesis.key == "node:worker-3"
    assert weights_of(found)["node_full"] == weights.NODE_FULL


def test_a_full_machine_is_not_blamed_for_one_service_whose_disk_is_full() -> None:
    signs = [sign("worker-3", K.DISK, at=ONSET - HOUR, text="node_filesystem_avail_bytes"), full("checkout")]

    assert not list(node.suspects(observed(signs=signs)))


def test_a_machine_short_of_memory_is_not_blamed_for_full_disks() -> None:
    signs = [
        sign("worker-3", K.MEMORY, at=ONSET - HOUR, text="node_memory_used_bytes"),
        full("checkout"),
        full("search"),
    ]

    assert not list(node.suspects(observed(signs=signs)))


def test_a_machine_that_services_are_known_to_run_on_is_judged_by_its_place_in_the_chain() -> None:
    signs = [
        sign("worker-3", K.DISK, at=ONSET - HOUR, text="node_filesystem_avail_bytes"),
        full("checkout"),
        full("search"),
    ]
    scene = observed(signs=signs, places=[on_node("mailer", "worker-3")])

    assert not list(node.suspects(scene))


def test_errors_that_say_why_are_explained_badly_by_code_that_cannot_bring_that_about() -> None:
    change = read_change(commit("checkout/render.py", "-    return total(a)\n+    return total(a, b)"))
    plain = observed(signs=[sign("checkout", K.ERRORS)])
    refusing = observed(signs=[sign("checkout", K.ERRORS), refused("checkout")])

    assert 0 < fit(change, ["checkout"], refusing).score < fit(change, ["checkout"], plain).score


def test_errors_that_say_why_are_explained_as_well_as_before_by_a_change_of_a_secret() -> None:
    change = read_change(
        commit("checkout/config.yaml", "-  password: ${CHECKOUT_DB_PASSWORD}\n+  password: ${DB_PASSWORD}")
    )
    plain = observed(signs=[sign("checkout", K.ERRORS)])
    refusing = observed(signs=[sign("checkout", K.ERRORS), refused("checkout")])

    assert fit(change, ["checkout"], refusing).score >= fit(change, ["checkout"], plain).score


def test_that_code_and_signs_name_their_own_service_says_nothing() -> None:
    change = read_change(commit("orders/render.py", "-    orders.render(a)\n+    orders.render(a, b)"))
    named = observed(signs=[sign("orders", K.ERRORS, text="orders_errors_total")], origin="orders")
    other = observed(signs=[sign("orders", K.ERRORS, text="errors_total")], origin="orders")

    assert fit(change, ["orders"], named).score == fit(change, ["orders"], other).score


def test_the_queue_of_a_service_that_itself_fails_is_not_put_down_to_its_callers() -> None:
    change = read_change(commit("signup/code.py", "-    return digits(4)\n+    return digits(6)"))
    signs = [sign("sender", K.QUEUE), sign("sender", K.ERRORS)]
    failing = observed(signs=signs, origin="sender", edges=[calls("signup", "sender")])
    waiting = observed(signs=signs[:1], origin="sender", edges=[calls("signup", "sender")])

    assert fit(change, ["signup"], failing).score == 0
    assert fit(change, ["signup"], waiting).score > 0
