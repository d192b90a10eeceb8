"""How people are called."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from integrations.errors import IntegrationError
from workers.services import Services

log = structlog.get_logger()


def display_name(services: Services, user_id: str, handle: str) -> str:
    """The name a person chose to be shown by; their handle where the channel does not tell."""
    try:
        return services.chat.user(user_id).name
    except IntegrationError as error:
        log.warning("name_not_found", error=str(error))
        return handle or user_id


NAMED = 5
"""So many people are named one by one; each name is a question to the channel."""


def listed_names(services: Services, user_ids: Sequence[str]) -> str:
    """Such as "Ana, Ben and 3 others"; people whom the channel does not know are among the others."""
    names = [name for user_id in user_ids[:NAMED] if (name := display_name(services, user_id, "")) != user_id]
    others = len(user_ids) - len(names)
    if others:
        names.append(f"{others} {'other' if others == 1 else 'others'}" if names else "the people chosen for it")
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
