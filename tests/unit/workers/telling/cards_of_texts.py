"""The cards that the product makes, built from given texts of others: one for each place that holds such a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from detection.coverage import Watched, WatchState
from detection.types import (
    Attribution,
    ChangedFile,
    Commit,
    Deploy,
    Finding,
    IncidentStatus,
    Metric,
    Place,
    Severity,
    Shift,
    Subject,
    WhereVerdict,
)
from integrations.cards import Card, CardLink, Modal
from integrations.errors import ConflictError, RejectedError, RetryableError, WaitingError
from integrations.text import Markup, bullets, lines, ours, theirs
from storage.audit import AuditReport
from storage.deliveries import Waiting
from storage.models import (
    Approval,
    Diagnosis,
    Incident,
    MaintenanceWindow,
    OutboxJob,
    Proposal,
    TriageDecision,
    Verification,
)
from storage.models import Evidence as EvidenceRow
from storage.models import Hypothesis as HypothesisRow
from tests.finding_details import ALERT, DROP, LEVEL, LOG
from tests.unit.workers.telling.verdicts import fixes, verdict_row
from workers.clicks import closing_dialogs, slash_command, ticket
from workers.clicks.cause import cause_card
from workers.clicks.closing import closed_text, withdrawn_comment
from workers.diagnosis.account import explain, state_root_cause
from workers.diagnosis.causes.suspects import find_suspects
from workers.diagnosis.chain_message import chain_card
from workers.diagnosis.checks.commits import CommitsRead, check_commits
from workers.diagnosis.checks.log_versions import TemplateCounts, judge
from workers.diagnosis.checks.queries import RepeatedStatement
from workers.diagnosis.checks.symptoms import symptom_evidence
from workers.diagnosis.job import diagnosis_card
from workers.diagnosis.model import Characterisation, Evidence, Hypothesis, Symptom
from workers.diagnosis.scene.model import Scene
from workers.diagnosis.scene.observing import observe
from workers.diagnosis.steps.hypothesise import hypothesise
from workers.errors import RefusedError, told
from workers.lifecycle import recovery_messages, verification
from workers.remediation import pull_requests
from workers.remediation.catalogue import RevertPullRequest, describe_revert
from workers.remediation.waiting import waiting_text
from workers.running import audit_head
from workers.telling.channels.outages import outage_card
from workers.telling.dead_letters import dead_letters_card
from workers.telling.incident_view import IncidentView
from workers.telling.quiet_reasons import Quiet, maintenance_text
from workers.telling.root_card import root_card
from workers.triage.digest import digest_card, digest_text
from workers.triage.turned import turned_card
from workers.troubles import LastRun, Trouble
from workers.watching.delays import Delays
from workers.watching.still_broken import ClosedByHand, Condition
from workers.words.attribution import attribution_sentences
from workers.words.attribution_details import attribution_of
from workers.words.findings import finding_sentence, incident_title

Texts = Callable[[str], str]
"""Gives the text of others for a place, such as "endpoint"."""

NOW = datetime(2026, 2, 7, 12, tzinfo=UTC)
AT = NOW.timestamp()
OUR_ADDRESS = "https://ours.example/1"
OUR_ADDRESSES = {OUR_ADDRESS, "https://code.example/pull/7"}
"""The second is the fake code host's."""


