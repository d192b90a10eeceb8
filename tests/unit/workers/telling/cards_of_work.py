"""The cards and dialogs that the product composes while it works: its own jobs, on a database that forgets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.orm import sessionmaker

from detection.types import Finding, IncidentStatus, Metric, Severity
from integrations.cards import Card, Modal
from integrations.errors import AuthenticationError, RejectedError, RetryableError, WaitingError
from integrations.protocols import ChannelUser, Standing, Ticket, TicketField
from integrations.text import stored
from storage import deliveries, deploys, incidents, proposals
from storage.database.session import create_database
from storage.models import Action, Alert, Delivery, Diagnosis, MaintenanceWindow, OutboxJob, Proposal, TriageDecision
from tests.finding_details import DROP, STAKES
from tests.scenarios.workers.fakes import DIFF, FakeChat, FakeCodeHost, FakeEscalation, FakeTickets
from tests.unit.workers.telling.cards_of_texts import NOW, OUR_ADDRESS, Texts, diagnosis, findings
from workers.clicks import closing, closing_dialogs, escalate, slash_command, ticket, ticket_dialog
from workers.diagnosis.job import diagnosis_given_up
from workers.errors import NotYetError
from workers.lifecycle import alert_endings
from workers.remediation import approvals, catalogue, execution, pull_requests
from workers.remediation import closing as remediation_closing
from workers.services import Services
from workers.settings import Settings
from workers.telling import delays_message, dialogs, held_messages, stakes_message, where_message
from workers.telling.channels import outages, private_messages
from workers.telling.enqueue import CARD
from workers.triage import digest
from workers.words.attribution_details import attribution_of

ANSWER = "https://hooks.slack.com/commands/1"


class Desk:
    """Services for one piece of work after another; each finds the database empty."""

    def __init__(self, database_url: str, directory: Path) -> None:
        self._engine = create_database(database_url)
        self._settings = Settings(
            _env_file=None, database_url=database_url, audit_key="test", argux_data_dir=directory, approver_ids="UANA"
        )

    @contextmanager
    def at_work(self, texts: Texts) -> Iterator[Services]:
        """Yield services whose people, tickets and diffs are named by `texts`; take back what they stored."""
        services = Services(self._settings, clock=lambda: NOW)
        services.chat = HostileChat(texts)
        services.code_host = FakeCodeHost(
            head_sha="a" * 40, diff_text=DIFF.replace("good", " ".join(texts("diff").split()))
        )
        services.tickets = FakeTickets(Ticket(texts("ticket"), OUR_ADDRESS))
        services.escalation = FakeEscalation()
        with self._engine.connect() as connection:
            whole = connection.begin()
            services.sessions = services.readers = services.snapshots = _within(connection)
            yield services
            whole.rollback()
        # The telemetry store's own connections.
        services.engine.dispose()

    def close(self) -> None:
        self._engine.dispose()


def _within(connection: Connection) -> sessionmaker:  # type: ignore[type-arg]
    return sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")


class HostileChat(FakeChat):
    """A chat whose people have names from outside, and which shows nothing to one person alone."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts

    def user(self, user_id: str) -> ChannelUser:
        return ChannelUser(user_id, self._texts("person"), "UTC", self.standings.get(user_id, Standing.MEMBER))

    def post_ephemeral(self, channel: str, user_id: str, text: str, thread: object = None) -> None:
        raise RejectedError("Slack", "user_not_in_channel")


def composed(desk: Desk, texts: Texts) -> tuple[list[Card], list[Modal]]:
    """Return every card and dialog that the work leaves, in the order in which it is done."""
    with desk.at_work(texts) as services:
        for work in (_tell_of_detection, _act_on_the_thread, _carry_out, _answer, _tell_of_itself):
            work(services, texts)
        with services.readers() as session:
            in_threads = select(Delivery).where(Delivery.purpose.in_(("thread", "answer")))
            rows = session.scalars(in_threads.order_by(Delivery.id)).all()
            cards = [CARD.validate_python(row.content) for row in rows]
        chat, teams = services.chat, services.escalation
        assert isinstance(chat, FakeChat)
        assert isinstance(teams, FakeEscalation)
        posted = [message.card for message in chat.messages.values()]
        return [*cards, *chat.responses, *posted, *teams.cards], chat.modals


