"""The workspace's page in a real browser."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.contract.local.workspace import TEAMS_WEBHOOK, Json, Workspace
from tests.tools import find_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Route

playwright = pytest.importorskip("playwright.sync_api")

# Long, because the browser, its driver and the server share a busy machine's processors.
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        try:
            started = driver.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"], timeout=PATIENCE_MS)
        except playwright.Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no browser can be started: {error}")
        playwright.expect.set_options(timeout=PATIENCE_MS)
        yield started
        started.close()


@pytest.fixture
def workspace(shown_workspace: Workspace) -> Workspace:
    return shown_workspace


def is_unexpected_error(line: ConsoleMessage) -> bool:
    # The browser itself logs refused requests, and some of these tests provoke refusals.
    return line.type == "error" and "status of 502" not in line.text and "net::ERR_FAILED" not in line.text


class HeldRequests:
    """Hold back the page's requests to a path until they are released."""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        self.waiting: list[Route] = []
        self.is_open = False
        page.route(path, self._take)

    def _take(self, request: Route) -> None:
        if self.is_open:
            request.continue_()
        else:
            self.waiting.append(request)

    def wait_for_one(self) -> None:
        while not self.waiting:
            self.page.wait_for_timeout(10)

    def release(self) -> None:
        self.is_open = True
        for request in self.waiting:
            request.continue_()


@pytest.fixture
def tab(browser: Browser, workspace: Workspace) -> Iterator[Page]:
    """The page in a browser tab; fails the test on errors in the browser's console."""
    opened = browser.new_page(viewport={"width": 1300, "height": 800})
    opened.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda line: errors.append(line.text) if is_unexpected_error(line) else None)
    opened.goto(workspace.url)
    yield opened
    opened.close()
    assert errors == []


def test_a_thread_appears_without_a_reload_and_html_is_shown_as_text(tab: Page, workspace: Workspace) -> None:
    slack = workspace.slack()
    root = slack.chat_postMessage(channel="incidents", text="*Checkout* fell &lt;b&gt;hard&lt;/b&gt;")
    slack.chat_postMessage(channel="incidents", thread_ts=root["ts"], text="```- old\n@@ x @@\n+ new```")
    message = tab.locator(f"[data-testid=message][data-ts='{root['ts']}']")
    message.get_by_text("fell <b>hard</b>").wait_for()
    assert message.locator(".body strong").inner_text() == "Checkout"
    message.get_by_test_id("open-thread").get_by_text("1 reply").wait_for()
    assert tab.get_by_test_id("thread-reply").locator(".diff .added").inner_text().strip() == "+ new"

    tab.get_by_test_id("thread-composer").fill("<img src=x onerror=alert(1)> & more")
    tab.keyboard.press("Enter")
    tab.get_by_test_id("thread-reply").get_by_text("<img src=x onerror=alert(1)> & more").wait_for()
    assert tab.get_by_test_id("thread-reply").locator("img").count() == 0


def test_each_line_of_rich_text_stands_on_its_own_as_in_slack(tab: Page, workspace: Workspace) -> None:
    parts = [{"type": "text", "text": text} for text in ("Status: open", "\n", "Ticket: SHOP-1", "\n", "Fix: none")]
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}]
    posted = workspace.slack().chat_postMessage(channel="incidents", text="Status", blocks=blocks)

    shown = tab.locator(f"[data-testid=message][data-ts='{posted['ts']}'] .body")

    shown.get_by_text("Status: open").wait_for()
    assert shown.inner_text().strip().splitlines() == ["Status: open", "Ticket: SHOP-1", "Fix: none"]


