"""Whatever a key changes through the API is in the audit chain, with the key's name."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from storage.models import AuditEntry
from workers.services import Services

FUNNEL = {
    "name": "Signup",
    "steps": [
        {"name": "Visit", "event_filter": {"event": "visit"}},
        {"name": "Signup", "event_filter": {"event": "signup"}},
    ],
}
PATTERN = {"name": "oops", "expression": "oops", "severity": "sev3"}


@pytest.mark.parametrize(
    ("steps", "events"),
    [
        (
            [("POST", "funnels", FUNNEL), ("PATCH", "funnels/1", {"name": "Join"}), ("DELETE", "funnels/1", None)],
            ["funnel_created", "funnel_changed", "funnel_removed"],
        ),
        (
            [
                ("POST", "logs/patterns", PATTERN),
                ("PATCH", "logs/patterns/oops", {"enabled": False}),
                ("DELETE", "logs/patterns/oops", None),
            ],
            ["pattern_added", "pattern_switched", "pattern_removed"],
        ),
    ],
)
def test_a_change_through_the_api_is_in_the_audit_chain(
    client: TestClient,
    services: Services,
    operator: dict[str, str],
    steps: list[tuple[str, str, dict[str, object] | None]],
    events: list[str],
) -> None:
    for method, path, body in steps:
        answer = client.request(method, f"/api/{path}", json=body, headers=operator)
        assert answer.status_code < 300, answer.text

    with services.readers() as session:
        found = list(session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))
    assert [(entry.actor, entry.event) for entry in found] == [("ana", event) for event in events]
