"""Who may do what in chat: only members of the workspace decide, and only named approvers merge."""

from __future__ import annotations

from integrations.errors import PermanentError
from integrations.protocols import ChannelUser, Standing
from workers.errors import NotAllowedError
from workers.services import Services
from workers.telling.names import listed_names

REASONS = {
    Standing.GUEST: "Guests may read incidents, but not decide about them. Ask a full member of the workspace.",
    Standing.STRANGER: "Only people of this workspace may decide here, and you belong to another one.",
    Standing.DEACTIVATED: "This account is deactivated, so nothing was done.",
    Standing.BOT: "Bots may not decide here; a person has to.",
}


def member(services: Services, user_id: str, *, fresh: bool = False, team_id: str | None = None) -> ChannelUser:
    """Return the person if they are a full member of the workspace; else raise NotAllowedError with the reason.

    team_id: the workspace that the click names; two workspaces may have people of the same id. Whoever cannot be looked
    up for good is refused; RetryableError passes, for the click waits until it can be checked.
    """
    try:
        person = services.people_memory.person(user_id, fresh=fresh)
    except PermanentError as error:
        raise NotAllowedError(f"Argux could not check who you are, so nothing was done: {error}") from error
    if person.standing is not Standing.MEMBER:
        raise NotAllowedError(REASONS[person.standing])
    if team_id and person.team_id and team_id != person.team_id:
        raise NotAllowedError(REASONS[Standing.STRANGER])
    return person


def approver(services: Services, user_id: str) -> ChannelUser:
    """Return the person if they are a member who may approve fixes, asked anew; else raise NotAllowedError."""
    person = member(services, user_id, fresh=True)
    allowed = services.settings.approver_ids
    if not allowed:
        raise NotAllowedError(
            "Nobody may approve fixes yet: APPROVER_IDS is empty. To let yourself approve, whoever runs Argux adds "
            f"your member id {user_id} to APPROVER_IDS and restarts it."
        )
    if user_id not in allowed:
        raise NotAllowedError(f"Only {listed_names(services, allowed)} may approve fixes here.")
    return person
