"""The dialog of Create Jira ticket: it asks for the fields that the project wants and Argux cannot know."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from integrations.cards import Modal, ModalInput
from integrations.errors import IntegrationError
from integrations.protocols import TicketField
from integrations.text import Markup, bullets, lines, ours
from workers.errors import NotConfiguredError, RefusedError
from workers.services import Services
from workers.telling import dialogs

log = structlog.get_logger()

ACTION = "create_ticket"
CALLBACK = "ticket_fields"
LONGEST_ANSWER = 1000


def fields_to_ask(services: Services) -> tuple[TicketField, ...]:
    """Return the fields that a person has to fill; none if Jira does not tell, and making the ticket then finds out.

    Those that were missing when a ticket was refused are among them, because a workflow may want more than Jira tells.
    """
    refused = dialogs.questions(services, ACTION)
    try:
        if not refused and not services.tickets.check_creating():
            return ()
        fields = services.tickets.fields_to_ask(refused)
    except (IntegrationError, NotConfiguredError) as error:
        log.info("ticket_fields_not_read", error=str(error))
        return ()
    dialogs.note_questions(services, ACTION, [field.name for field in fields])
    return fields


def show(services: Services, incident_id: int, trigger_id: str, fields: Sequence[TicketField], *, user_id: str) -> None:
    """Open the dialog with an input for each field. Raise RefusedError, which the person is told, if it cannot ask."""
    if impossible := [field for field in fields if field.fault]:
        raise RefusedError(_impossible_text(impossible))
    dialogs.show(services, trigger_id, _modal(incident_id, fields), user_id=user_id)


def _impossible_text(fields: Sequence[TicketField]) -> Markup:
    """Name the fields that no dialog can ask for, and say how to mend it."""
    them = "it" if len(fields) == 1 else "them"
    named = bullets(ours("**{label}**: {fault}", label=field.label, fault=field.fault) for field in fields)
    return lines(
        [
            ours("No ticket was created. The Jira project wants what Argux cannot ask for here:"),
            named,
            ours(
                "In Jira, give {them} a default or make {them} optional for this issue type. Then press "
                "Create Jira ticket again; until then, create the ticket in Jira.",
                them=them,
            ),
        ]
    )


def _modal(incident_id: int, fields: Sequence[TicketField]) -> Modal:
    return Modal(
        callback_id=CALLBACK,
        title=dialogs.TITLES[ACTION],
        submit_label="Create ticket",
        value=str(incident_id),
        sections=(ours("The Jira project wants this filled in. Argux writes the rest of the ticket."),),
        inputs=tuple(
            ModalInput(field.name, field.label, LONGEST_ANSWER, choices=field.choices, hint=field.hint)
            for field in fields
        ),
    )
