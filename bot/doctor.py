"""Check each configured system and say how to fix the ones that fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from queue import Empty, SimpleQueue

from sqlalchemy.exc import DBAPIError

from bot.reception.arrivals.door_words import door_words
from bot.reception.arrivals.reading import Report, read_reports
from bot.setup import probes
from bot.setup.completeness import HOW_TO_NAME_PEOPLE
from bot.setup.probes import TroubleError
from integrations.errors import IntegrationError
from integrations.wording import plain
from storage import outbox
from storage.database import session as storage_session
from storage.errors import DatabaseUnavailableError
from storage.telemetry.endpoints.names import FURTHER, MOST_BEHIND_ONE
from storage.telemetry.protocol import COARSE_SECONDS
from workers.errors import NotConfiguredError
from workers.services import Services
from workers.settings import Settings
from workers.telling.channels.outages import held_texts
from workers.words.jobs import job_text
from workers.words.text import counted

CHECK_SECONDS = 8.0
JOBS_SHOWN = 3
_ENDPOINTS_SHOWN = 3
_LAST_DAY = 86_400.0


class NoticeError(Exception):
    """What is checked works, and a person should look at something; the message says at what."""


class Health(StrEnum):
    """The result of a check. notice: it works, and a person should look at something."""

    OK = "ok"
    NOTICE = "notice"
    NOT_SET = "not set"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Check:
    """A system to check.

    is_configured: any of its settings is set. probe: returns a line about the system, or raises. remedy: what to do if
    it fails. if_not_set: what to set to use it.
    """

    name: str
    is_configured: bool
    probe: Callable[[], str]
    remedy: str
    if_not_set: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one check, with a text for people."""

    name: str
    health: Health
    text: str

    def line(self) -> str:
        """Return the result as one line for the terminal."""
        return f"{self.name + ':':<10} {self.health}{f' · {self.text}' if self.text else ''}"


def settings_check(services: Services) -> Check:
    """Return the check of the settings themselves: their names, and what is set without what it needs."""
    return Check(
        "settings",
        True,
        lambda: probes.names_and_groups(services.settings),
        "correct .env or the environment, and start Argux again",
        "",
    )


def checks(services: Services) -> list[Check]:
    """Return the checks of all systems: those that Argux cannot run without first."""
    return [*_own_checks(services), *_outside_checks(services)]


def _own_checks(services: Services) -> list[Check]:
    """Return the checks of the database, the broker, and the jobs that were given up."""
    return [
        Check(
            "database",
            True,
            lambda: storage_session.check(services.engine),
            "check DATABASE_URL",
            "",
        ),
        Check(
            "broker",
            bool(services.settings.redis_url),
            lambda: _broker(services),
            "check REDIS_URL and that Redis or Valkey runs there",
            "`argux up` starts one of its own; web, worker and scheduler alone need REDIS_URL",
        ),
        Check(
            "detection",
            True,
            lambda: _detection(services),
            "`argux up` runs everything that detection needs",
            "",
        ),
        Check(
            "endpoints",
            True,
            lambda: _endpoints(services),
            "let the sender give http.route, or a span name without what users write",
            "",
        ),
        Check(
            "doors",
            True,
            lambda: _doors(services),
            "`argux doors` shows what came in, and why it was refused",
            "",
        ),
        Check(
            "jobs",
            True,
            lambda: _jobs(services),
            "mend what the reason names, then `argux jobs retry NUMBER`, or `argux jobs dismiss NUMBER`",
            "",
        ),
        Check(
            "messages",
            True,
            lambda: _messages(services),
            "mend what the reason names; then they are posted, in order, within a minute",
            "",
        ),
    ]


def _outside_checks(services: Services) -> list[Check]:
    """Return the checks of the outside systems, each of which is optional."""
    return [
        *_checks_of_chat(services),
        *_checks_of_code(services),
        *_checks_of_handing_over(services),
        *_checks_of_reading(services.settings),
    ]


