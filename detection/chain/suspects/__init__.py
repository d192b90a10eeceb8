"""How oddly each part behaves during an incident against a time without a fault: spans, logged events, metrics."""

from detection.chain.suspects.behaviour import Call, Occurrence
from detection.chain.suspects.missing_calls import missing_calls
from detection.chain.suspects.ranking import ClueKind, Reading, Suspect
from detection.chain.suspects.windows import suspects_of_windows, windows_without

__all__ = [
    "Call",
    "ClueKind",
    "Occurrence",
    "Reading",
    "Suspect",
    "missing_calls",
    "suspects_of_windows",
    "windows_without",
]
