"""The Teams webhook of the local workspace: which cards it accepts and which it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.local.workspace import TEAMS_WEBHOOK, Json, Workspace

ADAPTIVE = "application/vnd.microsoft.card.adaptive"


def card(**more: Any) -> Json:
    return {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Help"}], **more}


def message(*cards: Json) -> Json:
    return {"type": "message", "attachments": [{"contentType": ADAPTIVE, "content": each} for each in cards]}


def test_a_card_is_accepted_and_survives_a_restart(workspace: Workspace) -> None:
    sent = card(
        body=[
            {"type": "TextBlock", "text": "Help"},
            {"type": "FactSet", "facts": [{"title": "Service", "value": "shop"}]},
            {"type": "ColumnSet", "columns": [{"items": [{"type": "TextBlock", "text": "left"}]}]},
        ],
        actions=[{"type": "Action.OpenUrl", "title": "Thread", "url": "https://example.com"}],
    )
    answer = workspace.page.post(TEAMS_WEBHOOK, json=message(sent))
    assert (answer.status_code, answer.text) == (202, "")
    workspace.restart()
    assert [post["cards"] for post in workspace.state()["teams"]] == [[sent]]


def test_a_wrong_secret_is_answered_with_404(shared_workspace: Workspace) -> None:
    assert shared_workspace.page.post("/teams/webhook/wrong", json=message(card())).status_code == 404


def test_a_message_larger_than_28_kilobytes_is_refused(shared_workspace: Workspace) -> None:
    large = card(body=[{"type": "TextBlock", "text": "x" * 28 * 1024}])
    assert shared_workspace.page.post(TEAMS_WEBHOOK, json=message(large)).status_code == 413


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
def test_an_invalid_card_is_refused_naming_the_location(shared_workspace: Workspace, sent: Json, problem: str) -> None:
    answer = shared_workspace.page.post(TEAMS_WEBHOOK, json=sent)
    assert answer.status_code == 400
    assert problem in answer.json()["error"]["message"]
