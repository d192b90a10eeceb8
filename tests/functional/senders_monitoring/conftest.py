"""Tools that these senders need, and what to do where one is missing."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str, how: str) -> NoReturn:
    """Fail in CI where a tool is missing; skip on a developer's machine."""
    reason = f"{what} is not installed: {how}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
