"""Validate the elements inside blocks, and build the payload that Slack sends for a choice in one.

Limits: https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

from integrations.local.slack.block_kit.schema import (
    Check,
    Findings,
    Json,
    all_of,
    any_text,
    anything,
    array,
    at_least_one,
    boolean,
    number,
    one_of,
    plain_text,
    shape,
    string,
    tagged,
)

CONFIRM = shape(
    {"title": plain_text(100), "text": any_text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": one_of("primary", "danger")},
)
OPTION = shape({"text": any_text(75), "value": string(150)}, {"description": any_text(75), "url": string(3000)})
OPTIONS = array(OPTION, 100)


def _action_id(value: object, pointer: str, findings: Findings) -> None:
    string(255)(value, pointer, findings)
    if isinstance(value, str):
        if value in findings.action_ids:
            findings.add(f"action_id {value!r} already exists", pointer)
        findings.action_ids.add(value)


def _element(kind: str, required: dict[str, Check], optional: dict[str, Check]) -> Check:
    shared: dict[str, Check] = {"action_id": _action_id, "confirm": CONFIRM, "focus_on_load": boolean}
    return shape({"type": one_of(kind), **required}, {**shared, **optional})


def _slack_file(value: object, pointer: str, findings: Findings) -> None:
    all_of(shape({}, {"id": string(255), "url": string(3000)}), at_least_one(("id", "url")))(value, pointer, findings)
    if not isinstance(value, dict):
        return
    named = value.get("id") or str(value.get("url", "")).rstrip("/").rsplit("/", 1)[-1]
    if not findings.file_exists(str(named)):
        findings.add("invalid slack file", pointer)


PICTURE: dict[str, Check] = {"image_url": string(3000), "slack_file": _slack_file}
IMAGE = all_of(
    shape({"type": one_of("image"), "alt_text": string(2000)}, PICTURE), at_least_one(("image_url", "slack_file"))
)
BUTTON = _element(
    "button",
    {"text": plain_text(75)},
    {
        "value": string(2000),
        "url": string(3000),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
    },
)
OVERFLOW = _element("overflow", {"options": array(OPTION, 5)}, {})
STATIC_SELECT = _element(
    "static_select", {"options": OPTIONS}, {"placeholder": plain_text(150), "initial_option": OPTION}
)
RADIO_BUTTONS = _element("radio_buttons", {"options": array(OPTION, 10)}, {"initial_option": OPTION})
CHECKBOXES = _element("checkboxes", {"options": array(OPTION, 10)}, {"initial_options": array(OPTION, 10)})
DATEPICKER = _element("datepicker", {}, {"placeholder": plain_text(150), "initial_date": string(10)})
PLAIN_TEXT_INPUT = _element(
    "plain_text_input",
    {},
    {
        "placeholder": plain_text(150),
        "initial_value": string(3000, 0),
        "multiline": boolean,
        "min_length": number,
        "max_length": number,
        "dispatch_action_config": anything,
    },
)

CHOOSERS = {
    "static_select": STATIC_SELECT,
    "radio_buttons": RADIO_BUTTONS,
    "checkboxes": CHECKBOXES,
    "datepicker": DATEPICKER,
}
ACTION_ELEMENT = tagged({"button": BUTTON, "overflow": OVERFLOW, **CHOOSERS})
ACCESSORY = tagged({"button": BUTTON, "overflow": OVERFLOW, "image": IMAGE, **CHOOSERS})
INPUT_ELEMENT = tagged({"plain_text_input": PLAIN_TEXT_INPUT, **CHOOSERS})
CONTEXT_ELEMENT = tagged(
    {"image": IMAGE, "plain_text": any_text(2000), "mrkdwn": any_text(2000)},
)


def _chosen(element: Json, values: list[str]) -> list[Json]:
    options = element.get("options")
    return [option for option in options if option["value"] in values] if isinstance(options, list) else []


def choice(element: Json, value: str | list[str] | None) -> Json:
    """Return what Slack sends for an element with the entered `value`, in an action or in a view's state.

    `value` is an option's value (a list for checkboxes), an ISO date or a text; None means the initial value.
    """
    kind = element["type"]
    values = value if isinstance(value, list) else [value] if value is not None else []
    if kind == "plain_text_input":
        return {"value": value if value is not None else element.get("initial_value")}
    if kind == "datepicker":
        return {"selected_date": value if value is not None else element.get("initial_date")}
    if kind == "checkboxes":
        chosen = _chosen(element, values) if value is not None else element.get("initial_options", [])
        return {"selected_options": chosen}
    if kind in ("static_select", "radio_buttons", "overflow"):
        options = _chosen(element, values)
        return {"selected_option": options[0] if options else element.get("initial_option")}
    return {"value": element["value"]} if element.get("value") is not None else {}
