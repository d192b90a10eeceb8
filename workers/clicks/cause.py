"""What people say about a diagnosis: it was right, it was wrong, or what the cause really was."""

from __future__ import annotations

from sqlalchemy.orm import Session

from integrations.cards import NOTHING, Card
from integrations.text import Markup, code, ours, words
from storage import audit, diagnoses, incidents
from storage.models import Diagnosis
from storage.outcomes import LONGEST_CAUSE_TEXT, Source, word_on
from workers.diagnosis.certainty.judging import judge
from workers.errors import RefusedError
from workers.services import Services
from workers.telling.enqueue import enqueue_thread_message

USAGE = ours("Write `/argux cause 12 right`, or `/argux cause 12 wrong` and then what the real cause was.")


def say_cause(
    services: Services,
    session: Session,
    diagnosis: Diagnosis,
    *,
    is_right: bool,
    true_cause: str = "",
    actor: str,
    user_id: str,
) -> bool:
    """Record a person's word, and tell it in the thread; return whether it says anything new.

    A later word of anybody replaces it. Raises RefusedError if the diagnosis named no cause.
    """
    now = services.clock()
    true_cause = true_cause.strip()[:LONGEST_CAUSE_TEXT]
    before = word_on(session, diagnosis.id, Source.PERSON)
    if before is not None and before.is_right == is_right and true_cause in ("", before.true_cause):
        return False
    judge(session, diagnosis, source=Source.PERSON, is_right=is_right, said_by=actor, true_cause=true_cause, now=now)
    said = _timeline_text(diagnosis, is_right=is_right, true_cause=true_cause)
    incidents.add_timeline(session, diagnosis.incident_id, kind="cause", actor=actor, text=said, now=now)
    enqueue_thread_message(
        session,
        diagnosis.incident_id,
        key=f"cause:{diagnosis.id}:{'right' if is_right else 'wrong'}:{now.timestamp()}",
        card=cause_card(diagnosis.incident_id, is_right=is_right, true_cause=true_cause, actor=actor),
        channel=services.settings.slack_channel,
        now=now,
        is_answer=True,
    )
    payload = {"incident_id": diagnosis.incident_id, "diagnosis_id": diagnosis.id, "user_id": user_id}
    event = "cause_right" if is_right else "cause_wrong"
    audit.append(session, key=services.audit_key, actor=actor, event=event, payload=payload, now=now)
    return True


def cause_card(incident_id: int, *, is_right: bool, true_cause: str, actor: str) -> Card:
    """Return the thread's message about a person's word."""
    counts = ours("It counts for how sure the next diagnoses may be.")
    if is_right:
        title, told = "The cause was right", ours("{who} says so.", who=actor)
    else:
        title, told = "The cause was wrong", _wrong(incident_id, actor, true_cause)
    return Card(title=title, text=words([told, _real(true_cause) if is_right else NOTHING, counts]))


def _wrong(incident_id: int, actor: str, true_cause: str) -> Markup:
    if true_cause:
        return words([ours("{who} says so.", who=actor), _real(true_cause)])
    how = code(f"/argux cause {incident_id} wrong …")
    return ours("{who} says so. {how} takes what it really was.", who=actor, how=how)


def _real(true_cause: str) -> Markup:
    return ours("It was: {cause}", cause=true_cause) if true_cause else NOTHING


def _timeline_text(diagnosis: Diagnosis, *, is_right: bool, true_cause: str) -> str:
    verdict = "right" if is_right else "wrong"
    return f"Said that diagnosis {diagnosis.id} was {verdict}{': ' + true_cause if true_cause else '.'}"


def answer_cause(services: Services, arguments: list[str], *, user_id: str, user_name: str) -> Card:
    """Do what `/argux cause ID right|wrong [the real cause …]` asks, and return the answer. ID is the incident's."""
    usage = Card(title="How to say whether a cause was right", text=USAGE)
    if len(arguments) < 2 or not _is_id(arguments[0].removeprefix("#")) or arguments[1].lower() not in _VERDICTS:
        return usage
    incident_id, is_right = int(arguments[0].removeprefix("#")), _VERDICTS[arguments[1].lower()]
    with services.sessions.begin() as session:
        incidents.get_incident(session, incident_id)
        diagnosis = diagnoses.latest_diagnosis(session, incident_id)
        if diagnosis is None or diagnosis.status == "running":
            raise RefusedError("This incident has no finished diagnosis yet.")
        true_cause = " ".join(arguments[2:])
        say_cause(
            services,
            session,
            diagnosis,
            is_right=is_right,
            true_cause=true_cause,
            actor=user_name,
            user_id=user_id,
        )
    return Card(title="Noted", text=ours("Thank you: the incident's thread shows it."))


_VERDICTS = {"right": True, "wrong": False}
_LONGEST_ID = 9


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID
