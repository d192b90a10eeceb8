"""Services: the one place where stores, clients and settings are wired together.

Each is created on first use, so a process pays only for what it needs.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dramatiq import Broker
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from storage.database.session import create_database, readers, sessions, snapshots
from workers.errors import NotConfiguredError
from workers.queueing.broker import create_broker
from workers.settings import Settings

if TYPE_CHECKING:
    import redis
    from pydantic import SecretStr

    from integrations.protocols import ChatChannel, CodeHost, EscalationChannel, TicketTracker
    from storage.telemetry.archive.cold_store import Archive
    from storage.telemetry.protocol import TelemetryStore
    from storage.telemetry.rows.privacy import Privacy
    from workers.memory.endpoints import EndpointMemory
    from workers.memory.funnels import FunnelMemory
    from workers.memory.logs import LogMemory
    from workers.memory.metrics import MetricMemory
    from workers.memory.people import PeopleMemory


def utc_now() -> datetime:
    """Return the current time, UTC: the default clock. Tests pass their own."""
    return datetime.now(UTC)


def secret(value: SecretStr | None, name: str) -> str:
    """Return the text of a secret setting; raise NotConfiguredError with its name when it is missing."""
    if value is None or not value.get_secret_value():
        raise NotConfiguredError(f"{name} is not set")
    return value.get_secret_value()


def kept_key(path: Path) -> bytes:
    """Return the key stored at `path`, creating it if missing. When processes race, all get the key of the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(32))
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    return path.read_text().encode()


class Services:
    """Everything a job needs. Tests may replace attributes by fakes with the same contract."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        stopwatch: Callable[[], float] = time.monotonic,
        is_alone: bool = False,
    ) -> None:
        """clock: the time of day. stopwatch: seconds since any moment, for how long something takes.

        is_alone: no other process or thread writes to the database.
        """
        self.settings = settings
        self.clock = clock
        self.stopwatch = stopwatch
        self.is_alone = is_alone

    @cached_property
    def engine(self) -> Engine:
        """The SQLAlchemy engine of the relational database."""
        return create_database(self.settings.database_url)

    @cached_property
    def sessions(self) -> sessionmaker[Session]:
        """Session factory for reading and writing; one session is one unit of work."""
        return sessions(self.engine)

    @cached_property
    def readers(self) -> sessionmaker[Session]:
        """Session factory for reading only; such sessions never wait for a writer."""
        return readers(self.engine)

    @cached_property
    def snapshots(self) -> sessionmaker[Session]:
        """Session factory for reading one snapshot of several tables."""
        return snapshots(self.engine)

    @cached_property
    def telemetry(self) -> TelemetryStore:
        """The telemetry store: events, spans, log records, metric points and their rollups."""
        from detection.funnels import attempts
        from storage.telemetry.sql import SqlTelemetry
        from workers.memory.log_reader import TemplateLogReader

        return SqlTelemetry(
            self.engine,
            funnel_reader=attempts.attempts,
            segment_dimensions=self.settings.segment_dimensions,
            clock=lambda: self.clock().timestamp(),
            privacy=self.privacy,
            archive=self.archive,
            log_reader=TemplateLogReader(),
            is_alone=self.is_alone,
        )

    @cached_property
    def archive(self) -> Archive | None:
        """The archive; None when ARCHIVE_DAYS is 0."""
        from storage.telemetry.archive.cold_store import Archive

        if not self.settings.archive_days:
            return None
        return Archive(self.settings.argux_data_dir / "archive", keep_days=self.settings.archive_days)

    @cached_property
    def log_memory(self) -> LogMemory:
        """This process's memory of log templates and patterns between ticks."""
        from workers.memory.logs import LogMemory

        return LogMemory()

    @cached_property
    def endpoint_memory(self) -> EndpointMemory:
        """This process's memory of endpoints between ticks."""
        from workers.memory.endpoints import EndpointMemory

        return EndpointMemory()

    @cached_property
    def funnel_memory(self) -> FunnelMemory:
        """This process's memory of funnels between ticks."""
        from workers.memory.funnels import FunnelMemory

        return FunnelMemory()

    @cached_property
    def metric_memory(self) -> MetricMemory:
        """This process's memory of custom metrics between ticks."""
        from workers.memory.metrics import MetricMemory

        return MetricMemory()

    @cached_property
    def people_memory(self) -> PeopleMemory:
        """This process's memory of the people in the chat."""
        from workers.memory.people import PeopleMemory

        return PeopleMemory(lambda user_id: self.chat.user(user_id), self.clock)

    @cached_property
    def privacy(self) -> Privacy:
        """Hashes or drops personal data (PII_PROPERTIES, PII_MODE). The hash key is derived from the audit key."""
        from storage.telemetry.rows.privacy import Privacy

        if not self.settings.pii_properties:
            return Privacy()
        key = hmac.digest(self.audit_key, b"argux: personal data", "sha256")
        return Privacy(self.settings.pii_properties, key=key, drop=self.settings.pii_mode == "drop")

    @cached_property
    def broker(self) -> Broker:
        """The Dramatiq broker, through which jobs reach the workers."""
        return create_broker(self.redis_url)

    @cached_property
    def redis(self) -> redis.Redis:
        """The Redis client for leases and the scheduler's leader election."""
        import redis

        return redis.Redis.from_url(self.redis_url, socket_timeout=5)

    @property
    def redis_url(self) -> str:
        """The broker's URL; `argux up` sets it when it starts the embedded broker. Raises NotConfiguredError."""
        if not self.settings.redis_url:
            raise NotConfiguredError("REDIS_URL is not set (`argux up` starts a broker of its own)")
        return self.settings.redis_url

    @cached_property
    def audit_key(self) -> bytes:
        """The key of the audit chain: AUDIT_KEY, else a random key created once in the data directory."""
        if self.settings.audit_key is not None:
            return self.settings.audit_key.get_secret_value().encode()
        return kept_key(self.settings.argux_data_dir / "audit.key")

    @cached_property
    def chat(self) -> ChatChannel:
        """The Slack client."""
        from integrations.slack.client import SlackChannel

        return SlackChannel(
            token=secret(self.settings.slack_bot_token, "SLACK_BOT_TOKEN"),
            base_url=self.settings.slack_api_url,
        )

    @cached_property
    def code_host(self) -> CodeHost:
        """The GitHub client."""
        from integrations.github import GitHubCodeHost

        return GitHubCodeHost(
            token=secret(self.settings.github_token, "GITHUB_TOKEN"),
            base_url=self.settings.github_api_url,
        )

    @cached_property
    def tickets(self) -> TicketTracker:
        """The Jira client."""
        from integrations.jira import JiraTracker

        if not self.settings.jira_url:
            raise NotConfiguredError("JIRA_URL is not set")
        if not self.settings.jira_email:
            raise NotConfiguredError("JIRA_EMAIL is not set")
        return JiraTracker(
            url=self.settings.jira_url,
            email=self.settings.jira_email,
            token=secret(self.settings.jira_token, "JIRA_TOKEN"),
            project=self.settings.jira_project,
        )

    @cached_property
    def escalation(self) -> EscalationChannel:
        """The Teams webhook."""
        from integrations.teams.client import TeamsWebhook

        return TeamsWebhook(secret(self.settings.teams_webhook_url, "TEAMS_WEBHOOK_URL"))
