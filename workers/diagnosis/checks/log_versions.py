"""Does only the version that a deploy brought say what is said too much?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detection.types import Deploy, LogRecord, Metric
from storage.telemetry.protocol import TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.checks.versions import is_version
from workers.diagnosis.checks.windows import Window, before_window
from workers.diagnosis.model import Characterisation, Evidence, Hypothesis, Outcome, Symptom
from workers.words.text import counted, query_text, quoted, version_name

LINES_READ = 5_000
ENOUGH_LINES = 10
"""Lines of other versions from which their silence about it says something."""

_VARIES = "…"


@dataclass(frozen=True, slots=True)
class Said:
    """Lines since the onset that say it, by this version and by others; and what others said beside and before that."""

    mine: int
    others: int
    others_beside: int
    others_before: int


def log_version_split(
    hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore
) -> Evidence | None:
    """Sort the lines of the service's first log template by version.

    None where no template of the deploy's service is a symptom, or no line that says it names its version.
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
    said = split_lines(lines, symptom.name, deploy, onset=described.onset_earliest)
    if said.mine + said.others == 0:
        return None
    result, weight = judge(said, deploy, quoted(symptom.name, 120))
    return Evidence(
        check="lines_by_version",
        hypothesis_key=hypothesis.key,
        query=query_text("log_samples", **asked),
        source="telemetry",
        result=result,
        data={
            "version": deploy.version,
            "this_version": said.mine,
            "other_versions": said.others,
            "other_lines_of_other_versions": said.others_beside + said.others_before,
        },
        outcome=Outcome.DATA if weight else Outcome.NO_DATA,
        weight=weight,
    )


def split_lines(lines: Sequence[LogRecord], name: str, deploy: Deploy, *, onset: float) -> Said:
    """Sort the lines that name their version; name: the template in words, “Charge for … failed”."""
    pieces = [" ".join(piece.split()) for piece in name.strip("“”").split(_VARIES)]
    versioned = [line for line in lines if line.version]
    since = [line for line in versioned if line.happened_at >= onset]
    saying = [line for line in since if _says(line.body, pieces)]
    mine = sum(is_version(line.version, deploy) for line in saying)
    others_since = sum(not is_version(line.version, deploy) for line in since)
    others_before = sum(line.happened_at < onset and not is_version(line.version, deploy) for line in versioned)
    return Said(mine, len(saying) - mine, others_since - (len(saying) - mine), others_before)


def judge(said: Said, deploy: Deploy, name: str) -> tuple[str, float]:
    """The answer in words, and its weight; 0 where there is nothing to compare with."""
    version = f"version {version_name(deploy)}"
    if said.mine == 0:
        return f"{name} is said by other versions only ({counted(said.others, 'line')}).", weights.VERSION_FINE
    mine = counted(said.mine, "line")
    if said.others:
        return (
            f"{name} is said by {version} ({mine}), and by others too ({said.others:,}).",
            weights.OTHER_VERSIONS_AS_BAD,
        )
    if said.others_beside >= ENOUGH_LINES:
        words = f"{name} is said by {version} alone ({mine}); others said {said.others_beside:,} lines beside it."
        return words, weights.ONLY_THIS_VERSION_BAD_IN_THE_SAME_MINUTES
    if said.others_before >= ENOUGH_LINES:
        words = f"{name} is said by {version} alone ({mine}); others said {said.others_before:,} lines before, none so."
        return words, weights.ONLY_THIS_VERSION_BAD
    return f"{name} is said by {version} ({mine}); no lines of other versions are kept.", 0.0


def _is_template_of(symptom: Symptom, deploy: Deploy) -> bool:
    is_template = symptom.name.startswith("“")
    return symptom.metric is Metric.LOG_RATE and symptom.service == deploy.service and is_template


def _says(body: str, pieces: Sequence[str]) -> bool:
    """Whether the words of a template stand in a line, in their order."""
    text, place = " ".join(body.split()), 0
    for piece in pieces:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True
