"""Answer the slash command `/argux …`. Only the person who asked sees the answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from detection.coverage import Watched, WatchState
from detection.types import IncidentStatus
from integrations.cards import NOTHING, Card, as_text, moment
from integrations.errors import IntegrationError, PermanentError
from integrations.protocols import Standing
from integrations.text import Markup, bullets, code, lines, ours, theirs
from storage import deploys, incidents, maintenance, outbox
from storage.errors import StorageError
from storage.models import Incident, MaintenanceWindow
from workers.clicks.cause import answer_cause
from workers.errors import NotConfiguredError, RefusedError, told
from workers.lifecycle.grouping import RELAPSE_MINUTES
from workers.services import Services
from workers.telling.channels.outages import held_texts
from workers.telling.channels.private_messages import post_privately
from workers.telling.permissions import member
from workers.telling.quiet_reasons import maintenance_text
from workers.telling.root_card import STATUS_WORDS
from workers.triage.answer import triage_card, woken_card
from workers.watching.delays import delays
from workers.watching.states import WORDS, counts, sentence, watched_states
from workers.watching.still_broken import closed_by_hand

log = structlog.get_logger()

SHOWN = 10

HELP = ours("""`/argux status` — is anything broken right now, and is Argux itself well
`/argux incidents` — the newest incidents; add `open` or `resolved` to see only those
`/argux cause 12 right` — the cause that incident 12 names was right; or `wrong`, and then what it really was
`/argux triage` — which alerts fire, who is told and why; `/argux woken 12` — number 12 should have woken you
`/argux help` — this list""")


def answer_command(
    services: Services, text: str, response_url: str, user_id: str = "", user_name: str = "", channel: str = ""
) -> None:
    """Answer a slash command through its response URL, else by a private message. An unknown command gets the help."""
    if user_id and (reason := _refusal(services, user_id)):
        _answer(services, Card(title="Not for you", text=reason), response_url, channel, user_id)
        return
    words = text.split()
    command = words[0].lower() if words else "help"
    if command == "cause" and user_id:
        card = _cause(services, words[1:], user_id=user_id)
        _answer(services, card, response_url, channel, user_id)
        return
    with services.readers() as session:
        match command:
            case "status" if len(words) == 1:
                card = status_card(services, session)
            case "incidents" if len(words) <= 2 and (len(words) == 1 or words[1].lower() in list(IncidentStatus)):
                card = incidents_card(session, IncidentStatus(words[1].lower()) if len(words) == 2 else None)
            case "triage" if len(words) == 1:
                card = triage_card(session)
            case "woken" if len(words) == 2:
                card = woken_card(services, words[1].removeprefix("#"), user_id)
            case "help":
                card = Card(title="What Argux understands", text=HELP)
            case _:
                card = Card(title="What Argux understands", text=_unknown(text))
    _answer(services, card, response_url, channel, user_id)


def _answer(services: Services, card: Card, response_url: str, channel: str, user_id: str) -> None:
    """Answer at the response URL. One that is refused, used up or expired costs nobody the answer."""
    try:
        services.chat.respond(response_url, card)
    except (IntegrationError, NotConfiguredError) as error:
        log.warning("command_not_answered_there", user_id=user_id, error=str(error))
        post_privately(services, channel, user_id, as_text(card))


def _cause(services: Services, arguments: list[str], *, user_id: str) -> Card:
    """Let a member say whether a cause was right; the same people as may press the buttons."""
    try:
        name = member(services, user_id).name
        return answer_cause(services, arguments, user_id=user_id, user_name=name)
    except (RefusedError, StorageError) as refusal:
        return Card(title="Not done", text=told(refusal))


def _unknown(text: str) -> Markup:
    return ours("I don't know {command}. Try:\n{help}", command=code(f"/argux {text[:100]}"), help=HELP)


def command_given_up(services: Services, reason: str, **arguments: Any) -> None:
    """Tell the person who asked that there is no answer, by the response URL, else by a private message."""
    text = ours("This could not be answered: {reason}. Please ask again in a minute.", reason=reason)
    card = Card(title="No answer", text=text)
    _answer(services, card, arguments["response_url"], arguments.get("channel", ""), arguments.get("user_id", ""))


def _refusal(services: Services, user_id: str) -> Markup:
    """Return why this person may not ask: they are of another company, or it cannot be looked up; else nothing.

    Whoever is of another company may type the command in a channel that is shared through Slack Connect.
    """
    try:
        standing = services.people_memory.person(user_id).standing
    except PermanentError as error:
        return ours("Argux could not check who you are, so it tells nothing: {error}", error=error)
    if standing in (Standing.STRANGER, Standing.DEACTIVATED):
        return ours("Only people of this workspace may ask Argux.")
    return NOTHING


def status_card(services: Services, session: Session) -> Card:
    """Return the status card: active incidents, those closed by hand that are broken still, what is watched and muted,
    maintenance, recoveries, last deploy, stuck jobs, and whether Argux itself keeps up.
    """
    now = services.clock()
    active = incidents.active_incidents(session)
    hidden = closed_by_hand(services, session, now)
    dead, _ = outbox.count_dead_letters(session)
    deploy = deploys.latest_deploy(session, None)
    states = watched_states(services)
    late = delays(services, session).sentences()
    fields = [("Watching", theirs(_watching(states))), *(("Argux itself", sentence) for sentence in late)]
    fields += [("Muted", _muted(incident)) for incident in incidents.muted(session, now)[-SHOWN:]]
    fields += [("Maintenance", _window(window, now)) for window in maintenance.windows_not_over(session, now)]
    recovered = incidents.self_recovered(session, now - timedelta(minutes=RELAPSE_MINUTES))
    fields += [("Back to usual", _recovered(incident)) for incident in recovered[-SHOWN:]]
    if deploy is not None:
        fields.append(
            (
                "Last deploy",
                ours(
                    "{service} {version} at {live}",
                    service=deploy.service,
                    version=code(deploy.version[:7]),
                    live=moment(deploy.deployed_at.timestamp()),
                ),
            )
        )
    if dead:
        fields.append(("Stuck jobs", ours("{dead}: `argux jobs list` says which", dead=dead)))
    if held := held_texts(session, services.settings.timezone):
        fields.append(("Held messages", theirs("; ".join(held[:SHOWN]))))
    can_be_judged = not late and all(one.state is not WatchState.INSUFFICIENT_DATA for one in states)
    shown = [_line(incident) for incident in active[:SHOWN]] + _more(len(active), "open")
    shown += [ours("- **{broken}**", broken=one.text) for one in hidden[:SHOWN]]
    shown += _more(len(hidden), "closed by hand and still broken")
    return Card(
        title=_title(len(active), len(hidden), can_be_judged=can_be_judged),
        text=lines(shown),
        fields=tuple(fields),
        sections=_insufficient(states),
    )


def _more(count: int, what: str) -> list[Markup]:
    """Return a line about those that are not shown; none if all are."""
    return [ours("… and {count} more {what}", count=f"{count - SHOWN:,}", what=what)] if count > SHOWN else []


def _title(active: int, hidden: int, *, can_be_judged: bool) -> str:
    """Such as "2 open incidents, 1 closed by hand and still broken"; quiet only when neither is there."""
    parts = [f"{active} open incident{'s' if active > 1 else ''}"] if active else []
    parts += [f"{hidden} closed by hand and still broken"] if hidden else []
    if parts:
        return ", ".join(parts)
    return "All quiet" if can_be_judged else "Nothing is known to be broken"


def _muted(incident: Incident) -> Markup:
    """Such as "#3 POST /checkout is slow: a false alarm (load test), until 12:50"."""
    assert incident.muted_until is not None
    why = ours(" ({reason})", reason=incident.closing_reason) if incident.closing_reason else NOTHING
    return ours(
        "#{number} {title}: a false alarm{why}, until {end}",
        number=incident.id,
        title=incident.title,
        why=why,
        end=moment(incident.muted_until.timestamp()),
    )


def _recovered(incident: Incident) -> Markup:
    """Such as "#3 POST /checkout is slow: resolved by Argux at 12:50"."""
    assert incident.closed_at is not None
    closed = moment(incident.closed_at.timestamp())
    return ours(
        "#{number} {title}: resolved by {who} at {closed}",
        number=incident.id,
        title=incident.title,
        who=incident.closed_by,
        closed=closed,
    )


def _watching(states: Sequence[Watched]) -> str:
    """Such as "34 things: 30 ok, 1 broken, 3 with insufficient data"."""
    found = counts(states)
    if not states:
        return "nothing yet: no funnel is defined, and no endpoint, log or metric has been heard of"
    numbers = ", ".join(
        f"{found[state]} {'with ' if state is WatchState.INSUFFICIENT_DATA else ''}{WORDS[state]}"
        for state in WatchState
        if found[state]
    )
    return f"{len(states):,} thing{'s' if len(states) > 1 else ''}: {numbers}"


def _insufficient(states: Sequence[Watched]) -> tuple[Markup, ...]:
    """List what lacks data to be judged, and why: no incident about these does not mean they are healthy."""
    lacking = [one for one in states if one.state is WatchState.INSUFFICIENT_DATA]
    if not lacking:
        return ()
    parts = [ours("**Insufficient data**"), bullets(sentence(one) for one in lacking[:SHOWN])]
    if len(lacking) > SHOWN:
        parts.append(ours("… and {count} more: `GET /api/status`", count=f"{len(lacking) - SHOWN:,}"))
    return (lines(parts),)


def _window(window: MaintenanceWindow, now: datetime) -> Markup:
    """Such as "shop (new database) until 14:00: nobody is told"; with both times if it has not begun."""
    what = maintenance_text(window).removeprefix("maintenance of ")
    begin, end = moment(window.begins_at.timestamp()), moment(window.ends_at.timestamp())
    if window.begins_at > now:
        return ours("{what} from {begin} to {end}", what=what, begin=begin, end=end)
    return ours("{what} until {end}: nobody is told", what=what, end=end)


def incidents_card(session: Session, status: IncidentStatus | None) -> Card:
    """Return the newest incidents, of one status or all, one line each."""
    rows = incidents.list_incidents(session, status=status, limit=SHOWN)
    title = "Incidents" if status is None else f"Incidents: {STATUS_WORDS[status].lower()}"
    return Card(title=title, text=lines(_line(incident) for incident in rows) or ours("None yet."))


def _line(incident: Incident) -> Markup:
    state = NOTHING
    if incident.closed_at and incident.status.is_closed:
        closed = moment(incident.closed_at.timestamp())
        state = ours(", closed at {closed} by {who}", closed=closed, who=incident.closed_by)
    elif incident.snoozed_until:
        state = ours(", snoozed until {end}", end=moment(incident.snoozed_until.timestamp()))
    return ours(
        "- **#{number}** {severity} {title}: {status}, since {onset}{state}",
        number=incident.id,
        severity=incident.severity.upper(),
        title=incident.title,
        status=STATUS_WORDS[incident.status].lower(),
        onset=moment(incident.onset_at.timestamp()),
        state=state,
    )
