"""How people are called."""

from __future__ import annotations

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
