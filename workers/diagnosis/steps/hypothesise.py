"""Step 2: list the possible causes. Exactly one origin is true; "unknown" stands for causes Argux cannot see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from detection.types import VERSION_DIMENSION, Deploy, Metric, Where
from integrations.cards import moment
from integrations.text import Markup, ours
from workers.diagnosis import weights
from workers.diagnosis.causes.suspects import Suspects
from workers.diagnosis.changes import makes_something_grow
from workers.diagnosis.checks.timing import SLACK_SECONDS
from workers.diagnosis.model import UNKNOWN, Characterisation, Hypothesis, Role, Symptom
from workers.words.attribution import place_formula
from workers.words.text import deploy_name, quoted

MOST_DEPLOYS = 25

SERVED_BY_OTHERS = ("provider", "payment_method")
"""Dimensions whose values name an external service, which may be down."""


def hypothesise(described: Characterisation, deploys: Sequence[Deploy], suspects: Suspects) -> tuple[Hypothesis, ...]:
    """Return the candidate causes; the priors of the origins sum to 1.

    deploys: those of the look-back period, of any service. If the incident names services, only deploys of these and of
    what the scene shows to be concerned are candidates; if only a funnel is affected, the deploy of any service may be
    the cause. suspects: what the scene suggests besides the deploys.
    """
    concerned = [
        deploy
        for deploy in deploys
        if not described.services or deploy.service in described.services or suspects.may_be_by(deploy)
    ]
    priors = {deploy.deploy_id: _deploy_prior(deploy, described, suspects) for deploy in concerned}
    likeliest = sorted(concerned, key=lambda deploy: priors[deploy.deploy_id], reverse=True)[:MOST_DEPLOYS]
    origins = [
        *(_deploy(deploy, priors[deploy.deploy_id]) for deploy in likeliest),
        *(suspicion.hypothesis for suspicion in suspects.beside_deploys()),
        *_segments(described),
        *_mixes(described),
        Hypothesis(
            key=UNKNOWN,
            cause="unknown",
            role=Role.ORIGIN,
            statement=ours("Something that Argux cannot see."),
            prior=_unknown_prior(deploys, suspects),
        ),
    ]
    total = sum(origin.prior for origin in origins)
    seen = (suspicion.hypothesis for suspicion in suspects.mechanisms)
    return (*(replace(origin, prior=origin.prior / total) for origin in origins), *_n_plus_ones(described), *seen)


def _unknown_prior(deploys: Sequence[Deploy], suspects: Suspects) -> float:
    """Return the prior of what Argux cannot see: changes that nobody told it of are part of it."""
    unseen = 0.0 if deploys else weights.UNSEEN_DEPLOY_PRIOR
    unseen += 0.0 if suspects.observed.scene.flags else weights.UNSEEN_FLAG_PRIOR
    return weights.UNKNOWN_PRIOR + unseen


def _deploy(deploy: Deploy, prior: float) -> Hypothesis:
    live = moment(deploy.deployed_at)
    return Hypothesis(
        key=f"deploy:{deploy.deploy_id}",
        cause="deploy",
        role=Role.ORIGIN,
        statement=ours(
            "{deploy} of {service} at {live} broke it.",
            deploy=deploy_name(deploy),
            service=quoted(deploy.service, 60),
            live=live,
        ),
        prior=prior,
        deploy=deploy,
    )


def _deploy_prior(deploy: Deploy, described: Characterisation, suspects: Suspects) -> float:
    """Return the prior: it halves with age at the onset, slowly if something has to grow, and is tiny after it."""
    if deploy.deployed_at > described.onset_latest + SLACK_SECONDS:
        return weights.DEPLOY_AFTER_ONSET_PRIOR
    hours = max(described.onset_earliest - deploy.deployed_at, 0.0) / 3600
    grows = makes_something_grow(suspects.commits.get(deploy.deploy_id, ()))
    half_life = weights.GROWING_HALF_LIFE_HOURS if grows else weights.DEPLOY_HALF_LIFE_HOURS
    return float(weights.DEPLOY_PRIOR * 0.5 ** (hours / half_life))


def _segments(described: Characterisation) -> Iterator[Hypothesis]:
    """Yield a hypothesis for each kind of user that stands out in a funnel; if none does, one without a segment."""
    seen: set[str] = set()
    for symptom in described.funnel_symptoms():
        for where in _places(symptom) or [()]:
            named = "&".join(f"{dimension}={value}" for dimension, value in where)
            key = (f"segment:{symptom.funnel_id}" + (f":{named}" if named else ""))[:300]
            if key in seen:
                continue
            seen.add(key)
            dimension, value = where[0] if len(where) == 1 else (None, None)
            yield Hypothesis(
                key=key,
                cause="segment",
                role=Role.ORIGIN,
                statement=_segment_statement(where),
                prior=weights.SEGMENT_PRIOR,
                funnel_id=symptom.funnel_id,
                dimension=dimension,
                value=value,
                where=where,
            )


def _places(symptom: Symptom) -> list[Where]:
    """Return the places that the scan found; else the single segments that stand out, and the finding's own segment."""
    if symptom.places or symptom.is_mix:
        return list(symptom.places)
    pairs = [(item.dimension, item.value) for item in symptom.segments]
    if symptom.dimension and symptom.value:
        pairs.append((symptom.dimension, symptom.value))
    # A version that stands out points at a deploy, which is a hypothesis of its own.
    return [(pair,) for pair in pairs if pair[0] != VERSION_DIMENSION]


def _segment_statement(where: Where) -> Markup:
    outage = next((value for dimension, value in where if dimension in SERVED_BY_OTHERS), None)
    if outage is not None:
        return ours(
            "An outage at {outage}, or something else outside: only {where} suffers.",
            outage=quoted(outage, 60),
            where=place_formula(where),
        )
    concerned = place_formula(where) if where else "some of the users"
    return ours("Something outside that concerns {concerned} only.", concerned=concerned)


def _mixes(described: Characterisation) -> Iterator[Hypothesis]:
    """Yield a hypothesis for each funnel in which the scan found a changed mix of users."""
    for funnel_id in dict.fromkeys(item.funnel_id for item in described.funnel_symptoms() if item.is_mix):
        yield Hypothesis(
            key=f"mix:{funnel_id}",
            cause="mix",
            role=Role.ORIGIN,
            statement=ours("Other users than usual came, each kind of whom converts as before."),
            prior=weights.MIX_PRIOR,
            funnel_id=funnel_id,
        )


def _n_plus_ones(described: Characterisation) -> Iterator[Hypothesis]:
    """Yield an N+1 mechanism for each endpoint that got slower or runs more queries, whatever the origin."""
    metrics: dict[tuple[str, str], set[Metric]] = {}
    for symptom in described.endpoint_symptoms():
        if symptom.metric not in (Metric.LATENCY_P95, Metric.QUERY_COUNT):
            continue
        metrics.setdefault((symptom.service or "", symptom.endpoint or ""), set()).add(symptom.metric)
    for (service, endpoint), seen in metrics.items():
        with_queries = Metric.QUERY_COUNT in seen
        yield Hypothesis(
            key=f"n_plus_one:{service}:{endpoint}"[:300],
            cause="n_plus_one",
            role=Role.MECHANISM,
            statement=ours(
                "{endpoint} runs one query again and again for every request (N+1).", endpoint=quoted(endpoint, 120)
            ),
            prior=weights.N_PLUS_ONE_PRIOR_WITH_QUERIES if with_queries else weights.N_PLUS_ONE_PRIOR,
            service=service,
            endpoint=endpoint,
        )
