"""Explain a diagnosis in plain English: short sentences with figures, each citing its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storage.models import Diagnosis
from workers.diagnosis import weights
from workers.diagnosis.citations import cited, numbers_in, without_unknown
from workers.diagnosis.model import (
    UNKNOWN,
    CommitScore,
    Evidence,
    Hypothesis,
    Outcome,
    Ranked,
    Role,
)
from workers.words.text import deploy_name, likelihood, number, percent, quoted, short_sha

MOST_RULED_OUT = 3


def state_root_cause(
    origin: Hypothesis,
    mechanisms: Sequence[Hypothesis],
    evidence: Sequence[Evidence],
    suspect: CommitScore | None,
    *,
    live_at: str,
) -> str:
    """Return one sentence: the origin, the harm it does and the suspected commit.

    live_at: the time of the deploy, formatted for the sentence.
    """
    if origin.deploy is None:
        return _segment_cause(origin, evidence)
    began = cited(f"{deploy_name(origin.deploy)} at {live_at}", *_numbers(evidence, origin.key, "deploy_timing"))
    service = origin.deploy.service
    repeated = (_repeated_query(item, evidence) for item in mechanisms if item.service == service)
    harm = next((words for words in repeated if words), "")
    if harm:
        return f"{began} {harm}{_adding_clause(origin, evidence, suspect)}."
    return f"{began} {_plain_harm(origin, service, evidence)}{_suspect_clause(origin, evidence, suspect)}."


def _repeated_query(mechanism: Hypothesis, evidence: Sequence[Evidence]) -> str:
    """Return such as "made POST /checkout run 124 queries a request instead of 4 [E3]: the query … runs 120 times …".

    Return "" if the evidence does not show a newly repeated query.
    """
    counts = _answer(evidence, mechanism.key, "query_count")
    repeated = _answer(evidence, mechanism.key, "repeated_statement")
    if repeated is None or repeated.weight <= 0:
        return ""
    top = repeated.data["statements"][0]
    query = cited(
        f"the query `{quoted(top['statement'])}` now runs {number(top['during'])} times a request", repeated.number
    )
    endpoint = quoted(mechanism.endpoint or "", 120)
    if counts is None or counts.weight <= 0:
        return f"made {endpoint} repeat itself: {query}"
    during, before = number(counts.data["during"]), number(counts.data["before"])
    return cited(f"made {endpoint} run {during} queries a request instead of {before}", counts.number) + f": {query}"


def _plain_harm(origin: Hypothesis, service: str, evidence: Sequence[Evidence]) -> str:
    """Return the harm as the first symptom describes it, for when no mechanism is known.

    A symptom of the deploy's own service comes before others.
    """
    symptoms = [item for item in evidence if item.check == "symptom"]
    symptoms.sort(key=lambda item: item.data["service"] != service)
    if not symptoms:
        return "broke it"
    versions = _numbers(evidence, origin.key, "metric_by_version", supporting=True)
    return "broke it: " + cited(symptoms[0].data["in_words"], symptoms[0].number, *versions)


def _adding_clause(origin: Hypothesis, evidence: Sequence[Evidence], suspect: CommitScore | None) -> str:
    """Return such as ", and commit 3f2a1c9 “Show live stock” by Mia adds it [E6]"; "it" is the repeated query."""
    found = _answer(evidence, origin.key, "statement_in_diff")
    if suspect is None or found is None or found.data.get("commit_sha") != suspect.sha:
        return _suspect_clause(origin, evidence, suspect)
    verb = "moves" if found.data["moved"] else "adds"
    return cited(f", and {_commit_name(suspect)} {verb} it", found.number)


def _suspect_clause(origin: Hypothesis, evidence: Sequence[Evidence], suspect: CommitScore | None) -> str:
    if suspect is None:
        return ""
    of_commits = [
        item.number
        for item in evidence
        if item.hypothesis_key == origin.key and item.source == "github" and suspect.sha in str(item.data)
    ]
    return cited(f", most likely by {_commit_name(suspect)}", *of_commits)


def _commit_name(commit: CommitScore) -> str:
    return f"commit {short_sha(commit.sha)} “{commit.title}” by {commit.author}"


def _segment_cause(origin: Hypothesis, evidence: Sequence[Evidence]) -> str:
    """Return the sentence for a cause outside the code: its evidence, and that no deploy explains the incident."""
    own = [item for item in evidence if item.hypothesis_key == origin.key and item.weight > 0]
    if not own:
        return origin.statement
    against = [item.number for item in evidence if item.source == "deploys" and item.weight <= 0]
    others = cited("; no deploy explains it", *against) if against else ""
    return cited(f"It is outside the code: {own[0].result.removesuffix('.')}", own[0].number) + others + "."


def explain(root_cause: str | None, ranked: Sequence[Ranked], evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the sentences of the explanation; drop a sentence that cites no existing evidence."""
    sentences = [root_cause] if root_cause else [_not_known(ranked, evidence)]
    already = set(numbers_in(sentences[0]))
    confirmed = {item.key for item in ranked if item.status == "confirmed"}
    for item in evidence:
        speaks = item.check == "symptom" or item.outcome is Outcome.ERROR
        supports = item.hypothesis_key in confirmed and item.weight > 0
        clears = item.hypothesis_key == UNKNOWN and item.weight < 0
        if (speaks or supports or clears) and item.number not in already:
            sentences.append(cited(item.result, item.number))
    sentences += _ruled_out(ranked, evidence)
    known = {item.number for item in evidence}
    checked = (without_unknown(sentence, known) for sentence in sentences)
    return tuple(dict.fromkeys(sentence for sentence in checked if numbers_in(sentence)))


