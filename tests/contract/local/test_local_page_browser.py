"""The page itself, in a real browser."""

from __future__ import annotations

import os

import pytest

from tests.tools import find_browser

playwright = pytest.importorskip("playwright.sync_api")

# The browser, its driver and the server may each have to wait for a processor.
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser():
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
def workspace(shown_workspace):
    return shown_workspace


def is_complaint(line):
    # The browser reports refused requests by itself, and some of these tests are about refusals.
    return line.type == "error" and "status of 502" not in line.text and "net::ERR_FAILED" not in line.text


class Held:
    """Requests to a path that wait until they are let go."""

    def __init__(self, page, path):
        self.page = page
        self.waiting = []
        self.is_open = False
        page.route(path, self._take)

    def _take(self, request):
        if self.is_open:
            request.continue_()
        else:
            self.waiting.append(request)

    def wait_for_one(self):
        while not self.waiting:
            self.page.wait_for_timeout(10)

    def let_go(self):
        self.is_open = True
        for request in self.waiting:
            request.continue_()


@pytest.fixture
def tab(browser, workspace):
    opened = browser.new_page(viewport={"width": 1300, "height": 800})
    opened.set_default_timeout(PATIENCE_MS)
    complaints = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text) if is_complaint(line) else None)
    opened.goto(workspace.url)
    yield opened
    opened.close()
    assert complaints == []


def test_a_thread_appears_by_itself_and_what_people_write_stays_text(tab, workspace):
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


def test_a_press_that_fails_is_said_and_the_button_can_be_pressed_again(tab, workspace):
    button = {"type": "button", "action_id": "acknowledge", "text": {"type": "plain_text", "text": "Acknowledge"}}
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


def asking_why_and_who(title, submit):
    def plain(text):
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


def test_a_modal_holds_the_focus_shows_what_is_wrong_and_keeps_what_was_typed(tab, workspace):
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


def test_nobody_can_type_before_the_page_knows_its_channels_and_commands(browser, workspace):
    early = browser.new_page()
    early.set_default_timeout(PATIENCE_MS)
    complaints = []
    early.on("pageerror", lambda error: complaints.append(str(error)))
    held = Held(early, "**/page/state*")
    early.goto(workspace.url)
    held.wait_for_one()
    playwright.expect(early.get_by_test_id("composer")).to_be_hidden()
    held.let_go()
    early.get_by_test_id("composer").fill("/argux st")
    early.get_by_role("option", name="/argux status").wait_for()
    early.close()
    assert complaints == []


def test_commands_are_suggested_while_they_are_typed(tab):
    composer = tab.get_by_test_id("composer")
    composer.fill("/argux st")
    tab.get_by_role("option", name="/argux status").wait_for()
    tab.keyboard.press("Tab")
    assert composer.input_value() == "/argux status"


def test_a_cards_moment_is_read_in_the_readers_zone(browser, workspace):
    text = "Deployed at {{TIME(2026-11-21T15:27:58Z)}} {{DATE(2026-11-21T15:27:58Z, SHORT)}}"
    card = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": text}]}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    posted = {"type": "message", "attachments": [attachment]}
    workspace.page.post(workspace.teams_webhook, json=posted).raise_for_status()
    reader = browser.new_page(timezone_id="America/New_York", locale="en-GB")
    reader.set_default_timeout(PATIENCE_MS)
    reader.goto(workspace.url)
    reader.locator("#teams-channels button").click()
    reader.get_by_test_id("teams-post").last.get_by_text("Deployed at").wait_for()
    assert "Deployed at 10:27 Sat, 21 Nov 2026" in reader.get_by_test_id("teams-post").last.inner_text()
    reader.close()


def test_the_page_fits_a_phone(tab, workspace):
    workspace.slack().chat_postMessage(channel="general", text="`" + "long" * 60 + "`")
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.locator("#menu").click()
    tab.get_by_test_id("channel").get_by_text("general").click()
    tab.get_by_text("longlong").first.wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    playwright.expect(tab.get_by_test_id("composer")).to_be_visible()


BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}


def with_button(text):
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return {"text": text, "blocks": [section, {"type": "actions", "elements": [BUTTON]}]}


def fail(page, path, times):
    """The next requests to a path find nobody."""
    page.route(path, lambda request: request.abort(), times=times)


