"""The incident's root message: one for each incident, edited in place, always to its newest state."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from integrations.cards import NOTHING, Card
from integrations.errors import (
    ChannelRefusedError,
    MessageGoneError,
    NotEditableError,
    PictureNotReadyError,
    ThreadRefusedError,
)
from integrations.protocols import MessageReference
from integrations.text import stored, theirs
from storage import deliveries, outbox
from storage.models import Delivery
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.channels import pace
from workers.telling.channels.sending import sending, take_turn
from workers.telling.enqueue import CARD, enqueue_refresh, wake_thread
from workers.telling.holding_back import hold_back_if_quiet, late_reason
from workers.telling.incident_view import incident_view
from workers.telling.offered import unset_buttons
from workers.telling.picture import current_picture, wanted_phase
from workers.telling.quiet_reasons import quiet_time_of
from workers.telling.root_card import root_card
from workers.watching.still_broken import sentences, still_broken_though_closed

log = structlog.get_logger()

PICTURE_TRIES = 8
"""How often the message is edited to show a picture that the channel does not accept yet: for about four minutes."""


def refresh_incident(services: Services, incident_id: int) -> None:
    """Post the incident's root message, or edit it when its content has changed."""
    with one_at_a_time(services, f"root:{incident_id}"):
        root = _root(services, incident_id)
        if root is None:
            return
        rendered = _render(services, incident_id, root)
        if root.message_id is None or root.content_hash != card_hash(rendered.card):
            configured = root.content.get("configured", services.settings.slack_channel)
            channel = services.settings.slack_channel if root.message_id is None else configured
            name = f"root:{incident_id}"
            lane = pace.Lane.EDIT if root.message_id else rendered.lane
            take_turn(services, root, channel, name, lane)
            with sending(services, root, channel, name):
                shown = _show_without_picture_if_refused(services, root, rendered.card)
            _mark_shown(services, root, shown, rendered.content)
        _have_drawn(services, root.id, rendered.phase)


def message_given_up(services: Services, incident_id: int, reason: str) -> None:
    """Mark the root message undelivered after its last try, so that no thread message waits for it."""
    with services.sessions.begin() as session:
        root = deliveries.root_delivery(session, incident_id)
        if root is not None and root.message_id is None:
            deliveries.mark_undelivered(session, root, reason)
            wake_thread(session, incident_id, services.clock())


def post_anew(services: Services, incident_id: int, gone: MessageReference) -> bool:
    """Have the root message posted anew, because the one that `gone` names cannot be answered any more.

    Return False when that was done before and did not help.
    """
    with services.sessions.begin() as session:
        root = deliveries.root_delivery(session, incident_id)
        if root is None or root.message_id != gone.message_id:
            return True
        times = root.content.get("posted_anew", 0)
        if times >= 2:
            return False
        kept = {name: value for name, value in root.content.items() if name != deliveries.SHOWN_IN}
        root.content = {**kept, **deliveries.remembered(root), "posted_anew": times + 1}
        root.message_id = root.content_hash = None
        root.status = "pending"
        enqueue_refresh(session, incident_id, key=f"anew:{root.id}:{gone.message_id}", now=services.clock())
        return True


