"""Channel-neutral messages: a worker builds a card once, and each channel renders it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from detection.types import Severity
from integrations.text import Markup, lines, link, listed, ours

NOTHING = Markup("")


class ActionStyle(StrEnum):
    """The visual style of a button."""

    DEFAULT = "default"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class CardAction:
    """A button. `action_id` names the action (`acknowledge`); `value` is the incident's or proposal's id."""

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
    """A chart that was uploaded to the channel: the channel's own id of the file, and the alternative text."""

    reference: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class Card:
    """One message. `text`, `sections`, the values of `fields` and `context` are Markup: text of ours.

    All other texts are shown as the plain characters they are. title: one line. fields: (label, value) pairs. context:
    a last line in small print. The channel's renderer splits or cuts sections that are too long for the channel; the
    builder of the card never does.
    """

    title: str
    severity: Severity | None = None
    text: Markup = NOTHING
    fields: tuple[tuple[str, Markup], ...] = ()
    sections: tuple[Markup, ...] = ()
    picture: CardPicture | None = None
    actions: tuple[CardAction, ...] = ()
    links: tuple[CardLink, ...] = ()
    context: Markup = NOTHING


@dataclass(frozen=True, slots=True)
class ModalInput:
    """What a dialog asks for: a line of text or, with `choices`, one of these (value, label) pairs.

    `name` identifies the answer in the submission. hint: small print under it.
    """

    name: str
    label: str
    limit: int = 200
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Modal:
    """A dialog that asks for one decision.

    The button `submit_label` submits it, and `value` comes back with the submission, as do the answers to `inputs`.
    Without a `submit_label` the dialog only shows text. `code` is text of theirs, shown as it is. `dialog_id` is our
    own id, used to update an open dialog.
    """

    callback_id: str
    title: str
    submit_label: str
    value: str
    sections: tuple[Markup, ...] = ()
    code: str = ""
    code_language: str = ""
    fields: tuple[tuple[str, Markup], ...] = field(default=())
    inputs: tuple[ModalInput, ...] = ()
    dialog_id: str = ""


def moment(at: float) -> Markup:
    """Return the markup for a time in a card; each channel shows it in the reader's time zone. `at` is seconds, UTC."""
    return Markup(f"<t:{int(at)}>")


def as_text(card: Card) -> Markup:
    """Return the card as one text of ours, without its picture and buttons, for where a card cannot be shown."""
    parts = [ours("**{title}**", title=card.title), card.text]
    parts += [ours("{label}: {value}", label=label, value=value) for label, value in card.fields]
    parts += [*card.sections, listed((link(one.label, one.url) for one in card.links), " · "), card.context]
    return lines(part for part in parts if part.strip())
