"""Grades who is named as the origin, and how the failure is said to have spread."""

from __future__ import annotations

from tests.evals.cases import Case
from tests.evals.graders.commits import same_commit
from tests.evals.marks import Mark
from tests.evals.seam import Answer

Edge = tuple[str, str]


def grade(case: Case, answer: Answer) -> Mark:
    """Mark an answer: it passes if the origin is right, enough of the true edges are found and none is inverted.

    The stated commit is marked as well, for the calibration, where the truth names one.
    """
    truth = case.truth
    origins = {_name(name) for name in (truth["origin_service"], *truth.get("accept_origin_aliases", ()))}
    origin_right = answer.origin_service is not None and _name(answer.origin_service) in origins
    expected = {(_name(edge["from"]), _name(edge["to"])) for edge in truth["propagation_path"]}
    found = {_by_truth(edge, origins, _name(truth["origin_service"])) for edge in answer.propagation_path}
    inverted = sum((callee, caller) in expected for caller, callee in found - expected)
    share = len(expected & found) / len(expected) if expected else 1.0
    culprit = truth.get("root_cause_culprit_sha")
    named = answer.root_cause_commit
    return Mark(
        case,
        answer,
        passed=origin_right and share >= float(truth["edge_overlap_threshold"]) and not inverted,
        right=same_commit(named, culprit) if culprit and named is not None else None,
        abstained=answer.origin_service is None,
        counts={
            "origin_right": int(origin_right),
            "edges": len(expected),
            "edges_found": len(expected & found),
            "edges_false": len(found - expected),
            "inverted_edges": inverted,
            "victims_as_origin": int(not origin_right and _is_victim(answer, truth.get("blast_radius", ()))),
        },
    )


def _by_truth(edge: Edge, origins: set[str], origin: str) -> Edge:
    """Return the edge with every accepted alias of the origin under the origin's own name."""
    start, end = (origin if _name(name) in origins else _name(name) for name in edge)
    return start, end


def _is_victim(answer: Answer, victims: tuple[str, ...] | list[str]) -> bool:
    return answer.origin_service is not None and _name(answer.origin_service) in {_name(victim) for victim in victims}


def _name(service: str) -> str:
    return service.strip().lower()