def opened(services: Services, texts: Texts, *found: Finding, status: IncidentStatus = IncidentStatus.OPEN) -> int:
    """Store an incident with findings and a diagnosis; return its id."""
    with services.sessions.begin() as session:
        incident = incidents.open_incident(
            session, title=texts("title"), severity=Severity.SEV2, service=texts("service"), onset_at=NOW, now=NOW
        )
        for one in found or findings(texts)[:2]:
            incidents.record_finding(session, incident, one, now=NOW)
        if status is not IncidentStatus.OPEN:
            incidents.change_status(session, incident, status, actor=texts("closer"), now=NOW, reason=texts("reason"))
        return incident.id


def offered(services: Services, texts: Texts, incident_id: int, *, is_approved: bool = False) -> Proposal:
    """Store the offer of a revert for an incident."""
    plan = catalogue.RevertPullRequest(
        repository=texts("repository"), number=7, head_sha="a" * 40, url=OUR_ADDRESS, service=texts("service"),
        commit_shas=("d" * 40,), base_branch="main",
    )  # fmt: skip
    described = catalogue.describe_revert(plan)
    with services.sessions.begin() as session:
        proposal = proposals.create_proposal(
            session, incident_id=incident_id, diagnosis_id=None, action="revert_pull_request", title=described.title,
            parameters=plan.model_dump(mode="json"), risk=described.risk, blast_radius=described.blast_radius,
            verified_by=described.verified_by, undone_by=described.undone_by, now=NOW,
            expires_at=NOW.replace(hour=20),
        )  # fmt: skip
        if is_approved:
            proposals.approve(
                session, proposal, content_hash=proposal.content_hash, user_id="UANA", user_name=texts("approver"),
                now=NOW,
            )  # fmt: skip
            proposals.start_action(session, proposal, now=NOW)
        return proposal


def _tell_of_detection(services: Services, texts: Texts) -> None:
    """What is at stake, where it is lost, an end of a snooze, ends of alerts."""
    drop = findings(texts)[0]
    costly = replace(
        drop,
        details=replace(
            DROP, stakes=replace(STAKES, revenue_a_day=STAKES.conversions_a_day, currency=texts("currency"))
        ),
    )
    incident_id = opened(services, texts)
    attribution = attribution_of(drop)
    assert attribution is not None
    with services.sessions.begin() as session:
        stakes_message.enqueue_stakes_message(services, session, incident_id, [costly], NOW)
        where_message._post_location(services, session, incident_id, attribution, NOW)
        root = deliveries.create_delivery(
            session, key=f"root:{incident_id}", incident_id=incident_id, purpose="root", channel="C1", content={},
            now=NOW,
        )  # fmt: skip
        deliveries.mark_delivered(session, root, message_id="1", content_hash=None, now=NOW)
        incident = incidents.get_incident(session, incident_id)
        over = stored("The snooze is over.")
        held_messages.end_snooze(services, session, incident, text=over, actor=texts("snoozer"), now=NOW)
    _end_alerts(services, texts)


def _end_alerts(services: Services, texts: Texts) -> None:
    alerting = next(one for one in findings(texts) if one.metric is Metric.ALERT)
    incident_id = opened(services, texts, alerting)
    with services.sessions.begin() as session:
        ended, firing = (
            Alert(
                fingerprint=state, source="test", name=texts("alert"), service=texts("service"), severity=None,
                state=state, started_at=NOW, ended_at=NOW if state == "resolved" else None, heard_at=NOW, quiet_at=NOW,
                told_at=None, summary="", url="", values={}, together=None,
            )
            for state in ("resolved", "firing")
        )  # fmt: skip
        session.add(ended)
        session.flush()
        active = incidents.active_incidents(session)
        alert_endings._post_end(services, session, ended, active, NOW)
        session.add(firing)
        ended.ended_at = NOW.replace(minute=1)
        session.flush()
        alert_endings._post_end(services, session, ended, active, NOW)
        alert_endings._resolve(services, session, incidents.get_incident(session, incident_id), NOW)


