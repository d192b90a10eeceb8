"""pydantic's messages come out in plain words, and no pattern is ever shown."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.reception.validation_words import plain


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = "a"
    coded: Annotated[str, StringConstraints(pattern=r"^x+$")] = "x"
    short: Annotated[str, StringConstraints(min_length=1, max_length=2)] = "a"
    count: int = Field(1, ge=1, le=9)
    rate: float = Field(1.0, gt=0, lt=9, allow_inf_nan=False)
    names: list[str] = Field(["a"], min_length=1, max_length=2)
    kind: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    at: datetime | None = None
    flag: bool = False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": 1}, "must be a text"),
        ({"coded": "y"}, "is not written in the form that is wanted here"),
        ({"short": ""}, "must have at least 1 character"),
        ({"short": "aaa"}, "must have at most 2 characters"),
        ({"count": "many"}, "must be a whole number"),
        ({"count": 1.5}, "must be a whole number"),
        ({"count": 0}, "must be greater than or equal to 1"),
        ({"count": 10}, "must be less than or equal to 9"),
        ({"rate": 0}, "must be greater than 0"),
        ({"rate": 9}, "must be less than 9"),
        ({"rate": float("nan")}, "must be a finite number"),
        ({"names": []}, "must have at least 1 entry"),
        ({"names": ["a", "b", "c"]}, "must have at most 2 entries"),
        ({"names": "a"}, "must be a list"),
        ({"kind": "c"}, "must be one of 'a' or 'b'"),
        ({"colour": "green"}, "must be one of 'red' or 'blue'"),
        ({"at": "noon"}, "must be a time, such as 2026-02-07T12:00:00Z"),
        ({"flag": "maybe"}, "must be true or false"),
        ({"other": 1}, "is an extra field, which is not permitted here; leave it out, or look at its spelling"),
    ],
)
def test_each_message_says_what_the_field_must_be(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate(change)

    assert [plain(problem) for problem in caught.value.errors()] == [said]