def _checks_of_chat(services: Services) -> list[Check]:
    """Return the checks of where incidents are told, and of who decides there."""
    settings = services.settings
    return [
        Check(
            "Slack",
            any((settings.slack_bot_token, settings.slack_signing_secret, settings.slack_app_token)),
            lambda: probes.slack(services),
            "see to what is named; tokens are at api.slack.com/apps, and the bot has to be in SLACK_CHANNEL",
            "set SLACK_BOT_TOKEN, and SLACK_SIGNING_SECRET or SLACK_APP_TOKEN",
        ),
        Check(
            "people",
            bool(settings.approver_ids),
            lambda: probes.people(services),
            HOW_TO_NAME_PEOPLE,
            f"nobody may approve a fix; {HOW_TO_NAME_PEOPLE}",
        ),
    ]


def _checks_of_code(services: Services) -> list[Check]:
    """Return the checks of where fixes are proposed, and of what tells of deploys."""
    settings = services.settings
    return [
        Check(
            "GitHub",
            settings.github_token is not None,
            lambda: probes.github(services),
            "set GITHUB_TOKEN to a token that may write contents and pull requests, and look at SERVICE_REPOSITORIES",
            "set GITHUB_TOKEN to have fixes proposed as pull requests",
        ),
        Check(
            "deploys",
            settings.github_webhook_secret is not None,
            lambda: "GitHub's webhook to /github/webhooks is verified by its secret",
            "",
            "set GITHUB_WEBHOOK_SECRET to be told of deploys by GitHub; otherwise by POST /api/deploys and by the "
            "service.version of spans",
        ),
    ]


def _checks_of_handing_over(services: Services) -> list[Check]:
    """Return the checks of where tickets are made and where incidents are escalated."""
    settings = services.settings
    return [
        Check(
            "Jira",
            any((settings.jira_url, settings.jira_email, settings.jira_token)),
            lambda: probes.jira(services),
            "check JIRA_URL, JIRA_EMAIL, JIRA_TOKEN and JIRA_PROJECT, and what the account may do there",
            "set JIRA_URL, JIRA_EMAIL and JIRA_TOKEN to have tickets made",
        ),
        Check(
            "Teams",
            settings.teams_webhook_url is not None,
            lambda: probes.teams(services),
            "make a new webhook in the Teams channel and set TEAMS_WEBHOOK_URL",
            "set TEAMS_WEBHOOK_URL to be able to escalate",
        ),
    ]


def _checks_of_reading(settings: Settings) -> list[Check]:
    """Return the checks of where logs and status pages are read from, and of the language model."""
    return [
        Check(
            "Elastic",
            settings.elasticsearch_url is not None,
            lambda: probes.elasticsearch(settings),
            "check ELASTICSEARCH_URL and ELASTICSEARCH_API_KEY",
            "set ELASTICSEARCH_URL to have logs read from there",
        ),
        Check(
            "status",
            bool(settings.status_feeds),
            lambda: probes.status_feeds(settings),
            "look at the addresses in STATUS_FEEDS",
            "set STATUS_FEEDS to have the status pages of your providers read",
        ),
        Check(
            "LLM",
            any((settings.llm_base_url, settings.llm_api_key, settings.llm_model)),
            lambda: probes.language_model(settings),
            "check LLM_BASE_URL, LLM_API_KEY and LLM_MODEL",
            "diagnosis works without; LLM_BASE_URL, LLM_API_KEY and LLM_MODEL are not used yet",
        ),
    ]


def _broker(services: Services) -> str:
    services.redis.ping()
    return "answers a ping"


def _detection(services: Services) -> str:
    """Raise TroubleError if data is judged late or something fails at every tick."""
    from workers.watching.delays import delays

    try:
        with services.readers() as session:
            found = delays(services, session)
    except DBAPIError as error:
        raise DatabaseUnavailableError("It reads the database: mend that first.") from error
    if sentences := found.sentences():
        raise TroubleError(plain(" ".join(sentences)))
    return "has not begun yet" if found.tick is None else "keeps up"


def _endpoints(services: Services) -> str:
    """Raise NoticeError if a service has so many names of operations that some are watched together."""
    now = services.clock().timestamp()
    try:
        counts = services.telemetry.endpoint_counts(since=now - _LAST_DAY, until=now, bucket_seconds=COARSE_SECONDS)
    except DBAPIError as error:
        raise DatabaseUnavailableError("They are in the database: mend that first.") from error
    together = sorted(f"{service}: {endpoint}" for service, endpoint in counts if FURTHER in endpoint)
    if together:
        shown = "; ".join(together[:_ENDPOINTS_SHOWN])
        raise NoticeError(f"more than {MOST_BEHIND_ONE} names in one place, the further ones watched as one: {shown}")
    return f"{len(counts)} in the last day"


