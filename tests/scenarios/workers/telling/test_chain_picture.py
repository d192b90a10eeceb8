"""How a failure spread is shown as a picture in the thread, and never keeps a message waiting for long."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.charts import render_png
from integrations.errors import PictureNotReadyError, RetryableError
from storage import outbox
from tests.scenarios.workers.fakes import FakeChat, chat
from tests.scenarios.workers.incidents import opened, say, spread
from tests.scenarios.workers.worker import Worker
from workers.diagnosis.chain_message import draw_chain
from workers.errors import NotYetError
from workers.services import Services
from workers.telling.chain_chart import chain_chart
from workers.telling.enqueue import enqueue_refresh

LINKS = (("cart-db", "cart"), ("cart", "checkout"), ("cart-db", "orders"))
NOT_READY = PictureNotReadyError("Slack", "the picture is not ready yet", 2.0)


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Note what is drawn; only one test draws it."""
    specifications: list[dict[str, Any]] = []

    def render(specification: dict[str, Any]) -> bytes:
        specifications.append(specification)
        return b"\x89PNG"

    monkeypatch.setattr("workers.diagnosis.chain_message.render_png", render)
    monkeypatch.setattr("workers.telling.picture.render_png", lambda _: b"\x89PNG")
    return specifications


def drawing(services: Services, incident_id: int, *links: tuple[str, str]) -> None:
    """Store a diagnosis with this chain, and have its picture drawn as the diagnosis does."""
    now = services.clock()
    diagnosis_id = spread(services, incident_id, *links)
    arguments = {"diagnosis_id": diagnosis_id, "since": now.timestamp(), "is_answer": False}
    with services.sessions.begin() as session:
        outbox.enqueue(session, "draw_chain", arguments, key=f"chain:{diagnosis_id}", now=now)


def test_the_thread_shows_how_it_spread_in_words_and_as_a_picture(services: Services, worker: Worker) -> None:
    drawing(services, opened(services), *LINKS)
    worker.run_for(30)
    shown = next(posted.card for posted in chat(services).messages.values() if posted.thread is not None)
    assert shown.title == "How it spread"
    assert "cart-db → cart → checkout (and orders)" in shown.text
    assert shown.picture is not None
    assert shown.picture.alt_text == "cart-db → cart → checkout (and orders)"


def test_the_incidents_own_message_tells_the_chain_on_one_line(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    spread(services, incident_id, *LINKS)
    with services.sessions.begin() as session:
        enqueue_refresh(session, incident_id, key="diagnosed", now=services.clock())
    worker.run_for(30)
    assert dict(chat(services).root().card.fields)["Chain"] == "cart-db → cart → checkout (and orders)"


def test_a_failure_that_spread_to_one_service_needs_no_picture(services: Services, worker: Worker) -> None:
    drawing(services, opened(services), ("cart-db", "cart"))
    worker.run_for(30)
    assert chat(services).thread_titles() == []


def test_a_picture_that_the_channel_never_accepts_is_left_out_and_holds_up_nothing(
    services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_pictures(_: FakeChat, card: Any) -> None:
        if card.picture is not None:
            raise NOT_READY

    monkeypatch.setattr(FakeChat, "before_post", refuse_pictures)
    incident_id = opened(services)
    drawing(services, incident_id, *LINKS)
    worker.run_for(10)
    say(services, incident_id, "Later")
    worker.run_for(90)
    assert chat(services).thread_titles() == ["How it spread", "Later"]
    assert all(posted.card.picture is None for posted in chat(services).messages.values() if posted.thread)


def test_a_picture_that_cannot_be_drawn_is_tried_for_an_hour_and_then_left_out(
    services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bytes:
        raise RetryableError("Chart", "it could not be drawn")

    monkeypatch.setattr("workers.diagnosis.chain_message.render_png", fail)
    diagnosis_id = spread(services, opened(services), *LINKS)
    now = services.clock().timestamp()
    with pytest.raises(NotYetError):
        draw_chain(services, diagnosis_id, since=now, is_answer=False)
    draw_chain(services, diagnosis_id, since=now - 3601, is_answer=False)
    worker.run_for(30)
    assert chat(services).thread_titles() == []


def test_names_of_any_length_and_a_circle_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.charts.RENDER_SECONDS", 100)
    long = "x" * 300
    specification = chain_chart("a", [("a", "b"), ("b", "a"), ("b", long), (long, 'c"<&')])
    assert render_png(specification).startswith(b"\x89PNG\r\n\x1a\n")
