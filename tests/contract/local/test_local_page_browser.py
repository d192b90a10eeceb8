"""The page itself, in a real browser."""

from __future__ import annotations

import os
import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        try:
            started = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        except playwright.Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no browser can be started: {error}")
        yield started
        started.close()


def is_complaint(line):
    # The browser reports refused requests by itself, and one of these tests is about a refusal.
    return line.type == "error" and "status of 502" not in line.text


@pytest.fixture
def tab(browser, shared_workspace):
    opened = browser.new_page(viewport={"width": 1300, "height": 800})
    complaints = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text) if is_complaint(line) else None)
    opened.goto(shared_workspace.url)
    yield opened
    opened.close()
    assert complaints == []


def test_a_thread_appears_by_itself_and_what_people_write_stays_text(tab, shared_workspace):
    slack = shared_workspace.slack()
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
    assert tab.locator(".body img").count() == 0


def test_a_press_that_fails_is_said_and_the_button_can_be_pressed_again(tab, shared_workspace):
    button = {"type": "button", "action_id": "acknowledge", "text": {"type": "plain_text", "text": "Acknowledge"}}
    confirm = {"title": "Sure?", "text": "It will be yours.", "confirm": "Yes", "deny": "No"}
    button["confirm"] = {name: {"type": "plain_text", "text": words} for name, words in confirm.items()}
    blocks = [{"type": "actions", "elements": [button]}]
    posted = shared_workspace.slack().chat_postMessage(channel="incidents", text="x", blocks=blocks)
    pressed = tab.locator(f"[data-testid=message][data-ts='{posted['ts']}'] [data-action-id=acknowledge]")
    pressed.click()
    tab.get_by_role("button", name="No", exact=True).click()
    assert tab.get_by_test_id("notice").count() == 0
    pressed.click()
    tab.get_by_test_id("confirm").click()
    tab.get_by_test_id("notice").get_by_text("The app cannot be reached. (dispatch_failed)").wait_for()
    playwright.expect(pressed).to_be_enabled()


def test_a_modal_holds_the_focus_shows_what_is_wrong_and_keeps_what_was_typed(tab, shared_workspace):
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
    view = {"type": "modal", "title": plain("Approve fix"), "submit": plain("Approve"), "blocks": inputs}
    shared_workspace.open_modal("U0ANA", view)
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


def test_nobody_can_type_before_the_page_knows_its_channels_and_commands(browser, shared_workspace):
    early = browser.new_page()
    complaints, held = [], []
    early.on("pageerror", lambda error: complaints.append(str(error)))
    early.route("**/page/state*", lambda request: held.append(request))
    with early.expect_request("**/page/state*"):
        early.goto(shared_workspace.url)
    playwright.expect(early.get_by_test_id("composer")).to_be_hidden()
    for request in held:
        request.continue_()
    early.unroute("**/page/state*")
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


def test_a_cards_moment_is_read_in_the_readers_zone(browser, shared_workspace):
    text = "Deployed at {{TIME(2026-11-21T15:27:58Z)}} {{DATE(2026-11-21T15:27:58Z, SHORT)}}"
    card = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": text}]}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    posted = {"type": "message", "attachments": [attachment]}
    shared_workspace.page.post(shared_workspace.teams_webhook, json=posted).raise_for_status()
    reader = browser.new_page(timezone_id="America/New_York", locale="en-GB")
    reader.goto(shared_workspace.url)
    reader.locator("#teams-channels button").click()
    reader.get_by_test_id("teams-post").last.get_by_text("Deployed at").wait_for()
    assert "Deployed at 10:27 Sat, 21 Nov 2026" in reader.get_by_test_id("teams-post").last.inner_text()
    reader.close()


def test_the_page_fits_a_phone(tab, shared_workspace):
    shared_workspace.slack().chat_postMessage(channel="general", text="`" + "long" * 60 + "`")
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.locator("#menu").click()
    tab.get_by_test_id("channel").get_by_text("general").click()
    tab.get_by_text("longlong").first.wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    playwright.expect(tab.get_by_test_id("composer")).to_be_visible()
