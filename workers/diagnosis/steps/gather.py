"""Step 3: run every check, read-only. A check that cannot answer reports that and does not stop the others."""

from __future__ import annotations

from dataclasses import replace

from storage.telemetry.protocol import TelemetryStore
from workers.diagnosis.causes.suspects import Suspects, added, check_deploy
from workers.diagnosis.checks.asking import asked, could_not_ask
from workers.diagnosis.checks.changes_known import changes_known
from workers.diagnosis.checks.commits import CommitsRead, check_commits, read_commits, too_slow
from workers.diagnosis.checks.log_versions import log_version_split
from workers.diagnosis.checks.places import mix_evidence, place_evidence, rates_unchanged
from workers.diagnosis.checks.queries import RepeatedStatement, query_count_change, repeated_statements
from workers.diagnosis.checks.surroundings import other_endpoints, traffic
from workers.diagnosis.checks.symptoms import symptom_evidence
from workers.diagnosis.checks.timing import deploy_timing, no_deploy
from workers.diagnosis.checks.versions import version_split
from workers.diagnosis.model import (
    INCIDENT,
    Characterisation,
    CommitScore,
    DiagnosisSources,
    Evidence,
    Gathered,
    Hypothesis,
    Outcome,
)
from workers.diagnosis.scene.model import Observed
from workers.diagnosis.source_states import Source, SourceState

MOST_DEPLOYS_READ = 5

CODE_HOST_SECONDS = 120.0
"""How long the commits are read. Those of further deploys are then not asked for, because people wait for the rest."""


def gather(
    described: Characterisation, hypotheses: tuple[Hypothesis, ...], sources: DiagnosisSources, suspects: Suspects
) -> Gathered:
    """Return all evidence in the order in which it will be numbered, and the commits' scores.

    Reads the telemetry store and the code host; holds no transaction.
    """
    telemetry = sources.telemetry
    evidence: list[Evidence | None] = [symptom_evidence(symptom, described) for symptom in described.symptoms]
    statements: dict[str, list[RepeatedStatement]] = {}
    for hypothesis in hypotheses:
        key = hypothesis.key
        if hypothesis.cause == "n_plus_one":
            evidence.append(asked("query_count", key, query_count_change, hypothesis, described, telemetry))
            counted, repeated = _repeated(hypothesis, described, telemetry)
            evidence.append(counted)
            statements.setdefault(hypothesis.service or "", []).extend(repeated)
        elif hypothesis.cause == "segment":
            evidence.append(asked("segments", key, place_evidence, hypothesis, described, telemetry))
        elif hypothesis.cause == "mix":
            mix = asked("mix", key, mix_evidence, hypothesis, described, telemetry)
            evidence.append(mix)
            if mix is None or mix.outcome is not Outcome.ERROR:
                evidence += [rates_unchanged(deploy, mix) for deploy in hypotheses if deploy.deploy]
    if not any(hypothesis.deploy for hypothesis in hypotheses):
        evidence.append(no_deploy(described))
    evidence.append(changes_known(suspects.changes_known))
    evidence.append(asked("traffic", INCIDENT, traffic, described, telemetry))
    evidence.append(asked("other_endpoints", INCIDENT, other_endpoints, described, telemetry))
    from_deploys, commits, code_host = _deploys(described, hypotheses, statements, sources, suspects)
    suspicions = (*suspects.beside_deploys(), *suspects.mechanisms)
    from_scene = [item for suspicion in suspicions for item in suspicion.evidence]
    found = [*evidence, *from_deploys, *from_scene]
    observed = suspects.observed
    return Gathered(
        tuple(item for item in found if item is not None),
        commits,
        chain=observed.chain if observed.signs else None,
        sources=(*_with_read_commits(_needed(observed), commits), *code_host),
        changes_known=suspects.changes_known.count(),
    )


def _needed(observed: Observed) -> tuple[Source, ...]:
    """Return the sources that were asked, without a map that nothing needs: of a single part there is none to draw."""
    sources = observed.scene.sources
    if len(observed.parts) > 1:
        return sources
    return tuple(source for source in sources if source.name != "service map" or source.state is not SourceState.EMPTY)


