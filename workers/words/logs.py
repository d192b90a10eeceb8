"""Findings about logs in words. Variable parts of a template are shown as “…”."""

from __future__ import annotations

from detection.logs.findings import NEW_DETECTOR, PATTERN_DETECTOR
from detection.logs.masks import WILDCARD
from detection.types import Finding, LogDetails, Severity
from integrations.text import visible
from workers.words.text import counted

TEXT_LENGTH = 80
_FATAL = ("fatal", "crit", "alert", "emerg", "panic")
_MUCH_WORSE = 10.0
_NO_DETAILS = LogDetails(
    onset_low=0.0,
    onset_high=0.0,
    bucket_seconds=60.0,
    text="",
    sample="",
    severity="",
    window_minutes=10.0,
    line_count=0,
    baseline_lines=1,
    baseline_hours=0.0,
    past_incident_lines=0,
)
"""The details of a finding whose own are not known."""


def log_subject(finding: Finding, limit: int = TEXT_LENGTH) -> str:
    """Return such as “Connection refused to …” or pattern “memory”; without details, the subject's name."""
    details = _details(finding)
    if finding.detector == PATTERN_DETECTOR:
        return f"pattern “{finding.subject.name}”"
    return f"“{readable(details.text, limit)}”" if details.text else finding.subject.name


def log_sentence(finding: Finding, observed: str, expected: str) -> str:
    """Describe a finding about logs in one line; observed and expected are formatted rates."""
    details = _details(finding)
    subject, where = log_subject(finding), f" in {finding.subject.service}" if finding.subject.service else ""
    lines = f"{counted(finding.sample_size, 'line')} in {details.window_minutes:.0f} min"
    is_unheard_of = details.baseline_lines == 0
    if finding.detector == NEW_DETECTOR:
        if details.past_incident_lines:
            return f"{subject} is back{where}: {lines}, before only in past incidents"
        return f"{subject} is new{where}: {lines}, none in {_baseline(details)}"
    if finding.detector == PATTERN_DETECTOR:
        before = f"none in {_baseline(details)} before" if _is_known(details) else "the first of their kind"
        usual = before if is_unheard_of else f"normally {expected}"
        return f"{_capitalised(subject)}{where}: {lines}, {usual}"
    return log_rate_sentence(finding, observed, expected)


def log_rate_sentence(finding: Finding, observed: str, expected: str) -> str:
    """Say how often such a line is logged; observed and expected are formatted rates."""
    where = f" in {finding.subject.service}" if finding.subject.service else ""
    subject = log_subject(finding)
    if finding.detector == PATTERN_DETECTOR:
        subject = _capitalised(subject)
    return f"{subject} is logged {observed}{where}, normally {expected}"


def log_severity(finding: Finding) -> Severity:
    """Return the severity: as a pattern's author chose it; for a template, by its log level and its rise."""
    details = _details(finding)
    if details.pattern_severity is not None:
        return details.pattern_severity
    said = details.severity.lower()
    if said.startswith(_FATAL):
        return Severity.SEV2
    is_grave = said.startswith("err") and (finding.detector == NEW_DETECTOR or finding.ratio >= _MUCH_WORSE)
    return Severity.SEV3 if is_grave else Severity.SEV4


def readable(text: str, limit: int) -> str:
    """Return text from outside as one plain line of at most `limit` characters."""
    line = visible(text[: 20 * limit]).replace(WILDCARD, "…")
    return line if len(line) <= limit else line[: limit - 1].rstrip(" …") + "…"


def _is_known(details: LogDetails) -> bool:
    """Whether the service was observed for at least an hour before."""
    return details.baseline_hours >= 1


def _baseline(details: LogDetails) -> str:
    hours = details.baseline_hours
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _details(finding: Finding) -> LogDetails:
    return finding.details if isinstance(finding.details, LogDetails) else _NO_DETAILS


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