def _act_on_the_thread(services: Services, texts: Texts) -> None:
    """Tickets, escalations, diagnoses and fixes: done, waiting and given up."""
    reason = texts("error")
    incident_id = opened(services, texts)
    assert isinstance(services.tickets, FakeTickets)
    services.tickets.failures.append(RetryableError("Jira", reason))
    with suppress(RetryableError):
        ticket.create_ticket(services, incident_id, texts("person"))
    ticket.ticket_given_up(services, incident_id, texts("person"), reason)
    ticket.create_ticket(services, incident_id, texts("person"))
    assert isinstance(services.escalation, FakeEscalation)
    services.escalation.failures.append(RetryableError("Teams", reason))
    with suppress(RetryableError):
        escalate.escalate(services, incident_id, texts("escalator"))
    escalate.escalation_given_up(services, incident_id, texts("escalator"), reason)
    escalate.escalate(services, incident_id, texts("escalator"))
    diagnosis_given_up(services, incident_id, reason)
    limited = RetryableError("GitHub", reason, retry_after_seconds=60)
    remediation_closing._tell_open_still(services, incident_id, 3, limited)
    remediation_closing.close_given_up(services, incident_id, texts("repository"), 3, "", reason)
    _offer(services, texts, incident_id)


def _offer(services: Services, texts: Texts, incident_id: int) -> None:
    """Offer a fix, and withdraw it; then find that there is none."""
    found = _diagnosed(services, texts, incident_id)
    fix = found.checkpoints["fix"]
    plan = catalogue.RevertPullRequest(
        repository=fix["repository"], number=8, head_sha="a" * 40, url=OUR_ADDRESS, service=texts("service"),
        commit_shas=("d" * 40,),
    )  # fmt: skip
    pull_requests._propose(services, found, plan, fix, is_answer=False)
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        closing._withdraw_offer(services, session, incident, texts("closing reason"), actor=texts("closer"), now=NOW)
    waits = RetryableError("GitHub", texts("error"), retry_after_seconds=60)
    with suppress(NotYetError):
        pull_requests._wait(services, found, waits, since=NOW, is_answer=False)
    pull_requests.fix_given_up(services, found.id, texts("error"))


