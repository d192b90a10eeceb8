"""Step 3: run every check, read-only. A check that cannot answer reports that and does not stop the others."""

from __future__ import annotations

from workers.diagnosis.checks.commits import check_commits, read_commits
from workers.diagnosis.checks.log_versions import log_version_split
from workers.diagnosis.checks.places import mix_evidence, place_evidence, rates_unchanged
from workers.diagnosis.checks.queries import RepeatedStatement, query_count_change, repeated_statements
from workers.diagnosis.checks.surroundings import other_endpoints, traffic
from workers.diagnosis.checks.symptoms import symptom_evidence
from workers.diagnosis.checks.timing import deploy_timing, no_deploy
from workers.diagnosis.checks.versions import version_split
from workers.diagnosis.model import (
    Characterisation,
    CommitScore,
    DiagnosisSources,
    Evidence,
    Gathered,
    Hypothesis,
)

MOST_DEPLOYS_READ = 5


def gather(described: Characterisation, hypotheses: tuple[Hypothesis, ...], sources: DiagnosisSources) -> Gathered:
    """Return all evidence in the order in which it will be numbered, and the commits' scores.

    Reads the telemetry store and the code host; holds no transaction.
    """
    evidence: list[Evidence | None] = [symptom_evidence(symptom, described) for symptom in described.symptoms]
    statements: dict[str, list[RepeatedStatement]] = {}
    for hypothesis in hypotheses:
        if hypothesis.cause == "n_plus_one":
            evidence.append(query_count_change(hypothesis, described, sources.telemetry))
            found, repeated = repeated_statements(hypothesis, described, sources.telemetry)
            evidence.append(found)
            statements.setdefault(hypothesis.service or "", []).extend(repeated)
        elif hypothesis.cause == "segment":
            evidence.append(place_evidence(hypothesis, described, sources.telemetry))
        elif hypothesis.cause == "mix":
            mix = mix_evidence(hypothesis, described, sources.telemetry)
            evidence += [mix, *(rates_unchanged(deploy, mix) for deploy in hypotheses if deploy.deploy)]
    if not any(hypothesis.deploy for hypothesis in hypotheses):
        evidence.append(no_deploy(described))
    evidence += [traffic(described, sources.telemetry), other_endpoints(described, sources.telemetry)]
    from_deploys, commits = _deploys(described, hypotheses, statements, sources)
    return Gathered(tuple(item for item in [*evidence, *from_deploys] if item is not None), commits)


def _deploys(
    described: Characterisation,
    hypotheses: tuple[Hypothesis, ...],
    statements: dict[str, list[RepeatedStatement]],
    sources: DiagnosisSources,
) -> tuple[list[Evidence | None], dict[str, tuple[CommitScore, ...]]]:
    """Check the time and the version of every deploy; read the commits of the MOST_DEPLOYS_READ likeliest."""
    evidence: list[Evidence | None] = []
    commits: dict[str, tuple[CommitScore, ...]] = {}
    deploys = [hypothesis for hypothesis in hypotheses if hypothesis.deploy is not None]
    for place, hypothesis in enumerate(deploys):
        evidence.append(deploy_timing(hypothesis, described, sources.telemetry))
        evidence.append(version_split(hypothesis, described, sources.telemetry))
        evidence.append(log_version_split(hypothesis, described, sources.telemetry))
        if place < MOST_DEPLOYS_READ:
            found, scores = _commits(described, hypothesis, statements, sources)
            evidence += found
            if scores:
                commits[hypothesis.key] = scores
    return evidence, commits


def _commits(
    described: Characterisation,
    hypothesis: Hypothesis,
    statements: dict[str, list[RepeatedStatement]],
    sources: DiagnosisSources,
) -> tuple[list[Evidence], tuple[CommitScore, ...]]:
    if hypothesis.deploy is None:
        return [], ()
    service = hypothesis.deploy.service
    endpoints = dict.fromkeys(
        symptom.endpoint
        for symptom in described.endpoint_symptoms()
        if symptom.endpoint is not None and symptom.service == service
    )
    return check_commits(
        hypothesis,
        read_commits(hypothesis.deploy, sources),
        statements=statements.get(service, []),
        endpoints=list(endpoints),
    )
