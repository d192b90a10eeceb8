"""The channel-neutral message: built once by a worker, rendered by each channel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from detection.types import Severity


class ActionStyle(StrEnum):
    """How loud a button is."""

    DEFAULT = "default"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class CardAction:
    """A button. `action_id` says what it does (`acknowledge`); `value` says to what (an incident or proposal id)."""

    action_id: str
    label: str
    value: str
    style: ActionStyle = ActionStyle.DEFAULT
    confirm: str | None = None


@dataclass(frozen=True, slots=True)
class CardLink:
    """A link that opens outside the channel, such as a pull request."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class CardPicture:
    """A chart already uploaded to the channel (`reference` is the channel's own id of it) and its words."""

    reference: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class Card:
    """One message. `text` and `sections` are Markdown of the small common kind: **bold**, `code`, lists, ``` fences.

    title: one line. fields: (label, value) pairs. context: a small last line. Sections longer than a channel
    takes are split or cut by its renderer, never by the builder.
    """

    title: str
    severity: Severity | None = None
    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    sections: tuple[str, ...] = ()
    picture: CardPicture | None = None
    actions: tuple[CardAction, ...] = ()
    links: tuple[CardLink, ...] = ()
    context: str = ""


@dataclass(frozen=True, slots=True)
class Modal:
    """A dialog that asks for one decision: the body is read, `submit_label` decides, `value` comes back with it.

    Without a `submit_label` there is nothing to decide. `dialog_id` is ours, by which an open dialog is found again.
    """

    callback_id: str
    title: str
    submit_label: str
    value: str
    sections: tuple[str, ...] = ()
    code: str = ""
    code_language: str = ""
    fields: tuple[tuple[str, str], ...] = field(default=())
    dialog_id: str = ""


MOMENT = re.compile(r"<t:(\d{1,11})>")


def moment(at: float) -> str:
    """A moment inside a card's text: each channel shows it in its reader's own zone. `at` is seconds, UTC."""
    return f"<t:{int(at)}>"
