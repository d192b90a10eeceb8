"""Check whether only the deployed version writes the log template that increased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detection.types import Deploy, LogRecord, Metric
from integrations.text import Markup, ours
from storage.telemetry.protocol import TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.checks.versions import is_version
from workers.diagnosis.checks.windows import Window, before_window
from workers.diagnosis.model import Characterisation, Evidence, Hypothesis, Outcome, Symptom
from workers.words.text import counted, query_text, quoted, version_name

LINES_READ = 5_000
ENOUGH_LINES = 10
"""Log records of other versions needed to conclude that they do not write the template."""

_VARIES = "…"


@dataclass(frozen=True, slots=True)
class TemplateCounts:
    """Log records that match a template, by version.

    mine, others: matching records since the onset, of the deploy's version and of other versions. others_beside,
    others_before: records of other versions since the onset that do not match, and all of them before the onset.
    """

    mine: int
    others: int
    others_beside: int
    others_before: int


def log_version_split(
    hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore
) -> Evidence | None:
    """Compare how many log records match the service's first log symptom, by version.

    None if no log template of the deploy's service is a symptom, or no matching record names its version.
    """
    deploy = hypothesis.deploy
    symptom = next((item for item in described.symptoms if deploy and _is_template_of(item, deploy)), None)
    if deploy is None or symptom is None:
        return None
    window = Window(before_window(described).since, described.asked_at)
    asked: dict[str, float | str | int] = {
        "service": deploy.service,
        "since": window.since,
        "until": window.until,
        "limit": LINES_READ,
    }
    lines = telemetry.log_samples(service=deploy.service, since=window.since, until=window.until, limit=LINES_READ)
    counts = count_matches(lines, symptom.name, deploy, onset=described.onset_earliest)
    if counts.mine + counts.others == 0:
        return None
    result, weight = judge(counts, deploy, quoted(symptom.name, 120))
    return Evidence(
        check="lines_by_version",
        hypothesis_key=hypothesis.key,
        query=query_text("log_samples", **asked),
        source="telemetry",
        result=result,
        data={
            "version": deploy.version,
            "this_version": counts.mine,
            "other_versions": counts.others,
            "other_lines_of_other_versions": counts.others_beside + counts.others_before,
        },
        outcome=Outcome.DATA if weight else Outcome.NO_DATA,
        weight=weight,
    )


def count_matches(lines: Sequence[LogRecord], name: str, deploy: Deploy, *, onset: float) -> TemplateCounts:
    """Count the log records that name their version; name: the template, such as “Charge for … failed”."""
    pieces = [" ".join(piece.split()) for piece in name.strip("“”").split(_VARIES)]
    versioned = [line for line in lines if line.version]
    since = [line for line in versioned if line.happened_at >= onset]
    matching = [line for line in since if _matches(line.body, pieces)]
    mine = sum(is_version(line.version, deploy) for line in matching)
    others_since = sum(not is_version(line.version, deploy) for line in since)
    others_before = sum(line.happened_at < onset and not is_version(line.version, deploy) for line in versioned)
    return TemplateCounts(mine, len(matching) - mine, others_since - (len(matching) - mine), others_before)


def judge(counts: TemplateCounts, deploy: Deploy, name: str) -> tuple[Markup, float]:
    """Return the result as text, and its weight; 0 if there are too few records of other versions."""
    version = ours("version {version}", version=version_name(deploy))
    if counts.mine == 0:
        return ours(
            "{name} is said by other versions only ({others}).", name=name, others=counted(counts.others, "line")
        ), weights.VERSION_FINE
    mine = counted(counts.mine, "line")
    if counts.others:
        return (
            ours(
                "{name} is said by {version} ({mine}), and by others too ({others}).",
                name=name,
                version=version,
                mine=mine,
                others=f"{counts.others:,}",
            ),
            weights.OTHER_VERSIONS_AS_BAD,
        )
    if counts.others_beside >= ENOUGH_LINES:
        words = ours(
            "{name} is said by {version} alone ({mine}); others said {others_beside} lines beside it.",
            name=name,
            version=version,
            mine=mine,
            others_beside=f"{counts.others_beside:,}",
        )
        return words, weights.ONLY_THIS_VERSION_BAD_IN_THE_SAME_MINUTES
    if counts.others_before >= ENOUGH_LINES:
        words = ours(
            "{name} is said by {version} alone ({mine}); others said {others_before} lines before, none so.",
            name=name,
            version=version,
            mine=mine,
            others_before=f"{counts.others_before:,}",
        )
        return words, weights.ONLY_THIS_VERSION_BAD
    return ours(
        "{name} is said by {version} ({mine}); no lines of other versions are kept.",
        name=name,
        version=version,
        mine=mine,
    ), 0.0


def _is_template_of(symptom: Symptom, deploy: Deploy) -> bool:
    is_template = symptom.name.startswith("“")
    return symptom.metric is Metric.LOG_RATE and symptom.service == deploy.service and is_template


def _matches(body: str, pieces: Sequence[str]) -> bool:
    """Whether a log message contains the fixed parts of a template in their order."""
    text, place = " ".join(body.split()), 0
    for piece in pieces:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True
