"""What the API takes as text, and as the value of an event's property: only what both databases can keep."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import StringConstraints, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

STORABLE = r"^[^\x00]*$"
"""PostgreSQL keeps no text with a NUL in it, and cannot be asked for any."""

Text = Annotated[str, StringConstraints(pattern=STORABLE)]
"""Every text of a body, path or query that may meet the database."""


def _plain(value: Any, read: ValidatorFunctionWrapHandler) -> str | int | float | bool:
    """The value, or one refusal for all the kinds that it is not."""
    try:
        plain: str | int | float | bool = read(value)
        if isinstance(plain, str) or math.isfinite(plain):
            return plain
    except (ValidationError, OverflowError):
        pass
    raise ValueError("give text (without NUL), a finite number of at most 64 bits, true or false")


PropertyValue = Annotated[Text | int | float | bool, WrapValidator(_plain)]
"""What a property of an event may be compared with."""