def _diagnosed(services: Services, texts: Texts, incident_id: int) -> Diagnosis:
    made = diagnosis(texts)
    fix = {"repository": texts("repository"), "service": texts("service"), "commit_shas": ["d" * 40]}
    with services.sessions.begin() as session:
        row = Diagnosis(
            incident_id=incident_id, status=made.status, root_cause=made.root_cause, suspect_commit=None,
            confidence=0.9, checkpoints={**made.checkpoints, "fix": fix}, started_at=NOW, finished_at=NOW,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row


def _carry_out(services: Services, texts: Texts) -> None:
    """Carry fixes out: one that waits, is not merged, is merged, is merged by others, and is refused."""
    for number, end in enumerate((_wait_for_github, _not_merged, _merged, _refused)):
        incident_id = opened(services, texts)
        proposal = offered(services, texts, incident_id, is_approved=True)
        plan = catalogue.RevertPullRequest.model_validate(proposal.parameters)
        end(services, texts, proposal, plan.model_copy(update={"number": number}))


def _wait_for_github(services: Services, texts: Texts, proposal: Proposal, plan: catalogue.RevertPullRequest) -> None:
    with services.readers() as session:
        action = session.scalars(select(Action).where(Action.proposal_id == proposal.id)).one()
    with suppress(NotYetError):
        execution._wait(services, action.id, plan, WaitingError("GitHub", texts("check")))


def _not_merged(services: Services, texts: Texts, proposal: Proposal, plan: catalogue.RevertPullRequest) -> None:
    execution._finish_failed(services, proposal.id, plan, texts("error"))


def _merged(services: Services, texts: Texts, proposal: Proposal, plan: catalogue.RevertPullRequest) -> None:
    assert isinstance(services.code_host, FakeCodeHost)
    services.code_host.merges = 1
    found = services.code_host.pull_request(plan.repository, plan.number)
    services.code_host.merges = 0
    changed = replace(found, merge_commit_sha=texts("sha"))
    execution._finish_done(services, proposal.id, plan, execution.Merged(changed, by_others=True))


def _refused(services: Services, texts: Texts, proposal: Proposal, plan: catalogue.RevertPullRequest) -> None:
    execution._refuse_unapproved(services, proposal.id, texts("error"))


def _answer(services: Services, texts: Texts) -> None:
    """Answer commands and clicks: dialogs, refusals, answers of every kind."""
    incident_id = opened(services, texts)
    proposal = offered(services, texts, incident_id)
    slash_command.answer_command(services, "triage", ANSWER)
    dialogs.show(services, "approval", approvals.confirmation(services, proposal.id, user_id="UANA"), user_id="UANA")
    for action_id in dialogs.TITLES:
        dialogs.open_at_once(services, action_id, action_id)
        dialogs.show_text(services, action_id, action_id, stored(""))
    field = TicketField("customfield_1", texts("label"), choices=(("1", texts("choice")),), hint=texts("hint"))
    ticket_dialog.show(services, incident_id, "ticket", [field], user_id="UANA")
    closing_dialogs.false_alarm_pressed(services, incident_id, "false alarm", user_id="UANA")
    with services.sessions.begin() as session:
        deploys.record_deploy(
            session, service=texts("service"), version=texts("version"), commit_sha="e" * 40, repository="acme/shop",
            deployed_at=NOW, deployed_by=None, now=NOW,
        )  # fmt: skip
        session.add(TriageDecision(
            fingerprint="a", name=texts("alert"), service=texts("service"), decision="digest", rule="flaps",
            reason=texts("reason"), log_odds=-1.0, fired_at=NOW, decided_at=NOW, read_at=NOW,
        ))  # fmt: skip
        session.add(OutboxJob(
            actor="deliver", key="k", arguments={}, created_at=NOW, available_at=NOW, dead_at=NOW, error=texts("error"),
            attempts=1,
        ))  # fmt: skip
        session.add(MaintenanceWindow(
            service=texts("service"), begins_at=NOW, ends_at=NOW.replace(hour=20), reason=texts("reason"),
            created_at=NOW, made_by=texts("person"),
        ))  # fmt: skip
    for words in ("status", "incidents", "triage", "woken 1", "woken 99", "help", texts("typed")):
        slash_command.answer_command(services, words, ANSWER)
    for words in ("cause", f"cause {incident_id} right"):
        slash_command.answer_command(services, words, ANSWER, user_id="UANA")
    _diagnosed(services, texts, incident_id)
    typed = f"cause {incident_id} wrong {texts('real cause')}"
    slash_command.answer_command(services, typed, ANSWER, user_id="UANA")
    assert isinstance(services.chat, FakeChat)
    services.chat.standings["USTRANGER"] = Standing.STRANGER
    slash_command.answer_command(services, "status", ANSWER, user_id="USTRANGER")
    slash_command.command_given_up(services, texts("error"), response_url=ANSWER, channel="C1", user_id="UANA")
    told = stored(slash_command._unknown(texts("typed")))
    private_messages._told(services, "C1", "UANA", told, None, ANSWER)
    private_messages._told(services, "C1", "UANA", told, None, None)


def _tell_of_itself(services: Services, texts: Texts) -> None:
    """Tell that Argux is late, and that a channel takes no messages."""
    delays_message.tell_delays(services, "Argux does not keep up", "Events are counted 900 s late.", "k")
    digest.tell_digest(services, "1 alert could wait", "Nothing.", "digest", [7])
    for recipient in ("UANA", outages.TEAMS):
        error = AuthenticationError("Slack", texts("error"))
        title = f"Argux can't post to {texts('channel')}"
        outages.tell_outage(services, recipient, title, str(error), f"outage:{recipient}")
