"""What the header of a syslog message says, whatever its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detection.types import JsonValue


@dataclass(frozen=True, slots=True)
class Said:
    """One message without its priority. `service`, `happened_at`: None if the header does not say."""

    message: str
    service: str | None = None
    happened_at: float | None = None
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)
