"""Who takes from a queue is guessed from names where no map says so."""

from __future__ import annotations

from dataclasses import replace

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.scenery import END, MINUTE, ONSET, START, calls, course, described, line, sign
from workers.diagnosis.scene.consumers import guessed_consumers
from workers.diagnosis.scene.model import Scene
from workers.diagnosis.scene.observing import observe

BACKLOG = course("orders-queue", "queue_depth", 20, 900, since=ONSET + MINUTE)
SCENE = Scene(START, END, ("orders-queue",), ONSET + 5 * MINUTE, courses=(BACKLOG,))
PARTS = frozenset({"orders-queue", "checkout", "parcel-worker"})


def pairs(scene: Scene, parts: frozenset[str] = PARTS, troubled: str = "") -> set[tuple[str, str]]:
    signs = [sign(troubled, SymptomKind.ERRORS)] if troubled else []
    return {(edge.caller, edge.callee) for edge in guessed_consumers(scene, parts, signs)}


def test_the_only_part_that_is_a_worker_by_its_name_takes_from_the_queue() -> None:
    assert pairs(SCENE) == {("parcel-worker", "orders-queue")}


def test_of_several_workers_the_one_in_trouble_takes_from_the_queue() -> None:
    parts = PARTS | {"mail-worker"}

    assert pairs(SCENE, parts) == set()
    assert pairs(SCENE, parts, troubled="mail-worker") == {("mail-worker", "orders-queue")}


def test_of_several_workers_the_one_whose_lines_name_the_queue_takes_from_it() -> None:
    scene = replace(SCENE, lines=(line("mail-worker", "cannot read from orders-queue: connection lost"),))

    assert pairs(scene, PARTS | {"mail-worker"}) == {("mail-worker", "orders-queue")}


def test_nothing_is_guessed_of_a_queue_that_is_on_the_map() -> None:
    assert pairs(replace(SCENE, edges=(calls("checkout", "orders-queue"),))) == set()


def test_a_service_with_a_queue_of_requests_is_no_queue() -> None:
    scene = replace(SCENE, courses=(course("checkout", "queue_depth", 20, 900),))

    assert pairs(scene) == set()


def test_the_worker_that_fell_behind_is_the_origin_and_the_queue_its_victim() -> None:
    slow = course("parcel-worker", "latency_p95_ms", 100, 900)
    found = observe(replace(SCENE, courses=(BACKLOG, slow)), described("orders-queue"))

    assert found.chain.origin == "parcel-worker"
    assert found.chain.victims == ("orders-queue",)