def _with_read_commits(sources: tuple[Source, ...], commits: dict[str, tuple[CommitScore, ...]]) -> tuple[Source, ...]:
    """Return the sources, with the commits that the code host gave counted among those that the store holds."""
    read = sum(len(scores) for scores in commits.values())
    return tuple(
        replace(source, state=SourceState.DATA, count=read) if source.name == "commits" and read else source
        for source in sources
    )


def _repeated(
    hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore
) -> tuple[Evidence, tuple[RepeatedStatement, ...]]:
    try:
        return repeated_statements(hypothesis, described, telemetry)
    except Exception as error:  # noqa: BLE001 - what cannot be asked is told, and does not end the diagnosis
        return could_not_ask("repeated_statement", hypothesis.key, error), ()


def _deploys(
    described: Characterisation,
    hypotheses: tuple[Hypothesis, ...],
    statements: dict[str, list[RepeatedStatement]],
    sources: DiagnosisSources,
    suspects: Suspects,
) -> tuple[list[Evidence | None], dict[str, tuple[CommitScore, ...]], tuple[Source, ...]]:
    """Check the time and the version of every deploy; read the commits of the MOST_DEPLOYS_READ likeliest.

    A code host that does not answer is not asked for the next deploy's commits too: people wait for the rest. It is
    returned as a source that failed.
    """
    evidence: list[Evidence | None] = []
    failed: tuple[Source, ...] = ()
    commits: dict[str, tuple[CommitScore, ...]] = {}
    deploys = [hypothesis for hypothesis in hypotheses if hypothesis.deploy is not None]
    is_away, began = False, sources.clock()
    for place, hypothesis in enumerate(deploys):
        key, telemetry = hypothesis.key, sources.telemetry
        timing = asked("deploy_timing", key, deploy_timing, hypothesis, described, telemetry)
        evidence.append(asked("metric_by_version", key, version_split, hypothesis, described, telemetry))
        evidence.append(asked("lines_by_version", key, log_version_split, hypothesis, described, telemetry))
        if hypothesis.deploy is None:
            continue
        stored = suspects.commits.get(hypothesis.deploy.deploy_id, ())
        read = CommitsRead("commits_between", stored)
        if not stored and place < MOST_DEPLOYS_READ and not is_away:
            is_slow = (sources.clock() - began).total_seconds() > CODE_HOST_SECONDS
            read = too_slow(hypothesis.deploy, sources) if is_slow else read_commits(hypothesis.deploy, sources)
            is_away = read.is_away
            if read.error is not None:
                failed = (Source("the code host", SourceState.FAILED, error=read.error),)
        if read.commits or read.error is not None or read.not_asked is not None:
            found, scores = _commits(described, hypothesis, read, statements)
            evidence += found
            commits |= {key: scores} if scores else {}
        seen, scored = check_deploy(hypothesis, hypothesis.deploy, read.commits, suspects.observed)
        evidence += [_beside_trajectory(timing, seen), *seen]
        if scored:
            commits[key] = added(commits.get(key, ()), scored)
    return evidence, commits, failed


def _beside_trajectory(timing: Evidence | None, seen: list[Evidence]) -> Evidence | None:
    """Return the evidence of the time alone, without weight where the course of the metrics tells more."""
    if timing is None or not any(item.check == "trajectory" for item in seen):
        return timing
    return replace(timing, weight=0.0)


def _commits(
    described: Characterisation,
    hypothesis: Hypothesis,
    read: CommitsRead,
    statements: dict[str, list[RepeatedStatement]],
) -> tuple[list[Evidence], tuple[CommitScore, ...]]:
    if hypothesis.deploy is None:
        return [], ()
    service = hypothesis.deploy.service
    endpoints = dict.fromkeys(
        symptom.endpoint
        for symptom in described.endpoint_symptoms()
        if symptom.endpoint is not None and symptom.service == service
    )
    return check_commits(hypothesis, read, statements=statements.get(service, []), endpoints=list(endpoints))
