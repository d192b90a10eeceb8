"""Tell the channel once that Argux itself is late or cannot do something, and once that all is well again."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from integrations.cards import Card
from integrations.errors import PermanentError
from integrations.text import Markup, bullets, lines, ours, stored
from storage import outbox
from storage.cursors import read_cursor, save_cursor
from workers.errors import NotConfiguredError
from workers.services import Services
from workers.watching.delays import TOLD_SECONDS, Delays, delays

log = structlog.get_logger()

JOB = "tell_delays"
_CURSOR = "delays"


def enqueue_delays_message(services: Services) -> None:
    """Enqueue a message when something has been late or failing for a minute, and another one when that is over."""
    with services.readers() as session:
        found = delays(services, session)
        told = bool((read_cursor(session, _CURSOR) or {}).get("told"))
    if _is_lasting(found) and not told:
        text = lines([bullets(found.sentences()), ours("What can be judged is judged all the same.")])
        _tell(services, "Argux does not keep up", text, told=True)
    elif told and not found.sentences():
        _tell(services, "Argux keeps up again", ours("Everything is judged in time."), told=False)


def _is_lasting(found: Delays) -> bool:
    troubles = found.tick.troubles if found.tick is not None else ()
    failing_since = [one.since for one in troubles]
    failing_since += [found.unread.since] if found.unread is not None else []
    is_failing = any(found.now - since >= timedelta(seconds=TOLD_SECONDS) for since in failing_since)
    return is_failing or found.longest_lag_seconds > TOLD_SECONDS


def _tell(services: Services, title: str, text: Markup, *, told: bool) -> None:
    now = services.clock()
    with services.sessions.begin() as session:
        _enqueue(session, title, text, now)
        save_cursor(session, _CURSOR, {"told": told}, now=now)


def _enqueue(session: Session, title: str, text: Markup, now: datetime) -> None:
    key = f"delays:{now.timestamp()}"
    outbox.enqueue(session, JOB, {"title": title, "text": text, "key": key}, key=key, now=now)


def tell_delays(services: Services, title: str, text: str, key: str) -> None:
    """Post the message. A channel that refuses it is told elsewhere; the doctor and the status show the same."""
    card = Card(title=title, text=stored(text), context=ours("`argux doctor` and `/argux status` say how it stands."))
    try:
        services.chat.post(services.settings.slack_channel, card, idempotency_key=key, look_first=True)
    except (PermanentError, NotConfiguredError) as error:
        log.warning("delays_not_told", error=str(error))
    with services.sessions.begin() as session:
        outbox.finish_running(session, services.clock())
