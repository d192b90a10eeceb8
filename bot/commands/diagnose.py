"""What `argux diagnose` prints: the latest diagnosis of an incident, or whether its evidence gives the same answer."""

from __future__ import annotations

from rich.console import Console
from sqlalchemy.orm import Session

from bot.commands.errors import CommandError
from integrations.cards import as_text
from integrations.wording import plain
from storage import diagnoses, incidents
from storage.errors import StorageError
from storage.models import Diagnosis
from workers.diagnosis.job import diagnosis_card
from workers.diagnosis.replay import replay
from workers.errors import RefusedError, told_plainly
from workers.services import Services


def show(services: Services, incident_id: int, console: Console) -> None:
    """Print the latest diagnosis. Raises CommandError if none has ended."""
    with services.readers() as session:
        diagnosis = _latest(session, incident_id)
        if diagnosis is None:
            raise CommandError(f"Incident #{incident_id} has no diagnosis yet.")
        if diagnosis.status == "running":
            raise CommandError(f"The diagnosis of incident #{incident_id} is still running; ask again in a minute.")
        if diagnosis.status == "failed":
            raise CommandError(f"The diagnosis of incident #{incident_id} failed; its thread says why.")
        console.print(plain(as_text(diagnosis_card(diagnosis))), soft_wrap=True)


def run_replay(services: Services, incident_id: int, console: Console) -> int:
    """Print whether the stored evidence gives the same answer again; return the exit code, 1 if not.

    Raises CommandError if there is no finished diagnosis.
    """
    with services.readers() as session:
        try:
            replayed = replay(_latest(session, incident_id))
        except RefusedError as refusal:
            raise CommandError(f"Incident #{incident_id}: {told_plainly(refusal)}") from refusal
    sure = f"{replayed.verdict.status}, {100 * replayed.verdict.confidence:.0f} % sure"
    if not replayed.differences:
        console.print(f"Diagnosis {replayed.diagnosis_id} gives the same answer again: {sure}.")
        return 0
    console.print(f"Diagnosis {replayed.diagnosis_id} gives another answer now: {sure}.")
    for difference in replayed.differences:
        console.print(f"  {difference}", soft_wrap=True)
    return 1


def _latest(session: Session, incident_id: int) -> Diagnosis | None:
    """Return the latest diagnosis. Raises CommandError for an unknown incident."""
    try:
        incidents.get_incident(session, incident_id)
    except StorageError as error:
        raise CommandError(str(error)) from error
    return diagnoses.latest_diagnosis(session, incident_id)
