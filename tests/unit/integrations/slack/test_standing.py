from __future__ import annotations

from typing import Any

import pytest

from integrations.protocols import Standing
from integrations.slack.standing import Home, home_of, standing_of

HOME = home_of({"team_id": "T1", "enterprise_id": None})
GRID = Home("T1", "E1")
ANA: dict[str, Any] = {"id": "U1", "team_id": "T1", "deleted": False, "is_bot": False}


@pytest.mark.parametrize(
    ("change", "home", "standing"),
    [
        ({}, HOME, Standing.MEMBER),
        ({"deleted": True}, HOME, Standing.DEACTIVATED),
        ({"is_bot": True}, HOME, Standing.BOT),
        ({"id": "USLACKBOT"}, HOME, Standing.BOT),
        ({"is_restricted": True}, HOME, Standing.GUEST),
        ({"is_ultra_restricted": True}, HOME, Standing.GUEST),
        ({"is_stranger": True}, HOME, Standing.STRANGER),
        ({"team_id": "T2"}, HOME, Standing.STRANGER),
        ({"team_id": "T2", "is_stranger": False}, HOME, Standing.STRANGER),
        ({"team_id": None}, HOME, Standing.STRANGER),
        ({"team_id": ""}, Home("", ""), Standing.STRANGER),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, GRID, Standing.MEMBER),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, GRID, Standing.STRANGER),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, HOME, Standing.STRANGER),
        ({"enterprise_user": "odd"}, GRID, Standing.MEMBER),
    ],
)
def test_who_is_a_member_and_who_is_not(change: dict[str, Any], home: Home, standing: Standing) -> None:
    assert standing_of({**ANA, **change}, home) is standing
