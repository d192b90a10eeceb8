"""Figures of the marks of a suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tests.evals.by_severity import share_passed_by_severity
from tests.evals.calibration import calibration
from tests.evals.figures import EvalFigure, count, resampled, share
from tests.evals.graders.triage import f1_score
from tests.evals.latest_deploy import latest_deploys_right
from tests.evals.marks import Mark

_SECONDS_P95 = 5.0
_ECE = 0.08


def figures_of(suite: str, marks: Sequence[Mark]) -> Iterator[EvalFigure]:
    """Yield the figures of a suite, all that the catalogue names and that its cases allow."""
    yield from _BY_SUITE[suite](marks)
    if suite != "triage":
        yield from calibration(suite, marks)
    yield from _seconds(suite, marks)


def figures_of_all(marks: Sequence[Mark]) -> Iterator[EvalFigure]:
    """Yield the figures over all suites of the run."""
    yield _wrong_and_sure("all_wrong_and_sure", marks, at_most=0)
    yield from calibration("all", marks, at_most=_ECE)
    yield from _seconds("all", marks)


def _root_cause(marks: Sequence[Mark]) -> Iterator[EvalFigure]:
    yield from _commits("root_cause", marks, passes=7 / 8, none_right=1.0, top3=None)


def _scenarios(marks: Sequence[Mark]) -> Iterator[EvalFigure]:
    yield from _commits("scenarios", marks, passes=0.95, none_right=None, top3=0.99)
    yield _part("scenarios_origin_right", marks, "origin_right", "cases")
    yield _part("scenarios_edges_found", marks, "edges_found", "edges", unit="share of the true edges")
    yield _count("scenarios_inverted_edges", marks, "inverted_edges")


def _commits(
    suite: str, marks: Sequence[Mark], *, passes: float, none_right: float | None, top3: float | None
) -> Iterator[EvalFigure]:
    latest = latest_deploys_right([mark.case for mark in marks]) / max(len(marks), 1)
    peer = ("the latest deploy before the alert", latest)
    yield share(f"{suite}_passes", sum(mark.passed for mark in marks), len(marks), at_least=passes, peer=peer)
    yield share(f"{suite}_top3", sum(bool(mark.among_three) for mark in marks), len(marks), at_least=top3)
    yield share(f"{suite}_abstained", sum(mark.abstained for mark in marks), len(marks))
    yield _count(f"{suite}_decoys_blamed", marks, "decoys_blamed", at_most=0)
    yield _part(f"{suite}_none_right", marks, "none_right", "none_cases", at_least=none_right)
    yield _wrong_and_sure(f"{suite}_wrong_and_sure", marks, at_most=0)


def _chain(marks: Sequence[Mark]) -> Iterator[EvalFigure]:
    yield share("chain_passes", sum(mark.passed for mark in marks), len(marks), at_least=5 / 6)
    yield _part("chain_origin_right", marks, "origin_right", "cases")
    yield _part("chain_edges_found", marks, "edges_found", "edges", unit="share of the true edges")
    yield _count("chain_inverted_edges", marks, "inverted_edges", at_most=0)
    yield _count("chain_victims_as_origin", marks, "victims_as_origin", at_most=0)
    yield _wrong_and_sure("chain_wrong_and_sure", marks, at_most=0)


def _triage(marks: Sequence[Mark]) -> Iterator[EvalFigure]:
    peer = ("the sender's SEV1 and SEV2 wake", share_passed_by_severity([mark.case for mark in marks]))
    yield share("triage_passes", sum(mark.passed for mark in marks), len(marks), at_least=5 / 6, peer=peer)
    yield _count("triage_must_pages_suppressed", marks, "must_pages_suppressed", at_most=0)
    found, false, missed = (
        sum(mark.counts[key] for mark in marks) for key in ("true_pages", "false_pages", "missed_pages")
    )
    yield EvalFigure("triage_f1", f1_score(found, false, missed), "F1 of waking, over all alerts", len(marks))


def _nezha(marks: Sequence[Mark]) -> Iterator[EvalFigure]:
    yield share("nezha_as1", sum(mark.passed for mark in marks), len(marks), "share of faults", at_least=0.85)


_BY_SUITE = {"root_cause": _root_cause, "scenarios": _scenarios, "chain": _chain, "triage": _triage, "nezha": _nezha}


def _seconds(suite: str, marks: Sequence[Mark]) -> Iterator[EvalFigure]:
    seconds = [mark.answer.seconds for mark in marks]
    if not seconds:
        return
    middle, late = (float(np.quantile(seconds, share)) for share in (0.5, 0.95))
    pairs = [(one, 0.0) for one in seconds]
    for name, value, quantile, bound in (("median", middle, 0.5, None), ("p95", late, 0.95, _SECONDS_P95)):
        interval = resampled(pairs, lambda values, _, quantile=quantile: float(np.quantile(values, quantile)))  # type: ignore[misc]
        yield EvalFigure(f"{suite}_seconds_{name}", value, "seconds a case", len(seconds), interval, at_most=bound)


def _wrong_and_sure(name: str, marks: Sequence[Mark], *, at_most: float) -> EvalFigure:
    return count(
        name,
        sum(mark.wrong_and_sure for mark in marks),
        len(marks),
        "answers that are wrong at 0.8 or more",
        at_most=at_most,
    )


def _count(name: str, marks: Sequence[Mark], key: str, *, at_most: float | None = None) -> EvalFigure:
    return count(
        name, sum(mark.counts.get(key, 0) for mark in marks), len(marks), key.replace("_", " "), at_most=at_most
    )


def _part(
    name: str, marks: Sequence[Mark], hits: str, of: str, *, unit: str = "share of cases", at_least: float | None = None
) -> EvalFigure:
    every = len(marks) if of == "cases" else sum(mark.counts.get(of, 0) for mark in marks)
    return share(name, sum(mark.counts.get(hits, 0) for mark in marks), every, unit, at_least=at_least)
