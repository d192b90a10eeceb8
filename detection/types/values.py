"""What everything else is made of: JSON values and arrays."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

Integers: TypeAlias = NDArray[np.int64]

Floats: TypeAlias = NDArray[np.float64]