def findings(text: Texts) -> tuple[Finding, ...]:
    """Return one finding of each kind."""
    where = ((text("dimension"), text("segment")),)
    attribution = Attribution(
        WhereVerdict.PLACES, 0.1, 0.4, -0.2, -0.1, (Place(where, 200.0, 24.0, 76.0, 0.92),),
        (Shift(text("dimension"), text("kind of user"), 0.5, 0.1, 0.1, -0.1),), (text("dimension"),),
    )  # fmt: skip

    def found(metric: Metric, subject: Subject, detector: str = "test", **more: object) -> Finding:
        plain = Finding(detector, metric, subject, 0.9, 0.3, 0.2, 0.4, 120, 9.0, 0.0, AT - 60, AT, AT - 120)
        return replace(plain, **more)  # type: ignore[arg-type]

    service, endpoint = text("service"), text("endpoint")
    of_endpoint = Subject("endpoint", endpoint, service=service, endpoint=endpoint)
    return (
        found(Metric.CONVERSION_RATE, Subject("funnel", text("funnel"), funnel_id=1, dimension=text("dimension"),
              value=text("segment")), observed=0.1, details=replace(DROP, attribution=attribution)),
        *(found(metric, of_endpoint) for metric in (
            Metric.ERROR_RATE, Metric.LATENCY_P95, Metric.QUERY_COUNT, Metric.REQUEST_RATE)),
        found(Metric.ALERT, Subject("alert", text("alert"), service=service), details=replace(
              ALERT, summary=text("summary"))),
        found(Metric.CUSTOM, Subject("metric", text("metric"), service=service), details=LEVEL),
        *(found(Metric.LOG_RATE, Subject("log_template", text("template"), service=service), detector,
                details=replace(LOG, text=text("log line")))
          for detector in ("log_new_template", "log_template_rate", "log_pattern")),
    )  # fmt: skip


def incident(text: Texts, status: IncidentStatus, title: str) -> Incident:
    is_closed = status in (IncidentStatus.RESOLVED, IncidentStatus.FALSE_ALARM)
    return Incident(
        id=7, title=title, status=status, severity=Severity.SEV2, service=text("service"), onset_at=NOW, opened_at=NOW,
        updated_at=NOW, acknowledged_at=NOW, acknowledged_by=text("person"), closed_at=NOW if is_closed else None,
        closed_by=text("closer") if is_closed else None, ticket_key=text("ticket"), ticket_url=OUR_ADDRESS,
        escalated_at=NOW, escalated_by=text("escalator"), snoozed_until=NOW, snoozed_by=text("snoozer"),
        closing_reason=text("closing reason") if is_closed else None, muted_until=NOW if is_closed else None,
        findings=[], timeline=[],
    )  # fmt: skip


def proposal(text: Texts) -> Proposal:
    plan = RevertPullRequest(
        repository=text("repository"), number=3, head_sha=text("head"), url=OUR_ADDRESS, service=text("service"),
        commit_shas=("a" * 40,),
    )  # fmt: skip
    described = describe_revert(plan)
    return Proposal(
        id=5, incident_id=7, action="revert_pull_request", title=described.title,
        parameters=plan.model_dump(mode="json"), content_hash="h", risk="low", blast_radius=described.blast_radius,
        verified_by=described.verified_by, undone_by=described.undone_by, status="open", created_at=NOW, expires_at=NOW,
    )  # fmt: skip


def diagnosis(text: Texts) -> Diagnosis:
    """Return a diagnosis whose sentences are made as production makes them."""
    deploy = Deploy(1, text("service"), text("version"), text("sha"), "1" * 40, "acme/shop", AT - 100)
    symptoms = [
        Symptom(
            metric, text("endpoint"), text("service"), text("endpoint"), 1, text("dimension"), text("segment"),
            9.0, 3.0, 100, AT - 60, AT, AT - 120, step=text("step"),
            words=text("said") if metric is Metric.ALERT else None,
        )
        for metric in (Metric.CONVERSION_RATE, Metric.LATENCY_P95, Metric.ALERT)
    ]  # fmt: skip
    described = Characterisation(7, AT, AT - 120, AT - 110, (text("service"),), tuple(symptoms), ())
    hypotheses = hypothesise(described, [deploy], find_suspects(observe(Scene(AT - 3600, AT, (), AT), described)))
    origin = next(item for item in hypotheses if item.deploy is not None)
    query = f"SELECT stock FROM items WHERE note = {text('statement')}"
    patch = "@@ -1 +1 @@\n+SELECT stock FROM items WHERE note = ?\n"
    commit = Commit(
        "b" * 40, None, text("author"), AT, text("commit"), OUR_ADDRESS,
        (ChangedFile(text("path"), "modified", 1, 0, patch),),
    )  # fmt: skip
    read = CommitsRead("commits_between()", (commit,))
    statement = RepeatedStatement(query, 1.0, 40.0)
    checks, scores = check_commits(origin, read, statements=[statement], endpoints=[text("endpoint")])
    unread, _ = check_commits(origin, CommitsRead("q", error=text("error")), statements=[], endpoints=[])
    template, weight = judge(TemplateCounts(3, 2, 0, 0), deploy, text("template"))
    evidence = [*(symptom_evidence(one, described) for one in symptoms), *checks, *unread]
    evidence.append(replace(evidence[0], result=template, weight=weight))
    evidence = [replace(item, number=number) for number, item in enumerate(evidence, 1)]
    cause = state_root_cause(origin, [], evidence, scores[0], live_at=ours("<t:1770465600>"))
    return Diagnosis(
        id=9, incident_id=7, status="concluded", root_cause=cause, suspect_commit=None, confidence=0.9,
        checkpoints={"confirm": verdict_row(text, cause, explain(cause, (), evidence, none_of=40))},
        started_at=NOW, finished_at=NOW,
        hypotheses=[_hypothesis_row(item) for item in hypotheses], evidence=[_evidence_row(item) for item in evidence],
    )  # fmt: skip


