"""msgspec's messages come out in plain words, and no pattern is ever shown."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from integrations.inbound.reading.batches import error_location


class Record(msgspec.Struct):
    text: str = ""
    coded: Annotated[str, Meta(pattern=r"^x[a-z]+$")] = "xy"
    short: Annotated[str, Meta(min_length=1, max_length=3)] = "a"
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    rate: Annotated[float, Meta(gt=0)] = 1.0
    names: Annotated[list[str], Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["a"])
    either: str | int | None = None
    flag: bool = False


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ('{"text": 1}', "text", "must be a text, not a whole number"),
        ('{"text": null}', "text", "must be a text, not null"),
        ('{"coded": "y"}', "coded", "is not written in the form that is wanted here"),
        ('{"short": ""}', "short", "must have at least 1 character"),
        ('{"short": "aaaa"}', "short", "must have at most 3 characters"),
        ('{"count": 0}', "count", "must be at least 1"),
        ('{"count": 10}', "count", "must be at most 9"),
        ('{"rate": 0}', "rate", "must be more than 0.0"),
        ('{"names": []}', "names", "must have at least 1 entry"),
        ('{"names": {}}', "names", "must be a list, not an object"),
        ('{"either": []}', "either", "must be a whole number or a text, not a list"),
        ('{"flag": "yes"}', "flag", "must be true or false, not a text"),
        ("[]", "", "must be an object, not a list"),
    ],
)
def test_each_message_says_what_the_field_must_be(body: str, field: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(body, type=Record)

    assert error_location(caught.value) == (field, said)
