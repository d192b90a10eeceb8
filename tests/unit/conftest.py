"""The same examples and the same terminal on every machine."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# No example has to be quick on a busy machine.
settings.register_profile("argux", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("argux")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed has neither the colours nor the width that CI or a developer asks for."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