def _not_known(ranked: Sequence[Ranked], evidence: Sequence[Evidence]) -> str:
    """Return the sentence that no cause is likely enough, with the probability of the likeliest one."""
    origins = [item for item in ranked if item.role is Role.ORIGIN and item.key != UNKNOWN]
    if not origins:
        return cited("Argux does not know why this happens.", *(item.number for item in evidence))
    best = max(origins, key=lambda item: item.posterior)
    considered = [item.number for item in evidence if item.hypothesis_key == best.key] or [
        item.number for item in evidence
    ]
    words = f"the likeliest cause that it can see is only {likelihood(best.posterior)} sure"
    return cited(
        f"Argux does not know why this happens: {words} (it needs {percent(weights.CONFIRMED_AT)}).", *considered
    )


def _ruled_out(ranked: Sequence[Ranked], evidence: Sequence[Evidence]) -> Iterator[str]:
    """Yield the strongest evidence against each of the first MOST_RULED_OUT rejected hypotheses."""
    rejected = [item for item in ranked if item.status == "rejected" and item.key != UNKNOWN]
    for item in rejected[:MOST_RULED_OUT]:
        against = [found for found in evidence if found.hypothesis_key == item.key and found.weight < 0]
        if against:
            strongest = min(against, key=lambda found: found.weight)
            yield cited(f"Ruled out ({likelihood(item.posterior)}): {strongest.result}", strongest.number)


def account(diagnosis: Diagnosis) -> list[str]:
    """Return the lines of a finished diagnosis: the explanation, then the origins with their posteriors."""
    explanation = list(diagnosis.checkpoints.get("confirm", {}).get("explanation", []))
    known = {item.number for item in diagnosis.evidence}
    origins = [item for item in diagnosis.hypotheses if item.parameters.get("role") == Role.ORIGIN]
    origins.sort(key=lambda item: -(item.posterior or 0.0))
    weighed = [f"{likelihood(item.posterior or 0.0)} {item.statement.removesuffix('.')}" for item in origins]
    lines = [without_unknown(sentence, known) for sentence in explanation]
    return [*lines, f"Weighed: {'; '.join(weighed)}."] if weighed else lines


def evidence_lines(diagnosis: Diagnosis) -> list[str]:
    """Return one line per piece of evidence: its number, its source and its result."""
    notes = {"no_data": ", no data", "error": ", could not ask"}
    return [
        f"[E{item.number}] ({item.source}{notes.get(item.outcome, '')}) {item.result}" for item in diagnosis.evidence
    ]


def _answer(evidence: Sequence[Evidence], key: str, check: str) -> Evidence | None:
    return next((item for item in evidence if item.hypothesis_key == key and item.check == check), None)


def _numbers(evidence: Sequence[Evidence], key: str, check: str, *, supporting: bool = False) -> list[int]:
    return [
        item.number
        for item in evidence
        if item.hypothesis_key == key and item.check == check and (item.weight > 0 or not supporting)
    ]
