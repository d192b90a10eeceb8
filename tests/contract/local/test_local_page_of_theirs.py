"""Hostile text in every message and dialog adds nothing to the page in a real browser but its characters."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from integrations.cards import Card, Modal
from integrations.slack.blocks import modal_view
from integrations.slack.client import SlackChannel
from integrations.teams.message import webhook_message
from tests.contract.local.test_local_page_browser import browser
from tests.contract.local.workspace import BOT_TOKEN, TEAMS_WEBHOOK, Workspace, running
from tests.html_reader import read
from tests.unit.workers.telling.cards_of_texts import OUR_ADDRESSES, Texts, cards, closing_modals, dialog
from tests.unit.workers.telling.cards_of_work import Desk, composed
from tests.unit.workers.telling.hostile import PIECES, Named

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]

ROUNDS = 3
OF_THE_MOMENT = {"data-ts", "data-key", "datetime", "id", "aria-labelledby", "data-view-id"}
"""Attributes of ours that differ from message to message."""
SAID = {"title", "aria-label", "alt"}
"""Attributes of ours whose value is only read out or shown as characters."""

Tags = list[tuple[str, tuple[tuple[str, str | None], ...]]]


def spans(shown: list[Tags]) -> set[tuple[tuple[str, str | None], ...]]:
    return {attributes for tags in shown for tag, attributes in tags if tag == "span"}


def without_spans(shown: list[Tags]) -> list[Tags]:
    return [[one for one in tags if one[0] != "span"] for tags in shown]


def drawn(seed: int) -> list[str]:
    random = Random(seed)
    return ["".join(random.choices(PIECES, k=random.randint(1, 6)))[:36] + "y" for _ in range(80)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("desk")
    made = Desk(f"sqlite:///{shutil.copy(sqlite_template, directory / 'argux.db')}", directory)
    yield made
    made.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a room for each round, and one for harmless texts."""
    with running(tmp_path, rooms=range(ROUNDS + 1)) as found:
        yield found


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1300, "height": 800})
    opened.set_default_timeout(60_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("dialog", lambda shown: errors.append(f"a script ran: {shown.message}"))
    yield opened
    opened.close()
    assert errors == []


def everything(desk: Desk, texts: Texts) -> tuple[list[Card], list[Modal]]:
    work, modals = composed(desk, texts)
    return [*cards(texts), *work], [dialog(texts), *closing_modals(texts), *modals]


def tags_in(page: Page, selector: str) -> list[Tags]:
    """Return the tags of each such element, without what is of the moment; code is let out, as it may be plain."""
    found = page.locator(selector).evaluate_all("elements => elements.map(element => element.outerHTML)")
    shown = []
    for html in found:
        reader = read(html)
        assert reader.other == []
        links = {value for _, attributes in reader.tags for name, value in attributes if name == "href"}
        assert links <= OUR_ADDRESSES, links
        shown.append([
            (tag, tuple((name, None if name in SAID else value) for name, value in attributes
                        if name not in OF_THE_MOMENT))
            for tag, attributes in reader.tags if tag != "code"
        ])  # fmt: skip
    return shown


def test_hostile_text_in_every_message_and_dialog_adds_no_tag_attribute_or_link_to_the_page(
    tab: Page, workspace: Workspace, desk: Desk
) -> None:
    slack = SlackChannel(BOT_TOKEN, base_url=f"{workspace.url}/slack/api/")
    rounds = [everything(desk, Named(drawn(seed) if seed else None)) for seed in range(ROUNDS + 1)]
    for room, (shown, _) in enumerate(rounds):
        for number, card in enumerate(shown):
            slack.post(f"#room{room}", card, idempotency_key=str(number))
            if room < 2:
                workspace.page.post(TEAMS_WEBHOOK, json=webhook_message(card)).raise_for_status()
    tab.goto(workspace.url)

    def in_room(name: str, test_id: str, count: int) -> list[Tags]:
        tab.get_by_test_id("channel").filter(has_text=name).click()
        tab.get_by_test_id(test_id).nth(count - 1).wait_for(state="attached")
        return tags_in(tab, f"[data-testid={test_id}]")

    count = len(rounds[0][0])
    usual = in_room("room0", "message", count)
    for room in range(1, ROUNDS + 1):
        assert in_room(f"room{room}", "message", count) == usual
    posts = in_room("Escalations", "teams-post", 2 * count)
    # Neighbouring runs of a card that look alike may be one span or two; what a span may look like is ours.
    assert spans(posts[count:]) <= spans(posts[:count])
    assert without_spans(posts[count:]) == without_spans(posts[:count])

    def shown_dialog(modal: Modal) -> list[Tags]:
        workspace.open_modal("U0ANA", modal_view(replace(modal, dialog_id="")))
        tab.goto(workspace.url)
        tab.get_by_test_id("modal").wait_for()
        return tags_in(tab, "[data-testid=modal]")

    for harmless, hostile in zip(rounds[0][1], rounds[1][1], strict=True):
        # Lines of a diff are coloured by how they begin.
        assert without_spans(shown_dialog(hostile)) == without_spans(shown_dialog(harmless))
