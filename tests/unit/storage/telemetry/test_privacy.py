"""Hiding personal data in records."""

from __future__ import annotations

from typing import Any

import pytest

from detection.types import Event
from storage.telemetry.rows.privacy import Privacy


def hidden(privacy: Privacy, user_id: str = "u1", **properties: Any) -> Event:
    [event] = privacy.events([Event("e1", "view", user_id, 0.0, properties)])
    return event


def test_without_names_records_pass_untouched() -> None:
    events = [Event("e1", "view", "u1", 0.0, {"email": "ana@acme.example"})]
    assert Privacy().events(events) is events


def test_names_without_a_key_are_refused() -> None:
    with pytest.raises(ValueError, match="without a key"):
        Privacy(["email"])


def test_the_same_value_has_the_same_digest_under_one_key_and_another_under_another() -> None:
    privacy, other = Privacy(["email"], key=b"one"), Privacy(["email"], key=b"two")
    first = hidden(privacy, email="ana@acme.example").properties["email"]
    assert first == hidden(privacy, EMAIL="ana@acme.example").properties["EMAIL"]
    assert first != hidden(privacy, email="ben@acme.example").properties["email"]
    assert first != hidden(other, email="ana@acme.example").properties["email"]


def test_values_of_any_type_at_any_depth_are_hidden_and_the_rest_is_unchanged() -> None:
    event = hidden(
        Privacy(["phone"], key=b"k"), phone=[1, {"a": 2}], deep=[{"phone": 7, "plan": "free"}], none={"phone": None}
    )
    assert str(event.properties["phone"]).startswith("hidden:")
    deep = event.properties["deep"]
    assert isinstance(deep, list)
    [inner] = deep
    assert isinstance(inner, dict)
    assert str(inner["phone"]).startswith("hidden:")
    assert inner["plan"] == "free"
    assert event.properties["none"] == {"phone": None}


def test_dropping_removes_properties_but_keeps_people_apart() -> None:
    event = hidden(Privacy(["email", "user_id"], key=b"k", drop=True), email="ana@acme.example", distinct_id="u1", n=1)
    assert event.user_id.startswith("hidden:")
    assert event.properties == {"distinct_id": event.user_id, "n": 1}


def test_a_hidden_value_is_not_hidden_again_and_one_that_only_looks_hidden_is() -> None:
    privacy = Privacy(["user_id"], key=b"k")
    once = privacy.user_id("ana")
    assert privacy.user_id(once) == once
    assert privacy.user_id("hidden:ana") != "hidden:ana"