def test_somebody_else_may_be_chosen_while_the_state_is_being_read(tab, workspace):
    tab.get_by_test_id("composer").wait_for()
    held = Held(tab, "**/page/state*")
    workspace.slack().chat_postEphemeral(channel="incidents", user="U0BEN", text="only Ben")
    held.wait_for_one()
    tab.get_by_test_id("user").select_option("U0BEN")
    held.let_go()
    tab.get_by_text("only Ben").wait_for()
    playwright.expect(tab.get_by_test_id("user")).to_have_value("U0BEN")


def test_somebody_whom_the_workspace_does_not_know_becomes_its_first(browser, workspace):
    reader = browser.new_page()
    reader.set_default_timeout(PATIENCE_MS)
    reader.add_init_script("localStorage.setItem('user', 'U0GONE')")
    reader.goto(workspace.url)
    playwright.expect(reader.get_by_test_id("user")).to_have_value("U0ANA")
    reader.close()


def test_a_state_that_cannot_be_read_is_read_again_for_the_same_person(tab, workspace):
    tab.get_by_test_id("user").select_option("U0BEN")
    fail(tab, "**/page/state*", times=3)
    tab.reload()
    tab.get_by_test_id("composer").wait_for()
    fail(tab, "**/page/state*", times=1)
    workspace.slack().chat_postEphemeral(channel="incidents", user="U0BEN", text="for Ben again")
    tab.get_by_text("for Ben again").wait_for()
    playwright.expect(tab.get_by_test_id("user")).to_have_value("U0BEN")


def test_a_stream_that_was_refused_is_opened_again(tab):
    tab.route("**/page/stream", lambda request: request.fulfill(status=502), times=2)
    tab.reload()
    tab.get_by_test_id("composer").wait_for()


def test_a_press_counts_although_its_message_changes_before_the_release(tab, workspace):
    slack = workspace.slack()
    posted = slack.chat_postMessage(channel="incidents", **with_button("before"))
    message = tab.locator(f"[data-testid=message][data-ts='{posted['ts']}']")
    message.locator("[data-action-id=go]").hover()
    tab.mouse.down()
    with tab.expect_response("**/page/state*"):
        slack.chat_update(channel=posted["channel"], ts=posted["ts"], **with_button("after"))
    # Long enough for it to be drawn, were it not for the press.
    tab.wait_for_timeout(200)
    tab.mouse.up()
    tab.get_by_test_id("notice").get_by_text("The app cannot be reached. (dispatch_failed)").wait_for()
    message.get_by_text("after").wait_for()


def test_what_is_typed_while_a_message_is_on_its_way_stays(tab):
    held = Held(tab, "**/page/messages")
    composer = tab.get_by_test_id("composer")
    composer.fill("one of two")
    tab.keyboard.press("Enter")
    held.wait_for_one()
    composer.fill("two of two")
    with tab.expect_response("**/page/messages"):
        held.let_go()
    tab.get_by_test_id("message").get_by_text("one of two").wait_for()
    assert composer.input_value() == "two of two"


def test_a_message_that_is_not_taken_comes_back_before_what_was_typed_meanwhile(tab):
    held = Held(tab, "**/page/messages")
    composer = tab.get_by_test_id("composer")
    composer.fill("not taken")
    tab.keyboard.press("Enter")
    held.wait_for_one()
    composer.fill("the next")
    held.waiting.pop().abort()
    playwright.expect(composer).to_have_value("not taken\nthe next")
    tab.get_by_test_id("notice").get_by_text("The workspace cannot be reached.").wait_for()


def test_a_reply_goes_into_the_thread_in_which_it_was_begun(tab, workspace):
    slack = workspace.slack()

    def thread(name):
        root = slack.chat_postMessage(channel="incidents", text=f"root of {name}")
        slack.chat_postMessage(channel="incidents", thread_ts=root["ts"], text=f"first in {name}")
        return tab.locator(f"[data-testid=message][data-ts='{root['ts']}']")

    old = thread("the old")
    tab.get_by_test_id("thread-reply").get_by_text("first in the old").wait_for()
    tab.get_by_test_id("thread-composer").fill("about the old")
    thread("the new").get_by_text("1 reply").wait_for()
    tab.keyboard.press("Enter")
    old.get_by_text("2 replies").wait_for()


def test_a_modal_that_changes_leaves_the_caret_where_it_is(tab, workspace):
    def view(title):
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


def test_a_list_that_shows_its_end_keeps_showing_it_when_a_picture_makes_it_longer(tab, workspace):
    for number in range(30):
        posted = workspace.slack().chat_postMessage(channel="incidents", text=f"line {number}")
    tab.locator(f"[data-testid=message][data-ts='{posted['ts']}']").wait_for()
    # A picture's size is known, and the page longer, before the scrolling to the end is told and the picture loaded.
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