def test_what_is_being_prepared_is_shown_step_by_step_until_it_is_taken_away(tab: Page, workspace: Workspace) -> None:
    board = tab.get_by_role("region", name="What is being prepared")
    assert board.count() == 0, "nothing is being prepared"
    began = time.time() - 65
    steps: list[Json] = [
        {"doing": "Writing the repository", "started_at": began, "detail": "", "seconds": 3.2},
        {"doing": "Starting <b>Argux</b>", "started_at": began, "detail": "12 visits", "seconds": None},
    ]
    workspace.page.put("/page/progress", json={"title": "Getting ready", "steps": steps}).raise_for_status()

    done, running = board.get_by_test_id("step").nth(0), board.get_by_test_id("step").nth(1)
    done.get_by_text("3.2 s").wait_for()
    running.get_by_text("Starting <b>Argux</b> 12 visits").wait_for()
    # It counts its own seconds, also in a page that is opened late.
    assert int(running.locator(".clock").inner_text().removesuffix(" s")) >= 65

    workspace.page.put("/page/progress", json={}).raise_for_status()
    board.wait_for(state="hidden")


def test_a_failed_press_is_reported_and_the_button_is_enabled_again(tab: Page, workspace: Workspace) -> None:
    button: Json = {"type": "button", "action_id": "acknowledge", "text": {"type": "plain_text", "text": "Acknowledge"}}
    confirm = {"title": "Sure?", "text": "It will be yours.", "confirm": "Yes", "deny": "No"}
    button["confirm"] = {name: {"type": "plain_text", "text": words} for name, words in confirm.items()}
    blocks = [{"type": "actions", "elements": [button]}]
    posted = workspace.slack().chat_postMessage(channel="incidents", text="x", blocks=blocks)
    pressed = tab.locator(f"[data-testid=message][data-ts='{posted['ts']}'] [data-action-id=acknowledge]")
    pressed.click()
    tab.get_by_role("button", name="No", exact=True).click()
    assert tab.get_by_test_id("notice").count() == 0
    pressed.click()
    tab.get_by_test_id("confirm").click()
    tab.get_by_test_id("notice").get_by_text("The app cannot be reached. (dispatch_failed)").wait_for()
    playwright.expect(pressed).to_be_enabled()


def asking_why_and_who(title: str, submit: str) -> Json:
    """Return a modal with the text inputs Why and Who."""

    def plain(text: str) -> Json:
        return {"type": "plain_text", "text": text}

    inputs = [
        {
            "type": "input",
            "block_id": name,
            "label": plain(name),
            "element": {"type": "plain_text_input", "action_id": name},
        }
        for name in ("Why", "Who")
    ]
    return {"type": "modal", "title": plain(title), "submit": plain(submit), "blocks": inputs}


def test_a_modal_traps_the_focus_shows_errors_and_keeps_the_input(tab: Page, workspace: Workspace) -> None:
    workspace.open_modal("U0ANA", asking_why_and_who("Approve fix", "Approve"))
    modal = tab.get_by_test_id("modal")
    modal.get_by_label("Why").fill("because")
    tab.keyboard.press("Enter")
    modal.get_by_text("Please complete this required field.").wait_for()
    assert modal.get_by_label("Why").input_value() == "because"
    for _ in range(8):
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    tab.keyboard.press("Escape")
    modal.wait_for(state="detached")


def test_the_composer_is_hidden_until_channels_and_commands_are_loaded(browser: Browser, workspace: Workspace) -> None:
    early = browser.new_page()
    early.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    early.on("pageerror", lambda error: errors.append(str(error)))
    held = HeldRequests(early, "**/page/state*")
    early.goto(workspace.url)
    held.wait_for_one()
    playwright.expect(early.get_by_test_id("composer")).to_be_hidden()
    held.release()
    early.get_by_test_id("composer").fill("/argux st")
    early.get_by_role("option", name="/argux status").wait_for()
    early.close()
    assert errors == []


def test_commands_are_suggested_while_typing(tab: Page) -> None:
    composer = tab.get_by_test_id("composer")
    composer.fill("/argux st")
    tab.get_by_role("option", name="/argux status").wait_for()
    tab.keyboard.press("Tab")
    assert composer.input_value() == "/argux status"


