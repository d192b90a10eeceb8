"""The Teams webhook of the local workspace: which cards it takes, and which it refuses."""

from __future__ import annotations

import pytest

ADAPTIVE = "application/vnd.microsoft.card.adaptive"


def card(**more):
    return {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Help"}], **more}


def message(*cards):
    return {"type": "message", "attachments": [{"contentType": ADAPTIVE, "content": each} for each in cards]}


def test_a_card_is_taken_and_kept_over_a_restart(workspace):
    sent = card(
        body=[
            {"type": "TextBlock", "text": "Help"},
            {"type": "FactSet", "facts": [{"title": "Service", "value": "shop"}]},
            {"type": "ColumnSet", "columns": [{"items": [{"type": "TextBlock", "text": "left"}]}]},
        ],
        actions=[{"type": "Action.OpenUrl", "title": "Thread", "url": "https://example.com"}],
    )
    answer = workspace.page.post(workspace.teams_webhook, json=message(sent))
    assert (answer.status_code, answer.text) == (202, "")
    workspace.restart()
    assert [post["cards"] for post in workspace.state()["teams"]] == [[sent]]


def test_a_wrong_secret_finds_nothing(shared_workspace):
    assert shared_workspace.page.post("/teams/webhook/wrong", json=message(card())).status_code == 404


def test_a_message_beyond_28_kilobytes_is_refused(shared_workspace):
    large = card(body=[{"type": "TextBlock", "text": "x" * 28 * 1024}])
    assert shared_workspace.page.post(shared_workspace.teams_webhook, json=message(large)).status_code == 413


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"text": "plain"}, 'type must be "message"'),
        ({"type": "message", "attachments": []}, "at least one card"),
        ({"type": "message", "attachments": [{"contentType": "text/plain"}]}, "attachments[0].contentType"),
        (message({"type": "Card"}), 'content.type must be "AdaptiveCard"'),
        (message(card(version="2.0")), "content.version"),
        (message(card(body=[])), "content.body is empty"),
        (message(card(body=[{"type": "Fancy"}])), "content.body[0].type 'Fancy' is not allowed here"),
        (message(card(body=[{"type": "TextBlock"}])), "content.body[0].text is missing"),
        (message(card(actions=[{"type": "Action.Submit"}])), "'Action.Submit' is not allowed here"),
        (message(card(actions=[{"type": "Action.OpenUrl", "url": "javascript:1"}])), "http or https"),
        (message(card(body=[{"type": "FactSet", "facts": [{"title": "x"}]}])), "facts[0] needs a title and a value"),
    ],
)
def test_a_broken_card_is_refused_with_the_place(shared_workspace, sent, problem):
    answer = shared_workspace.page.post(shared_workspace.teams_webhook, json=sent)
    assert answer.status_code == 400
    assert problem in answer.json()["error"]["message"]
