"""The picture of how a failure spread, posted in the incident's thread after the diagnosis."""

from __future__ import annotations

import structlog

from detection.chain import Chain, chain_line, path_of
from integrations.cards import Card, CardPicture
from integrations.charts import render_png
from integrations.text import ours
from storage import diagnoses
from workers.diagnosis.pipeline import verdict_of
from workers.errors import NotYetError
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.chain_chart import chain_chart
from workers.telling.enqueue import enqueue_thread_message
from workers.telling.picture import GIVEN_UP_SECONDS, TRY_AGAIN_SECONDS
from workers.words.spread import LONGEST_CHAIN
from workers.words.text import quoted

log = structlog.get_logger()

LEAST_LINKS = 2
"""A failure that spread to one other service is told in a line; a picture would say no more."""


def is_worth_a_picture(chain: Chain | None) -> bool:
    """Return whether a picture says more of the chain than its line."""
    return chain is not None and chain.origin is not None and len(chain.links) >= LEAST_LINKS


def chain_card(line: str, reference: str) -> Card:
    """Return the message that shows an uploaded picture of the chain, beside its line."""
    text = ours("{chain}", chain=quoted(line, LONGEST_CHAIN))
    return Card(title="How it spread", text=text, picture=CardPicture(reference, line))


def draw_chain(services: Services, diagnosis_id: int, since: float, is_answer: bool) -> None:
    """Draw and upload the chain of a diagnosis, and enqueue the message that shows it.

    A picture that fails is tried again each minute for an hour after `since` (seconds, UTC), and is then left out:
    the diagnosis tells the chain in a line.
    """
    with one_at_a_time(services, f"chain:{diagnosis_id}"):
        with services.readers() as session:
            diagnosis = diagnoses.get_diagnosis(session, diagnosis_id)
            incident_id = diagnosis.incident_id
            verdict = verdict_of(diagnosis)
        chain = verdict.chain if verdict is not None else None
        if chain is None or chain.origin is None or not is_worth_a_picture(chain):
            return
        line = chain_line(chain.origin, path_of(chain), chain.victims)
        try:
            png = render_png(chain_chart(chain.origin, path_of(chain)))
            reference = services.chat.upload_picture(png, filename=f"chain-{incident_id}.png", alt_text=line)
        except Exception as error:
            # Whatever is wrong with a picture, it must not become a stuck job that a person has to look at.
            log.warning("no_picture", diagnosis_id=diagnosis_id, error=str(error), error_type=type(error).__name__)
            if services.clock().timestamp() - since > GIVEN_UP_SECONDS:
                return
            raise NotYetError(f"no picture: {error}", after_seconds=TRY_AGAIN_SECONDS) from error
        card = chain_card(line, reference)
        now, channel = services.clock(), services.settings.slack_channel
        with services.sessions.begin() as session:
            key = f"chain:{diagnosis_id}"
            enqueue_thread_message(
                session, incident_id, key=key, card=card, channel=channel, now=now, is_answer=is_answer
            )
