"""A store that stands at the time of the incident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.investigate.throwaway import workshop
from tests.scenarios.bot.exporting.stored_incident import NOW
from workers.services import Services


@pytest.fixture
def stored() -> Iterator[Services]:
    with workshop() as shop, shop.services(now=NOW) as services:
        yield services
