"""The answer to one exported incident."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Investigation:
    """What Argux says about one exported incident.

    root_cause_commit: a SHA, "none" if no change did it, or None where Argux does not know. ranked: each candidate, a
    SHA, "none" or the key of a cause, with its probability, likeliest first. cause: the kind of cause, such as "deploy"
    or "third_party"; "unknown". propagation_path: (cause, victim) pairs. decisions: by page id, "page" or "suppress".
    what_to_do: the remedy in words, with names; empty where there are none. coverage: one line on what was checked, was
    empty and could not be reached. problems: what of the folder could not be read. story: the sentences that people are
    told. evidence: one line a piece, with the number it is cited by. raw_confidence: what the evidence alone gave,
    before it was calibrated. confidence is that of root_cause_commit; cause_confidence that of the cause, 0 where none
    is named; none_confidence that no change did it, None unless that is the conclusion.
    """

    case: str
    root_cause_commit: str | None = None
    confidence: float = 0.0
    ranked: tuple[tuple[str, float], ...] = ()
    cause: str = "unknown"
    first_failing_service: str | None = None
    blast_radius: tuple[str, ...] = ()
    remediation: str | None = None
    what_to_do: str = ""
    origin_service: str | None = None
    propagation_path: tuple[tuple[str, str], ...] = ()
    decisions: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    coverage: str = ""
    seconds: float = 0.0
    problems: tuple[str, ...] = ()
    story: tuple[str, ...] = ()
    raw_confidence: float = 0.0
    evidence: tuple[str, ...] = ()
    cause_confidence: float = 0.0
    none_confidence: float | None = None
