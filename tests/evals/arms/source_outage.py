"""Each source away in turn: with less to go by no answer may get surer."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from tests.evals.arms.sample import sample
from tests.evals.cases import Case
from tests.evals.figures import EvalFigure, count, share
from tests.evals.graders.commits import same_commit
from tests.evals.marks import BLAMED_FROM
from tests.evals.run import Run
from tests.evals.seam import SOURCES, Answer

FILES: Mapping[str, tuple[str, ...]] = {
    "logs": ("logs.ndjson",),
    "metrics": ("metrics.csv",),
    "traces": ("traces.json",),
    "commits": ("context/commits.json",),
    "deploys": ("context/deploys.json", "deploys.json"),
    "flags": ("context/flags.json",),
    "service_map": ("service_map.json",),
    "events": ("events.json",),
    "status_feed": ("status_feed.json",),
    "patterns": ("patterns.json",),
}
"""Where each source lies in the folder; a source that a case has not cannot be taken away."""
_TOLERANCE = 0.01


def run(evaluation: Run) -> Iterator[EvalFigure]:
    """Yield how often an answer with a source less is no surer, and no decoy is blamed more."""
    asked = surer = decoys = failed = 0
    cases = sample(evaluation, "source_outage")
    evaluation.ask_ahead(
        (case, frozenset(away)) for case in cases for away in ((), *((source,) for source in sources_of(case)))
    )
    for case in cases:
        full = evaluation.answer(case)
        for source in sources_of(case):
            less = evaluation.answer(case, frozenset({source}))
            is_surer, is_decoy = surer_than(less, full), blames_a_decoy_more(case, less, full)
            asked, surer, decoys = asked + 1, surer + is_surer, decoys + is_decoy
            failed += is_surer or is_decoy
            if is_surer or is_decoy:
                told, before = (f"{one.root_cause_commit} at {one.confidence:.2f}" for one in (less, full))
                print(f"{case.suite}/{case.name} without {source}: {told}, with it {before}", file=sys.stderr)
    yield share("source_outage_passes", asked - failed, asked, "share of answers with a source less", at_least=1.0)
    yield count("source_outage_surer", surer, asked, "answers surer with a source less", at_most=0)
    yield count("source_outage_decoys_surer", decoys, asked, "decoys blamed more with a source less", at_most=0)


def sources_of(case: Case) -> list[str]:
    """Return the sources that a case has."""
    return [source for source in SOURCES if any((case.folder / name).exists() for name in FILES[source])]


def surer_than(less: Answer, full: Answer) -> bool:
    """Whether an answer names a cause with more confidence than the one that knew more."""
    return less.root_cause_commit is not None and less.confidence > full.confidence + _TOLERANCE


def blames_a_decoy_more(case: Case, less: Answer, full: Answer) -> bool:
    """Whether an innocent commit is blamed that was not, or was with less confidence."""
    decoys = case.truth.get("decoy_deploy_commits", ())
    if not any(same_commit(less.root_cause_commit, decoy) for decoy in decoys) or less.confidence < BLAMED_FROM:
        return False
    return not same_commit(less.root_cause_commit, full.root_cause_commit) or surer_than(less, full)
