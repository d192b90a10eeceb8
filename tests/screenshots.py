"""Pictures of every message and dialog in the local workspace, on a phone and on a desk, light and dark.

`make screenshots DIR=/tmp/pictures` writes them, a few messages to a picture, for a person to look at. The messages are
those of the catalogue that the tests read, with names as a shop has them.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from integrations.cards import Card, Modal
from integrations.slack.blocks import modal_view
from integrations.slack.client import SlackChannel
from integrations.teams.message import webhook_message
from storage.database.session import migrate
from tests.contract.local.workspace import BOT_TOKEN, TEAMS_WEBHOOK, Workspace, running
from tests.tools import find_browser
from tests.unit.workers.telling.cards_of_texts import cards, closing_modals, dialog
from tests.unit.workers.telling.cards_of_work import Desk, composed

WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")
HIGHEST = 1500.0
PATIENCE_MS = 60_000

NAMES = {
    "dimension": "country", "segment": "Germany", "kind of user": "new", "service": "shop", "funnel": "Checkout",
    "endpoint": "POST /checkout", "alert": "QueueTooLong", "summary": "Queue email has 900 messages waiting.",
    "metric": "queue.depth", "template": "Payment <*> timed out after <*> ms", "log line": "Payment 4711 timed out",
    "title": "POST /checkout is slow: 1.02 s, usually 60 ms", "person": "Ana Ruiz", "closer": "Ben Okafor",
    "ticket": "SHOP-12", "escalator": "Ana Ruiz", "snoozer": "Ben Okafor", "approver": "Ana Ruiz",
    "closing reason": "a load test of ours", "repository": "acme/shop", "head": "3f2a9c1d" * 5, "version": "v42",
    "sha": "9b1c2d3e" * 5, "step": "payment", "said": "Queue email has 900 messages waiting.", "author": "mia",
    "statement": "?", "commit": "Show the live stock of each item", "path": "shop/checkout.py",
    "error": "Slack: the bot is not in #incidents: invite it with /invite @argux", "reason": "new database",
    "channel": "#incidents", "job": "create_ticket", "check": "the check build to end",
    "table": "approval 3 has no entry", "part": "judging endpoints",
    "typed": "statsu", "currency": "EUR", "diff": "    return stock",
    "operator": "Ana Ruiz", "label": "Team", "choice": "Payments", "hint": "The team that owns the service",
    "broken": "POST /checkout fails for 31 % of its requests, normally 0.2 %",
}  # fmt: skip

WHOLE_PAGE = """
html, body, .workspace, .conversation, .messages { height: auto !important; max-height: none !important; }
.messages { overflow: visible !important; }
.composer-place { display: none !important; }
"""


def main(folder: Path) -> int:
    """Write the pictures, and print where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, running(Path(directory) / "workspace") as workspace:
        shown, dialogs = _catalogue(Path(directory))
        _post(workspace, shown)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
            kinds = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]
            pages = {f"{width}-{scheme}": _page(browser, width, scheme) for width, scheme in kinds}
            for kind, page in pages.items():
                _take_messages(page, workspace, folder, kind)
            # Last, because an open dialog lies before all else.
            for number, modal in enumerate(dialogs):
                workspace.open_modal("U0ANA", modal_view(modal))
                name = re.sub(r"\W+", "-", modal.callback_id)
                for kind, page in pages.items():
                    page.goto(workspace.url)
                    page.get_by_role("dialog").wait_for()
                    page.screenshot(path=folder / f"dialog-{number:02}-{name}-{kind}.png")
            browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return 0


def _catalogue(directory: Path) -> tuple[list[Card], list[Modal]]:
    def name(place: str) -> str:
        return NAMES[place]

    url = f"sqlite:///{directory / 'argux.db'}"
    migrate(url)
    desk = Desk(url, directory)
    working, modals = composed(desk, name)
    desk.close()
    return [*cards(name), *working], [dialog(name), *closing_modals(name), *modals]


def _post(workspace: Workspace, shown: Sequence[Card]) -> None:
    slack = SlackChannel(BOT_TOKEN, base_url=f"{workspace.url}/slack/api/")
    for number, card in enumerate(shown):
        slack.post("#incidents", card, idempotency_key=str(number))
    for card in shown[:3]:
        httpx.post(workspace.url + TEAMS_WEBHOOK, json=webhook_message(card), trust_env=False).raise_for_status()


def _page(browser: Browser, width: int, scheme: str) -> Page:
    page = browser.new_page(
        viewport={"width": width, "height": 900}, timezone_id="Europe/Berlin", bypass_csp=True,
        color_scheme="dark" if scheme == "dark" else "light",
    )  # fmt: skip
    page.set_default_timeout(PATIENCE_MS)
    return page


def _take_messages(page: Page, workspace: Workspace, folder: Path, kind: str) -> None:
    page.goto(workspace.url)
    for channel, test_id in (("incidents", "message"), ("Escalations", "teams-post")):
        page.get_by_test_id("channel").first.wait_for(state="attached")
        if page.locator("#menu").is_visible():
            page.locator("#menu").click()
        page.get_by_test_id("channel").get_by_text(channel).click()
        page.get_by_test_id(test_id).first.wait_for()
        page.add_style_tag(content=WHOLE_PAGE)
        boxes = page.get_by_test_id(test_id).evaluate_all(
            "found => found.map(one => one.getBoundingClientRect()).map(one => [one.x, one.y, one.width, one.height])"
        )
        for number, (left, top, across, down) in enumerate(_groups(boxes)):
            area = {"x": left, "y": top, "width": across, "height": down}
            page.screenshot(path=folder / f"{channel.lower()}-{number:02}-{kind}.png", clip=area, full_page=True)  # type: ignore[arg-type]


def _groups(boxes: Sequence[Sequence[float]]) -> Iterator[tuple[float, float, float, float]]:
    """Join neighbours into areas of at most HIGHEST, so that each picture can be read. Yield (x, y, width, height)."""
    area: tuple[float, float, float, float] | None = None
    for left, top, across, down in boxes:
        if area is not None and top + down - area[1] <= HIGHEST:
            area = (left, area[1], across, top + down - area[1])
            continue
        if area is not None:
            yield area
        area = (left, top, across, down)
    if area is not None:
        yield area


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
