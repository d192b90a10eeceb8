"""What the tests of the API share."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.scenarios.bot.api.test_funnel_api import SIGNUP


@pytest.fixture
def funnel(client: TestClient, operator: dict[str, str]) -> str:
    """Create a funnel and return its path."""
    return f"/api/funnels/{client.post('/api/funnels', json=SIGNUP, headers=operator).json()['id']}"
