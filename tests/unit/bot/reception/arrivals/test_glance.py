"""What is shown of a record is what is stored of it."""

from __future__ import annotations

import pytest

from bot.reception.arrivals.glance import shortened, understood
from detection.types import Event

KEY = "argux_" + "aB3-_" * 8 + "xyz"


@pytest.mark.parametrize("name", ["token", "api_key", "whatever", "writeKey"])
def test_a_key_that_is_left_out_is_not_shown_among_the_properties(name: str) -> None:
    words = understood(Event("e1", "basket priced", "u1", 0.0, {"sku": "r7", name: KEY})).words
    assert words == "basket priced {sku}"


def test_a_property_that_is_called_like_a_key_and_is_none_is_shown() -> None:
    assert understood(Event("e1", "swapped", "u1", 0.0, {"token": "BTC"})).words == "swapped {token}"


def test_how_to_send_a_key_is_shown_and_a_key_is_not() -> None:
    assert shortened("Send `Authorization: Bearer argux_…` along.") == "Send `Authorization: Bearer argux_…` along."
    for secret in (KEY, "eyJhbGciOi", "argux_", "argux_…s3cret"):
        assert secret not in shortened(f"Authorization: Bearer {secret}").removeprefix("Authorization: Bearer ")