def _doors(services: Services) -> str:
    """Raise NoticeError if everything that came with a key during the last hour was refused."""
    try:
        with services.readers() as session:
            reports = read_reports(services, session)
    except DBAPIError as error:
        raise DatabaseUnavailableError("What came in is in the database: mend that first.") from error
    heard = {report.sender for report in reports if not report.is_only_refused}
    refused = [report for report in reports if report.sender and report.sender not in heard]
    if refused:
        raise NoticeError("; ".join(_refused_sentence(report) for report in refused[:JOBS_SHOWN]))
    records = sum(report.records for report in reports)
    return f"{counted(records, 'record')} came in during the last hour"


def _refused_sentence(report: Report) -> str:
    """Name the door and the reasons. Not the key and the message: the health route shows this to everybody."""
    reasons = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in report.refused.most_common())
    return f"a key's data for {door_words(report.door).path} is all refused ({reasons})"


def _jobs(services: Services) -> str:
    """Raise NoticeError if jobs were given up and nobody has retried or dismissed them yet.

    That is no failure: Argux goes on working, and a probe that restarts it for that would mend nothing.
    """
    try:
        with services.readers() as session:
            count, since = outbox.count_dead_letters(session)
            dead = outbox.dead_letters(session, limit=JOBS_SHOWN)
    except DBAPIError as error:
        raise DatabaseUnavailableError("They are in the database: mend that first.") from error
    if since is not None:
        newest = "; ".join(f"{job_text(job)}: {job.error}" for job in dead)
        first = since.astimezone(services.settings.timezone)
        raise NoticeError(f"{count} given up since {first:%Y-%m-%d %H:%M %Z}, the newest: {newest}")
    return "none given up"


def _messages(services: Services) -> str:
    """Raise TroubleError if messages are held because Slack refuses them. Slack left unset is no trouble."""
    try:
        with services.readers() as session:
            held = held_texts(session, services.settings.timezone)
    except DBAPIError as error:
        raise DatabaseUnavailableError("They are in the database: mend that first.") from error
    if not held:
        return "none held"
    if services.settings.slack_bot_token is None:
        return f"held until Slack is set: {held[0]}"
    raise TroubleError(f"held: {'; '.join(held[:JOBS_SHOWN])}")


def _examine(check: Check) -> Outcome:
    try:
        return Outcome(check.name, Health.OK, check.probe())
    except DatabaseUnavailableError as error:
        return Outcome(check.name, Health.FAILED, str(error))
    except NoticeError as error:
        return Outcome(check.name, Health.NOTICE, f"{str(error).rstrip('.')}. To mend it: {check.remedy}")
    except (IntegrationError, NotConfiguredError, TroubleError) as error:
        return Outcome(check.name, Health.FAILED, f"{str(error).rstrip('.')}. To mend it: {check.remedy}")
    except Exception as error:  # noqa: BLE001 - any driver error is a failed check; its text may hold a secret
        return Outcome(check.name, Health.FAILED, f"{type(error).__name__}. To mend it: {check.remedy}")


def examine(
    wanted: Sequence[Check], *, seconds: float = CHECK_SECONDS, monotonic: Callable[[], float] = time.monotonic
) -> list[Outcome]:
    """Run the checks of all configured systems in parallel, for at most `seconds` in total.

    Returns the outcomes in the order of `wanted`; a system without an answer in time has failed.
    """
    deadline = monotonic() + seconds
    pending = [(check, _in_background(check)) for check in wanted if check.is_configured]
    answers: dict[str, Outcome] = {}
    for check, answer in pending:
        try:
            answers[check.name] = answer.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            answers[check.name] = Outcome(
                check.name, Health.FAILED, f"no answer within {seconds:g} s. To mend it: {check.remedy}"
            )
    return [answers.get(check.name, Outcome(check.name, Health.NOT_SET, check.if_not_set)) for check in wanted]


def _in_background(check: Check) -> SimpleQueue[Outcome]:
    """Run a check in a daemon thread, so that a system that hangs cannot keep the process from ending."""
    answer: SimpleQueue[Outcome] = SimpleQueue()
    threading.Thread(target=lambda: answer.put(_examine(check)), daemon=True, name=f"check {check.name}").start()
    return answer
