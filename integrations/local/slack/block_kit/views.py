"""Validate modal views as strictly as Slack does. Limits: https://docs.slack.dev/reference/views"""

from __future__ import annotations

from collections.abc import Callable

from integrations.local.slack.block_kit.blocks import Surface, interactive_elements, problems_of, with_ids
from integrations.local.slack.block_kit.elements import choice
from integrations.local.slack.block_kit.schema import (
    Findings,
    Json,
    anything,
    boolean,
    one_of,
    plain_text,
    shape,
    string,
)
from integrations.local.slack.errors import SlackError

VIEW_BYTES_LIMIT = 250_000

_MODAL = shape(
    {"type": one_of("modal"), "title": plain_text(24), "blocks": anything},
    {
        "submit": plain_text(24),
        "close": plain_text(24),
        "callback_id": string(255, 0),
        "external_id": string(255, 0),
        "private_metadata": string(3000, 0),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)


def accept(view: object, *, file_exists: Callable[[str], bool]) -> Json:
    """Check a modal and return it with ids filled in. Raises SlackError `invalid_arguments` with JSON pointers."""
    findings = Findings(file_exists)
    _MODAL(view, "/view", findings)
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", findings.problems)
    problems = findings.problems + problems_of(
        view.get("blocks"), Surface.MODAL, file_exists=file_exists, pointer="/view/blocks"
    )
    has_input = isinstance(view.get("blocks"), list) and any(
        isinstance(block, dict) and block.get("type") == "input" for block in view["blocks"]
    )
    if has_input and not view.get("submit"):
        problems.append("[ERROR] a view with an input block needs a submit [json-pointer:/view/submit]")
    if problems:
        raise SlackError("invalid_arguments", problems)
    return {**view, "blocks": with_ids(view["blocks"])}


def state_of(blocks: list[Json], values: dict[str, dict[str, str | list[str] | None]]) -> Json:
    """Return `view.state` as Slack sends it; `values` are the entered values by block_id and action_id."""
    state: dict[str, Json] = {}
    for block in blocks:
        for element in interactive_elements(block):
            if element["type"] in ("button", "overflow"):
                continue
            block_id, action_id = str(block["block_id"]), str(element["action_id"])
            entered = values.get(block_id, {}).get(action_id)
            state.setdefault(block_id, {})[action_id] = {"type": element["type"], **choice(element, entered)}
    return {"values": state}


def missing_inputs(blocks: list[Json], state: Json) -> dict[str, str]:
    """Return the required inputs that are empty: block_id to the message that Slack shows under the input."""
    values = state["values"]
    assert isinstance(values, dict)
    missing = {}
    for block in blocks:
        if block["type"] != "input" or block.get("optional"):
            continue
        for entry in values.get(block["block_id"], {}).values():
            if not any(content for name, content in entry.items() if name != "type"):
                missing[str(block["block_id"])] = "Please complete this required field."
    return missing