def test_a_time_in_a_card_is_shown_in_the_readers_time_zone(browser: Browser, workspace: Workspace) -> None:
    text = "Deployed at {{TIME(2026-11-21T15:27:58Z)}} {{DATE(2026-11-21T15:27:58Z, SHORT)}}"
    card = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": text}]}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    posted = {"type": "message", "attachments": [attachment]}
    workspace.page.post(TEAMS_WEBHOOK, json=posted).raise_for_status()
    reader = browser.new_page(timezone_id="America/New_York", locale="en-GB")
    reader.set_default_timeout(PATIENCE_MS)
    reader.goto(workspace.url)
    reader.locator("#teams-channels button").click()
    reader.get_by_test_id("teams-post").last.get_by_text("Deployed at").wait_for()
    assert "Deployed at 10:27 Sat, 21 Nov 2026" in reader.get_by_test_id("teams-post").last.inner_text()
    reader.close()


def test_the_page_fits_a_phone(tab: Page, workspace: Workspace) -> None:
    workspace.slack().chat_postMessage(channel="general", text="`" + "long" * 60 + "`")
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.locator("#menu").click()
    tab.get_by_test_id("channel").get_by_text("general").click()
    tab.get_by_text("longlong").first.wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    playwright.expect(tab.get_by_test_id("composer")).to_be_visible()


BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}


def with_button(text: str) -> Json:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return {"text": text, "blocks": [section, {"type": "actions", "elements": [BUTTON]}]}


def fail(page: Page, path: str, times: int) -> None:
    """Make the page's next requests to a path fail to connect."""
    page.route(path, lambda request: request.abort(), times=times)


def test_the_user_can_be_switched_while_the_state_is_loading(tab: Page, workspace: Workspace) -> None:
    tab.get_by_test_id("composer").wait_for()
    held = HeldRequests(tab, "**/page/state*")
    workspace.slack().chat_postEphemeral(channel="incidents", user="U0BEN", text="only Ben")
    held.wait_for_one()
    tab.get_by_test_id("user").select_option("U0BEN")
    held.release()
    tab.get_by_text("only Ben").wait_for()
    playwright.expect(tab.get_by_test_id("user")).to_have_value("U0BEN")


def test_an_unknown_remembered_user_is_replaced_by_the_first_user(browser: Browser, workspace: Workspace) -> None:
    reader = browser.new_page()
    reader.set_default_timeout(PATIENCE_MS)
    reader.add_init_script("localStorage.setItem('user', 'U0GONE')")
    reader.goto(workspace.url)
    playwright.expect(reader.get_by_test_id("user")).to_have_value("U0ANA")
    reader.close()


def test_a_failed_read_of_the_state_is_retried_for_the_same_user(tab: Page, workspace: Workspace) -> None:
    tab.get_by_test_id("user").select_option("U0BEN")
    fail(tab, "**/page/state*", times=3)
    tab.reload()
    tab.get_by_test_id("composer").wait_for()
    fail(tab, "**/page/state*", times=1)
    workspace.slack().chat_postEphemeral(channel="incidents", user="U0BEN", text="for Ben again")
    tab.get_by_text("for Ben again").wait_for()
    playwright.expect(tab.get_by_test_id("user")).to_have_value("U0BEN")


def test_a_refused_event_stream_is_reopened(tab: Page) -> None:
    tab.route("**/page/stream", lambda request: request.fulfill(status=502), times=2)
    tab.reload()
    tab.get_by_test_id("composer").wait_for()


def test_a_press_counts_even_if_its_message_changes_before_the_release(tab: Page, workspace: Workspace) -> None:
    slack = workspace.slack()
    posted = slack.chat_postMessage(channel="incidents", **with_button("before"))
    message = tab.locator(f"[data-testid=message][data-ts='{posted['ts']}']")
    message.locator("[data-action-id=go]").hover()
    tab.mouse.down()
    with tab.expect_response("**/page/state*"):
        slack.chat_update(channel=posted["channel"], ts=posted["ts"], **with_button("after"))
    # Long enough for the page to redraw the message, if the press did not hold that back.
    tab.wait_for_timeout(200)
    tab.mouse.up()
    tab.get_by_test_id("notice").get_by_text("The app cannot be reached. (dispatch_failed)").wait_for()
    message.get_by_text("after").wait_for()


