"""How many records one pass of a roll-up takes: as many as a short transaction can."""

from __future__ import annotations

FIRST_SIZE = 1_000
SMALLEST_SIZE = 50
AIM_SECONDS = 0.1
"""How long the transaction of one pass is to last. On SQLite an append waits for it."""


class PassSize:
    """The size of the passes of one kind of record, corrected by the time that each pass took."""

    def __init__(self) -> None:
        self.records = FIRST_SIZE

    def measured(self, taken: int, seconds: float) -> None:
        """Set the size of the next pass from the time of this one; it grows only after a pass that was full."""
        factor = min(max(AIM_SECONDS / max(seconds, 1e-6), 0.25), 2.0)
        if factor < 1.0 or taken >= self.records:
            self.records = max(SMALLEST_SIZE, int(self.records * factor))