def _hypothesis_row(item: Hypothesis) -> HypothesisRow:
    return HypothesisRow(statement=item.statement, parameters={"role": item.role}, posterior=0.2)


def _evidence_row(item: Evidence) -> EvidenceRow:
    return EvidenceRow(number=item.number, source=item.source, outcome=item.outcome, result=item.result)


def measures(text: Texts) -> list[dict[str, str]]:
    return [{"text": f"{text('endpoint')}: 1 before, 2 now."}]


def views(text: Texts) -> Iterator[IncidentView]:
    """Yield an incident at each stage that its card tells apart, named after each kind of finding."""
    all_found = findings(text)
    for one in all_found:
        named = incident(text, IncidentStatus.OPEN, incident_title([one]))
        yield IncidentView(named, all_found, None, None, None, None, None)
    title = incident_title(all_found)
    offered, found = proposal(text), diagnosis(text)
    approval = Approval(decided_by=text("approver"))
    for status in IncidentStatus:
        yield IncidentView(incident(text, status, title), all_found, found, offered, approval, None, None)
    cured = Verification(action_id=None, status="recovered", started_at=NOW, measures=measures(text))
    yield IncidentView(incident(text, IncidentStatus.RESOLVED, title), all_found, None, None, None, None, cured)


def pull_request_body(text: Texts) -> Markup:
    return pull_requests._body(diagnosis(text), [finding_sentence(one) for one in findings(text)])


def ticket_body(text: Texts) -> Markup:
    return ticket._body(findings(text), diagnosis(text), 7)


def dialog(text: Texts) -> Modal:
    """Return a dialog as the approval's: a diff, and what it decides on."""
    offered = proposal(text)
    return Modal(
        "confirm_approval", "Approve fix", "Approve", "5:h",
        sections=(ours("**{title}**", title=offered.title), theirs(offered.blast_radius), refusal(text)),
        code=text("diff"), fields=(("Undone by", theirs(offered.undone_by)),),
    )  # fmt: skip


def refusal(text: Texts) -> Markup:
    return told(RefusedError(f"{text('person')} is on it already."))


def closing_modals(text: Texts) -> list[Modal]:
    """Return the dialogs that say what is broken still, and what is not known to be well."""
    found = findings(text)
    broken, unmeasured = Condition(broken=found), Condition(unmeasured=found, last_seen=datetime.fromtimestamp(AT, UTC))
    return [
        dialog(7, standing)
        for standing in (broken, unmeasured)
        for dialog in (closing_dialogs._resolve_modal, closing_dialogs._false_alarm_modal)
    ]


def closing_comment(text: Texts) -> Markup:
    """Return what is said on the pull request of a withdrawn offer."""
    return withdrawn_comment(7, text("closing reason"), actor=text("closer"))


