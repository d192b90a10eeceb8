"""The text and property-value types of the API: only values that both databases can store."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import StringConstraints, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

STORABLE = r"^[^\x00]*$"
"""PostgreSQL cannot store a text that contains NUL, nor take one as a query parameter."""

Text = Annotated[str, StringConstraints(pattern=STORABLE)]
"""A text in a body, path or query that may reach the database."""


def _storable_value(value: Any, read: ValidatorFunctionWrapHandler) -> str | int | float | bool:
    """Validate a value, with one error message instead of one per type of the union."""
    try:
        plain: str | int | float | bool = read(value)
        if isinstance(plain, str) or math.isfinite(plain):
            return plain
    except (ValidationError, OverflowError):
        pass
    raise ValueError("give text (without NUL), a finite number of at most 64 bits, true or false")


PropertyValue = Annotated[Text | int | float | bool, WrapValidator(_storable_value)]
"""A value that an event property may be compared with."""
