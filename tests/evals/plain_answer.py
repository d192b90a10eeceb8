"""An answer as a plain value: of a case whose investigation failed, and of tests of the graders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """Abstains from everything unless told otherwise."""

    case: str = ""
    root_cause_commit: str | None = None
    confidence: float = 0.0
    ranked: tuple[tuple[str, float], ...] = ()
    cause: str = "unknown"
    first_failing_service: str | None = None
    blast_radius: tuple[str, ...] = ()
    remediation: str | None = None
    origin_service: str | None = None
    propagation_path: tuple[tuple[str, str], ...] = ()
    decisions: Mapping[str, str] = field(default_factory=dict)
    coverage: str = ""
    seconds: float = 0.0
    problems: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