def card_hash(card: Card) -> str:
    """Return a digest of what a card shows."""
    canonical = json.dumps(CARD.dump_python(card, mode="json"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Rendered:
    """The card for the incident's current state. phase: what its chart is to show, if it does not yet."""

    card: Card
    phase: str | None
    content: dict[str, Any]
    lane: pace.Lane


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the channel shows. root: the message whose thread goes on. content: what to store with it."""

    root: MessageReference
    card: Card
    content: dict[str, Any] = field(default_factory=dict)
    forgotten: tuple[str, ...] = ()


def _root(services: Services, incident_id: int) -> Delivery | None:
    """Return the root delivery, created if new; None while its incident is quiet and nothing was posted."""
    with services.sessions.begin() as session:
        root = deliveries.root_delivery(session, incident_id) or deliveries.create_delivery(
            session,
            key=f"root:{incident_id}",
            incident_id=incident_id,
            purpose="root",
            channel=services.settings.slack_channel,
            content={},
            now=services.clock(),
        )
        if root.message_id is None and hold_back_if_quiet(services, session, root):
            return None
        session.flush()
        session.expunge(root)
        return root


def _render(services: Services, incident_id: int, root: Delivery) -> _Rendered:
    with services.readers() as session:
        view = incident_view(session, incident_id)
        quiet = quiet_time_of(session, view.incident, services.clock())
    told_late = stored(root.content.get("told_late") or "") or late_reason(services, view.incident, root.content)
    picture = current_picture(root.content)
    unset = unset_buttons(services.settings)
    broken = sentences(still_broken_though_closed(services, view.incident, services.clock()))
    card = root_card(
        view,
        picture,
        quiet=quiet.text if quiet else NOTHING,
        told_late=told_late,
        still_broken=theirs(broken),
        unset=unset,
    )
    lane = pace.Lane.LATER if view.incident.status.is_closed else pace.Lane.FIRST
    return _Rendered(card, wanted_phase(view, root.content), {"told_late": told_late}, lane)


def _show_without_picture_if_refused(services: Services, root: Delivery, card: Card) -> _Shown:
    """Show the card; without its picture while the channel does not accept that."""
    try:
        return _show(services, root, card)
    except PictureNotReadyError as error:
        log.info("picture_left_out", incident_id=root.incident_id, error=str(error))
        tries = root.content.get("picture_tries", 0) + 1
        shown = _show(services, root, replace(card, picture=None))
        given_up = ("reference", "alt_text") if tries > PICTURE_TRIES else ()
        return replace(
            shown,
            content={**shown.content, "picture_tries": tries},
            forgotten=(*shown.forgotten, *given_up),
        )


def _show(services: Services, root: Delivery, card: Card) -> _Shown:
    """Post the card, or edit the message that shows it. A message that cannot be edited is followed by another one."""
    if root.message_id is None:
        return _post(services, root, card, root.key)
    message = MessageReference(root.channel, root.message_id)
    stand_in = root.content.get(deliveries.SHOWN_IN)
    try:
        services.chat.update(MessageReference(root.channel, stand_in or root.message_id), card)
        return _Shown(message, card)
    except MessageGoneError:
        return _post(services, root, card, f"{root.key}:after:{stand_in or root.message_id}")
    except ChannelRefusedError:
        if root.content.get("configured") in (None, services.settings.slack_channel):
            raise
        # The incident's messages move to the channel that is set.
        return _post(services, root, card, f"{root.key}:after:{stand_in or root.message_id}")
    except NotEditableError as error:
        log.warning("message_not_editable", incident_id=root.incident_id, error=str(error))
        key = f"{root.key}:edit:{card_hash(card)[:16]}"
        look_first = root.attempts > 0
        try:
            posted = services.chat.post(root.channel, card, idempotency_key=key, thread=message, look_first=look_first)
        except (ThreadRefusedError, MessageGoneError):
            posted = services.chat.post(root.channel, card, idempotency_key=key, look_first=look_first)
        return _Shown(message, card, {deliveries.SHOWN_IN: posted.message_id})


def _post(services: Services, root: Delivery, card: Card, key: str) -> _Shown:
    channel = services.settings.slack_channel
    posted = services.chat.post(channel, card, idempotency_key=key, look_first=root.attempts > 0)
    return _Shown(posted, card, {"configured": channel}, (deliveries.SHOWN_IN,))


def _mark_shown(services: Services, before: Delivery, shown: _Shown, content: dict[str, Any]) -> None:
    """Record what the channel shows, and have a picture that it did not accept tried again."""
    now = services.clock()
    with services.sessions.begin() as session:
        root = deliveries.get_delivery(session, before.id)
        assert root.incident_id is not None
        kept = {name: value for name, value in root.content.items() if name not in shown.forgotten}
        if _is_elsewhere(root, shown):
            kept |= deliveries.remembered(root)
        root.channel, root.content = shown.root.channel, {**kept, **content, **shown.content}
        deliveries.mark_delivered(
            session, root, message_id=shown.root.message_id, content_hash=card_hash(shown.card), now=now
        )
        root.attempts = 0
        tries = shown.content.get("picture_tries", 0)
        if tries:
            key = f"picture-again:{root.incident_id}:{root.content.get('reference')}:{tries}"
            enqueue_refresh(session, root.incident_id, key=key, now=now, delay_seconds=2.0**tries)
        wake_thread(session, root.incident_id, now)


def _have_drawn(services: Services, root_id: int, phase: str | None) -> None:
    """Enqueue the drawing of the chart for a phase, once."""
    if phase is None:
        return
    now = services.clock()
    with services.sessions.begin() as session:
        root = deliveries.get_delivery(session, root_id)
        if root.content.get("drawing") == phase:
            return
        root.content = {**root.content, "drawing": phase}
        arguments = {"incident_id": root.incident_id, "phase": phase, "since": now.timestamp()}
        key = f"draw:{root.incident_id}:{phase}:{now.timestamp()}"
        outbox.enqueue(session, "draw_picture", arguments, key=key, now=now)


def _is_elsewhere(root: Delivery, shown: _Shown) -> bool:
    """Return whether another message shows the card than the one stored. The earlier one may keep its buttons."""
    now_shown = {(shown.root.channel, shown.root.message_id)}
    if stand_in := shown.content.get(deliveries.SHOWN_IN):
        now_shown.add((shown.root.channel, stand_in))
    return root.message_id is not None and not now_shown <= set(deliveries.places(root))
