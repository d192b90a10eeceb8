"""Store events of funnel users by variant, as a sender's library would send them, and roll them up."""

from __future__ import annotations

from detection.types import Event
from storage.funnels import definition, list_funnels
from workers.services import Services


def visit(services: Services, variant: str, *, users: int, convert: int, hours_ago: float, wave: str = "") -> None:
    """Let `users` enter with this variant as their country; the first `convert` of them convert a minute later."""
    at = services.clock().timestamp() - hours_ago * 3600
    events = []
    for number in range(users):
        user = f"{variant}{wave}-{hours_ago}-{number}"
        events.append(Event(f"view-{user}", "page_view", user, at, {"page": "/signup", "country": variant}))
        if number < convert:
            events.append(Event(f"done-{user}", "signed_up", user, at + 60, {}))
    services.telemetry.append_events(events)
    roll_up(services)


def roll_up(services: Services) -> None:
    with services.readers() as session:
        watched = [definition(row) for row in list_funnels(session)]
    while services.telemetry.roll_up(watched, now=services.clock().timestamp()).events:
        pass