def later_cards(text: Texts) -> Iterator[Card]:
    """Yield the cards about Argux itself and its channels, and about what is broken again or still."""
    found = findings(text)
    closed = incident(text, IncidentStatus.FALSE_ALARM, incident_title(found))
    yield recovery_messages._relapse_card(closed, found, NOW)
    yield recovery_messages._still_broken_card(closed, found)
    yield Card(title="Offer withdrawn", text=closing_comment(text))
    yield Card(title="Closed", text=closed_text(closed))
    late = Delays(NOW, {"events": 900.0}, LastRun(NOW, (Trouble(text("part"), text("error"), NOW),)))
    yield Card(
        title="Status",
        text=ClosedByHand(7, text("closer"), found).text,
        fields=(
            ("Muted", slash_command._muted(closed)), *(("Argux itself", sentence) for sentence in late.sentences())
        ),
    )  # fmt: skip
    yield outage_card(f"Argux can't post to {text('channel')}", text("error"), [Waiting(text("error"), 3, NOW)])
    failed = OutboxJob(id=1, actor=text("job"), arguments={"incident_id": 7}, error=text("error"), dead_at=NOW)
    yield dead_letters_card([failed], 1)
    yield dead_letters_card([], 0)
    yield from _triage_cards(text)
    for error in (WaitingError("GitHub", text("check")), RetryableError("GitHub", text("error"))):
        yield Card(title=text("title"), text=waiting_text(error, until=NOW))
    for report, tables in (
        (AuditReport(ok=True, length=3, broken_at=None, head=text("head")), []),
        (AuditReport(ok=True, length=3, broken_at=None, head="h"), [text("table")]),
        (AuditReport(ok=False, length=3, broken_at=4, head="h"), []),
    ):
        yield audit_head._card(report, tables)


def _triage_cards(text: Texts) -> Iterator[Card]:
    """Yield the digest, and the message about an alert that had waited."""
    decision = TriageDecision(
        id=7,
        fingerprint="alert",
        name=text("alert"),
        service=text("service"),
        decision="digest",
        rule="symptom",
        reason=text("reason"),
        fired_at=NOW,
        waiting_since=NOW,
    )
    yield digest_card("1 alert could wait", digest_text([decision, decision]), [decision.id])
    yield turned_card(decision)


def cards(text: Texts) -> Iterator[Card]:
    """Yield every card."""
    yield from later_cards(text)
    quiet = Quiet(NOW, maintenance_text(MaintenanceWindow(service=text("service"), reason=text("reason")))).text
    late = ours("Told only now: {why}.", why=text("reason"))
    for view in views(text):
        yield root_card(view, None, quiet=quiet, told_late=late, still_broken=theirs(text("broken")))
    named = incident(text, IncidentStatus.OPEN, incident_title(findings(text)))
    closed = incident(text, IncidentStatus.FALSE_ALARM, named.title)
    yield diagnosis_card(diagnosis(text))
    yield replace(chain_card(text("chain"), "F1"), picture=None)
    for is_right in (True, False):
        yield cause_card(7, is_right=is_right, true_cause=text("cause"), actor=text("person"))
    yield cause_card(7, is_right=False, true_cause="", actor=text("person"))
    for fix in fixes(text):
        yield diagnosis_card(diagnosis(text), fix)
    for status in ("recovered", "not_recovered", "insufficient_data"):
        yield verification._card(closed, measures(text), status, now=NOW)
    view = IncidentView(named, findings(text), None, None, None, None, None)
    seen = ours("Deploy {version} of {service}.", version=text("version"), service=text("service"))
    yield recovery_messages._card(view, measures(text), [seen], NOW)
    yield recovery_messages._new_normal_card(measures(text))
    window = MaintenanceWindow(
        service=text("service"), reason=text("reason"), begins_at=NOW, ends_at=NOW + timedelta(hours=1)
    )
    watched = Watched(Subject("endpoint", text("endpoint"), service=text("service")), WatchState.INSUFFICIENT_DATA)
    yield Card(
        title="Status",
        text=lines([slash_command._line(named), slash_command._line(closed), slash_command._unknown(text("typed"))]),
        fields=(("Maintenance", slash_command._window(window, NOW)), ("Back", slash_command._recovered(closed))),
        sections=slash_command._insufficient([watched]),
    )
    attribution = attribution_of(findings(text)[0])
    assert attribution is not None
    yield Card(title="Where", text=bullets(attribution_sentences(attribution)))
    for error in (ConflictError("GitHub", "no", (text("path"),)), RejectedError("GitHub", text("error"))):
        reason = pull_requests._reason_text(error)
        yield Card(title="No automatic revert", text=reason, links=(CardLink(text("ticket"), OUR_ADDRESS),))
