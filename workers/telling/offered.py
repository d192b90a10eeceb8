"""Which buttons have nothing behind them, because a system is not connected."""

from __future__ import annotations

from collections.abc import Mapping

from storage import incidents
from workers.services import Services
from workers.settings import Settings
from workers.telling.enqueue import enqueue_refresh


def unset_buttons(settings: Settings) -> Mapping[str, str]:
    """Return why each such button does nothing, by its action: "Jira is not connected: JIRA_URL is not set …"."""
    jira = {"JIRA_URL": settings.jira_url, "JIRA_EMAIL": settings.jira_email, "JIRA_TOKEN": settings.jira_token}
    teams = {"TEAMS_WEBHOOK_URL": settings.teams_webhook_url}
    reasons = {"create_ticket": _reason("Jira", jira), "escalate": _reason("Teams", teams)}
    return {action_id: reason for action_id, reason in reasons.items() if reason}


def offer_anew(services: Services) -> None:
    """Have the messages of open incidents drawn again: a system may have been connected since, or taken away.

    A message that shows the same as before is not edited.
    """
    now = services.clock()
    with services.sessions.begin() as session:
        for incident in incidents.active_incidents(session):
            enqueue_refresh(session, incident.id, key=f"offer:{incident.id}:{now.timestamp()}", now=now)


def _reason(system: str, values: Mapping[str, object]) -> str:
    missing = [name for name, value in values.items() if not value]
    if not missing:
        return ""
    are = "is" if len(missing) == 1 else "are"
    return f"{system} is not connected: {' and '.join(missing)} {are} not set. Whoever runs Argux can add that."
