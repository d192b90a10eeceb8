"""Compare the time of a deploy with the onset of the incident."""

from __future__ import annotations

from detection.types import Deploy
from integrations.cards import moment
from integrations.text import Markup, ours
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.checks.windows import Window, service_series
from workers.diagnosis.model import UNKNOWN, Characterisation, Evidence, Hypothesis, Outcome
from workers.diagnosis.scene.live_changes import CHANGES_SECONDS
from workers.words.findings import duration_text
from workers.words.text import counted, deploy_name, query_text, quoted

SLACK_SECONDS = 60.0
"""Tolerance: clocks differ, and the deploy may be recorded before or after the service restarts."""

SOON_SECONDS = 600.0
LONGEST_LOOK_SECONDS = 2 * COARSE_SECONDS
ENOUGH_SERVED = 100


def no_deploy(described: Characterisation) -> Evidence:
    """Return evidence that there was no deploy; its weight is 0, since the priors account for it already."""
    service = described.services[0] if len(described.services) == 1 else None
    since = described.onset_earliest - CHANGES_SECONDS
    of_service = ours(" of {service}", service=quoted(service, 60)) if service else ""
    return Evidence(
        check="no_deploy",
        hypothesis_key=UNKNOWN,
        query=query_text("deploys_between", service=service, since=since, until=described.asked_at),
        source="deploys",
        result=ours(
            "No deploy{of_service} is known in the {time} before it began.",
            of_service=of_service,
            time=duration_text(CHANGES_SECONDS),
        ),
        data={},
        outcome=Outcome.DATA,
        weight=0.0,
    )


def deploy_timing(hypothesis: Hypothesis, described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Check whether the incident began with the deploy, before it, or after the deploy had served well for a while."""
    deploy = hypothesis.deploy
    if deploy is None:
        return None
    gap = described.onset_earliest - deploy.deployed_at
    served = _served_well(deploy, described, telemetry) if gap > SOON_SECONDS else 0
    result, weight = _judge(deploy, described, served)
    return Evidence(
        check="deploy_timing",
        hypothesis_key=hypothesis.key,
        query=query_text(
            "deploys_between",
            service=deploy.service,
            since=described.onset_earliest - CHANGES_SECONDS,
            until=described.asked_at,
        ),
        source="deploys",
        result=result,
        data={
            "deployed_at": deploy.deployed_at,
            "onset_earliest": described.onset_earliest,
            "onset_latest": described.onset_latest,
            "served_before_onset": served,
        },
        outcome=Outcome.DATA,
        weight=weight,
    )


def _judge(deploy: Deploy, described: Characterisation, served: int) -> tuple[Markup, float]:
    name = deploy_name(deploy)
    live = moment(deploy.deployed_at)
    gap = described.onset_earliest - deploy.deployed_at
    if deploy.deployed_at > described.onset_latest + SLACK_SECONDS:
        late = duration_text(deploy.deployed_at - described.onset_latest)
        return (
            ours(
                "{name} of {service} went live at {live}, {late} after it began.",
                name=name,
                service=quoted(deploy.service, 60),
                live=live,
                late=late,
            ),
            weights.DEPLOY_AFTER_ONSET,
        )
    if gap <= SOON_SECONDS:
        start = moment(max(described.onset_earliest, deploy.deployed_at))
        words = ours(
            "{name} of {service} went live at {live}, and it began at {start}.",
            name=name,
            service=quoted(deploy.service, 60),
            live=live,
            start=start,
        )
        return words, weights.DEPLOY_AT_ONSET
    ago = ours(
        "{name} of {service} went live at {live}, {gap} before it began",
        name=name,
        service=quoted(deploy.service, 60),
        live=live,
        gap=duration_text(gap),
    )
    if served >= ENOUGH_SERVED:
        words = ours("{ago}, and served {served} well in between.", ago=ago, served=counted(served, "request"))
        return words, weights.DEPLOY_SERVED_WELL_BEFORE_ONSET
    return ours("{ago}.", ago=ago), weights.DEPLOY_SOON_BEFORE_ONSET


def _served_well(deploy: Deploy, described: Characterisation, telemetry: TelemetryStore) -> int:
    """Count the service's requests between the deploy and the onset; if there are none, the entries of the funnels."""
    since = max(deploy.deployed_at, described.onset_earliest - LONGEST_LOOK_SECONDS)
    window = Window(since, described.onset_earliest)
    requests = sum(int(item.request_count.sum()) for item in service_series(telemetry, deploy.service, window))
    if requests:
        return requests
    return sum(
        int(series.entries.sum())
        for symptom in described.funnel_symptoms()
        for series in telemetry.funnel_series(
            symptom.funnel_id or 0, since=window.since, until=window.until, bucket_seconds=FINE_FUNNEL_SECONDS
        )[:1]
    )
