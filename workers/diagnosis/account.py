"""Explain a diagnosis in plain English: short sentences with figures, each citing its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrations.cards import NOTHING
from integrations.text import Markup, listed, ours, stored, without_full_stop
from storage.models import Diagnosis
from storage.models import Hypothesis as StoredHypothesis
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
from workers.diagnosis.told_beside import likeliest_changes, mechanism_sentences, no_change_sentences
from workers.words.text import deploy_name, likelihood, number, percent, quoted, quoted_code, short_sha

MOST_RULED_OUT = 3


def state_root_cause(
    origin: Hypothesis,
    mechanisms: Sequence[Hypothesis],
    evidence: Sequence[Evidence],
    suspect: CommitScore | None,
    *,
    live_at: Markup,
) -> Markup:
    """Return one sentence: the origin, the harm it does and the suspected commit.

    live_at: the time of the deploy, formatted for the sentence.
    """
    if origin.deploy is None:
        is_of_users = origin.cause in ("segment", "mix")
        return _segment_cause(origin, evidence) if is_of_users else _scene_cause(origin, evidence)
    deployed = ours("{deploy} at {live_at}", deploy=deploy_name(origin.deploy), live_at=live_at)
    began = cited(deployed, *_numbers(evidence, origin.key, "deploy_timing"))
    service = origin.deploy.service
    repeated = (_repeated_query(item, evidence) for item in mechanisms if item.service == service)
    harm = next((words for words in repeated if words), NOTHING)
    if harm:
        clause = _adding_clause(origin, evidence, suspect)
    else:
        harm = _plain_harm(origin, service, evidence)
        clause = _suspect_clause(origin, evidence, suspect)
    return ours("{began} {harm}{clause}.", began=began, harm=harm, clause=clause)


def _repeated_query(mechanism: Hypothesis, evidence: Sequence[Evidence]) -> Markup:
    """Return such as "made POST /checkout run 124 queries a request instead of 4 [E3]: the query … runs 120 times …".

    Return "" if the evidence does not show a newly repeated query.
    """
    counts = _answer(evidence, mechanism.key, "query_count")
    repeated = _answer(evidence, mechanism.key, "repeated_statement")
    if repeated is None or repeated.weight <= 0:
        return NOTHING
    top = repeated.data["statements"][0]
    runs = ours(
        "the query {statement} now runs {count} times a request",
        statement=quoted_code(top["statement"]),
        count=number(top["during"]),
    )
    query = cited(runs, repeated.number)
    endpoint = quoted(mechanism.endpoint or "", 120)
    if counts is None or counts.weight <= 0:
        return ours("made {endpoint} repeat itself: {query}", endpoint=endpoint, query=query)
    during, before = number(counts.data["during"]), number(counts.data["before"])
    made = ours(
        "made {endpoint} run {during} queries a request instead of {before}",
        endpoint=endpoint,
        during=during,
        before=before,
    )
    return ours("{made}: {query}", made=cited(made, counts.number), query=query)


def _plain_harm(origin: Hypothesis, service: str, evidence: Sequence[Evidence]) -> Markup:
    """Return the harm as the first symptom describes it, for when no mechanism is known.

    A symptom of the deploy's own service comes before others.
    """
    symptoms = [item for item in evidence if item.check == "symptom"]
    symptoms.sort(key=lambda item: item.data["service"] != service)
    if not symptoms:
        return ours("broke it")
    versions = _numbers(evidence, origin.key, "metric_by_version", supporting=True)
    said = cited(stored(symptoms[0].data["in_words"]), symptoms[0].number, *versions)
    return ours("broke it: {said}", said=said)


def _adding_clause(origin: Hypothesis, evidence: Sequence[Evidence], suspect: CommitScore | None) -> Markup:
    """Return such as ", and commit 3f2a1c9 “Show live stock” by Mia adds it [E6]"; "it" is the repeated query."""
    found = _answer(evidence, origin.key, "statement_in_diff")
    if suspect is None or found is None or found.data.get("commit_sha") != suspect.sha:
        return _suspect_clause(origin, evidence, suspect)
    verb = "moves" if found.data["moved"] else "adds"
    return cited(ours(", and {commit} {verb} it", commit=_commit_name(suspect), verb=verb), found.number)


def _suspect_clause(origin: Hypothesis, evidence: Sequence[Evidence], suspect: CommitScore | None) -> Markup:
    if suspect is None:
        return NOTHING
    of_commits = [
        item.number
        for item in evidence
        if item.hypothesis_key == origin.key and item.source == "github" and suspect.sha in str(item.data)
    ]
    return cited(ours(", most likely by {commit}", commit=_commit_name(suspect)), *of_commits)


def _commit_name(commit: CommitScore) -> Markup:
    sha, title, author = short_sha(commit.sha), quoted(commit.title), quoted(commit.author)
    return ours("commit {sha} “{title}” by {author}", sha=sha, title=title, author=author)


def _segment_cause(origin: Hypothesis, evidence: Sequence[Evidence]) -> Markup:
    """Return the sentence for a cause outside the code: its evidence, and that no deploy explains the incident."""
    own = [item for item in evidence if item.hypothesis_key == origin.key and item.weight > 0]
    if not own:
        return origin.statement
    against = [item.number for item in evidence if item.source == "deploys" and item.weight <= 0]
    others = cited(ours("; no deploy explains it"), *against) if against else NOTHING
    cause = ours("It is outside the code: {result}", result=without_full_stop(own[0].result))
    return ours("{cause}{others}.", cause=cited(cause, own[0].number), others=others)


MOST_REASONS = 2


def _scene_cause(origin: Hypothesis, evidence: Sequence[Evidence]) -> Markup:
    """Return the hypothesis with the strongest evidence for it."""
    own = [item for item in evidence if item.hypothesis_key == origin.key and item.weight > 0]
    own.sort(key=lambda item: -item.weight)
    said = [cited(without_full_stop(item.result), item.number) for item in own[:MOST_REASONS]]
    statement = without_full_stop(origin.statement)
    return ours("{statement}: {said}.", statement=statement, said=listed(said, "; ")) if said else origin.statement


def explain(
    root_cause: Markup | None, ranked: Sequence[Ranked], evidence: Sequence[Evidence], *, none_of: int = 0
) -> tuple[Markup, ...]:
    """Return the sentences of the explanation; drop a sentence that cites no existing evidence.

    none_of: how many changes were looked at, where it is a conclusion of its own that none of them did it.
    """
    sentences = [root_cause] if root_cause else []
    sentences += no_change_sentences(none_of, ranked, evidence) if none_of else []
    sentences += [] if root_cause else [_not_known(ranked, evidence)]
    sentences += mechanism_sentences(ranked, evidence, numbers_in(root_cause or NOTHING))
    already = {cited_number for sentence in sentences for cited_number in numbers_in(sentence)}
    confirmed = {item.key for item in ranked if item.status == "confirmed"}
    for item in evidence:
        speaks = item.check == "symptom" or item.outcome is Outcome.ERROR
        supports = item.hypothesis_key in confirmed and item.weight > 0
        clears = item.hypothesis_key == UNKNOWN and item.weight < 0
        if (speaks or supports or clears) and item.number not in already:
            sentences.append(cited(item.result, item.number))
    told = {item.key for item in likeliest_changes(ranked)} if none_of else set()
    sentences += _ruled_out([item for item in ranked if item.key not in told], evidence)
    known = {item.number for item in evidence}
    checked = (without_unknown(sentence, known) for sentence in sentences)
    return tuple(dict.fromkeys(sentence for sentence in checked if numbers_in(sentence)))


def _not_known(ranked: Sequence[Ranked], evidence: Sequence[Evidence]) -> Markup:
    """Return the sentence that no cause is likely enough, with the probability of the likeliest one."""
    origins = [item for item in ranked if item.role is Role.ORIGIN and item.key != UNKNOWN]
    if not origins:
        return cited(ours("Argux does not know why this happens."), *(item.number for item in evidence))
    best = max(origins, key=lambda item: item.posterior)
    considered = [item.number for item in evidence if item.hypothesis_key == best.key] or [
        item.number for item in evidence
    ]
    said = ours(
        "Argux does not know why this happens: the likeliest cause that it can see "
        "is only {sure} sure (it needs {least}).",
        sure=likelihood(best.posterior),
        least=percent(weights.CONFIRMED_AT),
    )
    return cited(said, *considered)


def _ruled_out(ranked: Sequence[Ranked], evidence: Sequence[Evidence]) -> Iterator[Markup]:
    """Yield the strongest evidence against each of the first MOST_RULED_OUT rejected hypotheses."""
    rejected = [item for item in ranked if item.status == "rejected" and item.key != UNKNOWN]
    for item in rejected[:MOST_RULED_OUT]:
        against = [found for found in evidence if found.hypothesis_key == item.key and found.weight < 0]
        if against:
            strongest = min(against, key=lambda found: found.weight)
            said = ours("Ruled out ({sure}): {result}", sure=likelihood(item.posterior), result=strongest.result)
            yield cited(said, strongest.number)


def account(diagnosis: Diagnosis) -> list[Markup]:
    """Return the lines of a finished diagnosis: the explanation, then the origins with their posteriors."""
    explanation = list(diagnosis.checkpoints.get("confirm", {}).get("explanation", []))
    known = {item.number for item in diagnosis.evidence}
    origins = [item for item in diagnosis.hypotheses if item.parameters.get("role") == Role.ORIGIN]
    shares = _told_shares(diagnosis, origins)
    origins.sort(key=lambda item: -shares[item.key])
    weighed = [
        ours(
            "{sure} {statement}",
            sure=likelihood(shares[item.key]),
            statement=without_full_stop(stored(item.statement)),
        )
        for item in origins
    ]
    told = [without_unknown(stored(sentence), known) for sentence in explanation]
    return [*told, ours("Weighed: {weighed}.", weighed=listed(weighed, "; "))] if weighed else told


def _told_shares(diagnosis: Diagnosis, origins: Sequence[StoredHypothesis]) -> dict[str, float]:
    """Return the probability of each origin as it is told, by its key.

    The cause that is named has the confidence of the diagnosis, so that one message tells one figure for it. What that
    is less than the evidence alone would give, because of what was not seen, is with what Argux cannot see.
    """
    shares = {item.key: item.posterior or 0.0 for item in origins}
    named = diagnosis.checkpoints.get("confirm", {}).get("origin_key")
    if diagnosis.status == "concluded" and diagnosis.confidence is not None and named in shares and UNKNOWN in shares:
        shares[UNKNOWN] = max(0.0, shares[UNKNOWN] + shares[named] - diagnosis.confidence)
        shares[named] = diagnosis.confidence
    return shares


_SOURCES = {"github": "GitHub"}
"""The names of sources that are written otherwise than they are stored."""


def evidence_lines(diagnosis: Diagnosis) -> list[Markup]:
    """Return one line per piece of evidence: its number, its source and its result."""
    notes = {"no_data": ", no data", "error": ", could not ask"}
    return [
        ours(
            "[E{number}] ({source}{note}) {result}",
            number=item.number,
            source=_SOURCES.get(item.source, item.source),
            note=notes.get(item.outcome, ""),
            result=stored(item.result),
        )
        for item in diagnosis.evidence
    ]


def _answer(evidence: Sequence[Evidence], key: str, check: str) -> Evidence | None:
    return next((item for item in evidence if item.hypothesis_key == key and item.check == check), None)


def _numbers(evidence: Sequence[Evidence], key: str, check: str, *, supporting: bool = False) -> list[int]:
    return [
        item.number
        for item in evidence
        if item.hypothesis_key == key and item.check == check and (item.weight > 0 or not supporting)
    ]
