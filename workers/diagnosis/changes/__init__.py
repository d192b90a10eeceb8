"""What a change can do, read from its text by rules: no model, no I/O, any language."""

from workers.diagnosis.changes.effects import ChangeReading, Delay, Effect, EffectKind
from workers.diagnosis.changes.paths import is_shared, services_touched
from workers.diagnosis.changes.reading import read_change
from workers.diagnosis.changes.slow import makes_something_grow

__all__ = [
    "ChangeReading",
    "Delay",
    "Effect",
    "EffectKind",
    "is_shared",
    "makes_something_grow",
    "read_change",
    "services_touched",
]
