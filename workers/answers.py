"""Answers to `/argux …`: the state of things, shown only to the one who asked."""

from __future__ import annotations

from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from integrations.cards import Card, moment
from storage import deploys, funnels, incidents, outbox
from storage.models import Incident
from workers.incident_cards import CLOSED, STATUS_WORDS
from workers.services import Services

SHOWN = 10

HELP = """`/argux status` — is anything broken right now, and is Argux itself well
`/argux incidents` — the newest incidents; add `open` or `resolved` to see only those
`/argux help` — this list"""


def answer_command(
    services: Services, text: str, response_url: str, user_id: str = "", user_name: str = "", channel: str = ""
) -> None:
    """Answer a slash command through the address it came with; what is not understood is answered with help."""
    words = text.split()
    command = words[0].lower() if words else "help"
    with services.readers() as session:
        match command:
            case "status" if len(words) == 1:
                card = status_card(services, session)
            case "incidents" if len(words) <= 2 and (len(words) == 1 or words[1].lower() in list(IncidentStatus)):
                card = incidents_card(session, IncidentStatus(words[1].lower()) if len(words) == 2 else None)
            case "help":
                card = Card(title="What Argux understands", text=HELP)
            case _:
                card = Card(title="What Argux understands", text=f"I don't know `/argux {text[:100]}`. Try:\n{HELP}")
    services.chat.respond(response_url, card)


def status_card(services: Services, session: Session) -> Card:
    """What is broken, what is watched, and whether anything of Argux's own waits for a person."""
    active = incidents.active_incidents(session)
    dead = len(outbox.dead_letters(session))
    deploy = deploys.latest_deploy(session, None)
    watched = len(funnels.list_funnels(session))
    fields = [("Watching", f"{watched} funnel{'' if watched == 1 else 's'} and every endpoint that sends spans")]
    if deploy is not None:
        fields.append(
            ("Last deploy", f"{deploy.service} `{deploy.version[:7]}` {moment(deploy.deployed_at.timestamp())}")
        )
    if dead:
        fields.append(("Stuck jobs", f"{dead}: `argux doctor` says which"))
    title = "All quiet" if not active else f"{len(active)} open incident{'s' if len(active) > 1 else ''}"
    return Card(title=title, text="\n".join(_line(incident) for incident in active[:SHOWN]), fields=tuple(fields))


def incidents_card(session: Session, status: IncidentStatus | None) -> Card:
    """The newest incidents, one line each."""
    rows = incidents.list_incidents(session, status=status, limit=SHOWN)
    title = "Incidents" if status is None else f"Incidents: {STATUS_WORDS[status].lower()}"
    return Card(title=title, text="\n".join(_line(incident) for incident in rows) or "None yet.")


def _line(incident: Incident) -> str:
    ended = (
        f", closed {moment(incident.closed_at.timestamp())}" if incident.closed_at and incident.status in CLOSED else ""
    )
    return (
        f"- **#{incident.id}** {incident.severity.upper()} {incident.title}: {STATUS_WORDS[incident.status].lower()}, "
        f"since {moment(incident.onset_at.timestamp())}{ended}"
    )
