"""A fixture for tests that open databases themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from storage.database.session import create_database


@pytest.fixture
def open_database() -> Iterator[Callable[[str], Engine]]:
    """`create_database`, with the engines disposed of at the end of the test."""
    engines: list[Engine] = []

    def opened(url: str) -> Engine:
        engines.append(create_database(url))
        return engines[-1]

    yield opened
    for engine in engines:
        engine.dispose()