def test_text_typed_while_a_message_is_being_sent_is_kept(tab: Page) -> None:
    held = HeldRequests(tab, "**/page/messages")
    composer = tab.get_by_test_id("composer")
    composer.fill("one of two")
    tab.keyboard.press("Enter")
    held.wait_for_one()
    composer.fill("two of two")
    with tab.expect_response("**/page/messages"):
        held.release()
    tab.get_by_test_id("message").get_by_text("one of two").wait_for()
    assert composer.input_value() == "two of two"


def test_an_unsent_message_is_put_back_before_text_typed_meanwhile(tab: Page) -> None:
    held = HeldRequests(tab, "**/page/messages")
    composer = tab.get_by_test_id("composer")
    composer.fill("not taken")
    tab.keyboard.press("Enter")
    held.wait_for_one()
    composer.fill("the next")
    held.waiting.pop().abort()
    playwright.expect(composer).to_have_value("not taken\nthe next")
    tab.get_by_test_id("notice").get_by_text("The workspace cannot be reached.").wait_for()


def test_a_reply_goes_into_the_thread_in_which_it_was_started(tab: Page, workspace: Workspace) -> None:
    slack = workspace.slack()

    def thread(name: str) -> Locator:
        root = slack.chat_postMessage(channel="incidents", text=f"root of {name}")
        slack.chat_postMessage(channel="incidents", thread_ts=root["ts"], text=f"first in {name}")
        return tab.locator(f"[data-testid=message][data-ts='{root['ts']}']")

    old = thread("the old")
    tab.get_by_test_id("thread-reply").get_by_text("first in the old").wait_for()
    tab.get_by_test_id("thread-composer").fill("about the old")
    thread("the new").get_by_text("1 reply").wait_for()
    tab.keyboard.press("Enter")
    old.get_by_text("2 replies").wait_for()


def test_updating_a_modal_keeps_the_caret_position(tab: Page, workspace: Workspace) -> None:
    def view(title: str) -> Json:
        return {**asking_why_and_who(title, "Send"), "external_id": "changing"}

    workspace.open_modal("U0ANA", view("Before"))
    modal = tab.get_by_test_id("modal")
    modal.get_by_label("Who").fill("Be and others")
    for _ in " and others":
        tab.keyboard.press("ArrowLeft")
    workspace.slack().views_update(external_id="changing", view=view("After"))
    modal.get_by_text("After").wait_for()
    tab.keyboard.type("n")
    playwright.expect(modal.get_by_label("Who")).to_have_value("Ben and others")
    modal.get_by_role("button", name="Cancel").click()
    modal.wait_for(state="detached")


def test_a_list_scrolled_to_its_end_stays_there_when_a_picture_makes_it_longer(tab: Page, workspace: Workspace) -> None:
    for number in range(30):
        posted = workspace.slack().chat_postMessage(channel="incidents", text=f"line {number}")
    tab.locator(f"[data-testid=message][data-ts='{posted['ts']}']").wait_for()
    # The picture makes the list longer before the scroll event is dispatched and before the picture's load event.
    left = tab.evaluate(
        """async () => {
            const list = document.getElementById("messages");
            const picture = document.createElement("div");
            list.append(picture);
            list.scrollTop = 0;
            list.scrollTop = list.scrollHeight;
            picture.style.height = "600px";
            const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
            await frame();
            await frame();
            picture.dispatchEvent(new Event("load"));
            return list.scrollHeight - list.scrollTop - list.clientHeight;
        }"""
    )
    assert left < 1
