"""People's display names."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from integrations.errors import IntegrationError
from workers.errors import NotConfiguredError
from workers.services import Services

log = structlog.get_logger()


def display_name(services: Services, user_id: str, handle: str) -> str:
    """Return a person's display name in the chat; their handle, else their id, when the lookup fails."""
    try:
        return services.chat.user(user_id).name
    except (IntegrationError, NotConfiguredError) as error:
        log.warning("name_not_found", error=str(error))
        return handle or user_id


MAXIMUM_NAMES = 5
"""How many people are listed by name; each name costs one request to the chat."""


def listed_names(services: Services, user_ids: Sequence[str]) -> str:
    """Return a list such as "Ana, Ben and 3 others". People whose lookup fails count among the others."""
    names = [name for user_id in user_ids[:MAXIMUM_NAMES] if (name := display_name(services, user_id, "")) != user_id]
    others = len(user_ids) - len(names)
    if others:
        names.append(f"{others} {'other' if others == 1 else 'others'}" if names else "the people chosen for it")
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
