"""The alert of an export: what Argux itself found worst, in the words and numbers of a monitor."""

from __future__ import annotations

from bot.exporting.incident import Gathered, Noticed, moment
from detection.types import AlertDetails, Finding, Metric
from workers.words.findings import finding_sentence

_MOST_SENTENCES = 5


def alert_of(gathered: Gathered) -> dict[str, object]:
    """Return alert.json. An incident without a readable finding is told by its title and its onset."""
    worst = gathered.findings[0] if gathered.findings else None
    return {
        "alert_id": f"argux-{gathered.incident_id}",
        "monitor": gathered.title,
        "service": (worst.finding.subject.service if worst else None) or gathered.service,
        "severity": str(gathered.severity),
        "fired_at": moment(_fired_at(worst) if worst else gathered.onset_at),
        "onset_at": moment(gathered.onset_at),
        **(_numbers(worst.finding) if worst else {}),
        "summary": " ".join(sentence_of(item.finding) for item in gathered.findings[:_MOST_SENTENCES]),
    }


def sentence_of(finding: Finding) -> str:
    """Return a finding in one line; of another monitor's alert also what that monitor said."""
    said = str(finding_sentence(finding))
    details = finding.details
    more = details.summary if isinstance(details, AlertDetails) and details.summary not in said else ""
    return f"{said.rstrip('.')}. {more}".strip()


def metric_of(finding: Finding) -> str:
    """Return what was measured: a custom metric's own name, else the kind of metric and the endpoint."""
    if finding.metric in (Metric.CUSTOM, Metric.ALERT):
        return finding.subject.name
    return " ".join(part for part in (str(finding.metric), finding.subject.endpoint or "") if part)


def _numbers(finding: Finding) -> dict[str, object]:
    metric: dict[str, object] = {"metric": metric_of(finding)}
    if isinstance(finding.details, AlertDetails):
        return metric | dict(finding.details.values)
    return metric | {"observed": finding.observed, "threshold": finding.expected_high, "expected": finding.expected}


def _fired_at(worst: Noticed) -> float:
    """Return the latest time at which it can have begun: an alert fires at the end of what it measured, not before."""
    return min(worst.finding.onset_interval[1], worst.noticed_at)
