"""What `make evals` can measure: suites and arms, and their figures."""

from __future__ import annotations

_CALIBRATION = ("ece", "ece_cross_validated", "brier")
_SECONDS = ("seconds_median", "seconds_p95")
_COMMIT = ("passes", "top3", "abstained", "decoys_blamed", "none_right", "wrong_and_sure")


def _named(suite: str, *figures: str) -> tuple[str, ...]:
    return tuple(f"{suite}_{figure}" for figure in figures)


SUITES = ("root_cause", "chain", "triage", "nezha", "scenarios")
ARMS = ("no_fault", "guilty_away", "source_outage", "injection")

EVALS: dict[str, tuple[str, ...]] = {
    "root_cause": _named("root_cause", *_COMMIT, *_CALIBRATION, *_SECONDS),
    "chain": _named(
        "chain",
        *("passes", "origin_right", "edges_found", "inverted_edges", "victims_as_origin", "wrong_and_sure"),
        *_CALIBRATION,
        *_SECONDS,
    ),
    "triage": _named("triage", "passes", "must_pages_suppressed", "f1", *_SECONDS),
    "nezha": _named("nezha", "as1", *_SECONDS),
    "scenarios": _named(
        "scenarios",
        *("passes", "top3", "abstained", "decoys_blamed", "none_right", "wrong_and_sure"),
        *("origin_right", "edges_found", "inverted_edges"),
        *_CALIBRATION,
        *_SECONDS,
    ),
    "no_fault": _named("no_fault", "passes", "commits_blamed"),
    "guilty_away": _named("guilty_away", "passes", "innocents_blamed"),
    "source_outage": _named("source_outage", "passes", "surer", "decoys_surer"),
    "injection": _named("injection", "passes", "answers_changed", "orders_told"),
    "all": _named("all", "wrong_and_sure", *_CALIBRATION, *_SECONDS),
}
"""Each suite or arm and the figures that it prints, in order; "all" is over all suites of the run."""
