"""All settings, read once from the environment or `.env`."""

from __future__ import annotations

import re
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_DATABASE_URL = re.compile(r"sqlite(\+\w+)?:///(?!:memory:).+|postgres(ql)?(\+\w+)?://.+")
_REDIS_URL = re.compile(r"(rediss?|unix)://.*")
_ADDRESS = re.compile(r"[^:]+://([^@/?#]*@)?(?P<hosts>[^@/?#]*)([/?#].*)?")
_ENCODED = "write the port as a number, and in a password %40 for @, %3A for :, %2F for /, %23 for #, %3F for ?"


def _split(value: object) -> object:
    """Split "a, b" into ["a", "b"]; return anything else unchanged, for pydantic to validate."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _check_address(url: str) -> None:
    """Raise ValueError unless hosts and ports can be told from the rest of an address that names a server."""
    if url.startswith(("sqlite", "unix")):
        return
    address = _ADDRESS.fullmatch(url)
    hosts = address["hosts"].split(",") if address is not None else ["unknown:"]
    ports = [host.rpartition("]")[2].partition(":") for host in hosts]
    if not all(_is_port(port) or not colon for _, colon, port in ports):
        raise ValueError(_ENCODED)


def _is_port(text: str) -> bool:
    return re.fullmatch("[0-9]{1,5}", text) is not None and 0 < int(text) <= 65_535


class Settings(BaseSettings):
    """The settings. Each name is the environment variable's in lower case; `.env.example` explains them all."""

    # White space around a value is no part of it: a secret read from a file ends with a line end.
    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, str_strip_whitespace=True
    )

    argux_host: str = "127.0.0.1"
    argux_port: int = Field(8765, ge=1, le=65535)
    argux_timezone: str = "UTC"
    argux_data_dir: Path = Path(".argux")
    archive_days: int = Field(90, ge=0)
    workspace_url: str | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"

    otlp_grpc_port: int | None = Field(None, ge=1, le=65535)

    syslog_port: int | None = Field(None, ge=1, le=65535)
    syslog_host: str | None = None
    syslog_allow: Annotated[list[str], NoDecode] = ["127.0.0.0/8", "::1/128"]

    sns_topic_arns: Annotated[list[str], NoDecode] = []
    sentry_client_secret: SecretStr | None = None
    github_webhook_secret: SecretStr | None = None
    deploy_environments: Annotated[list[str], NoDecode] = ["production", "prod", "live"]

    elasticsearch_url: str | None = None
    elasticsearch_api_key: SecretStr | None = None
    elasticsearch_index: str = "logs-*"
    elasticsearch_query: str = "*"
    elasticsearch_time_field: str = "@timestamp"
    monitoring_interval: float = Field(60.0, ge=1)

    pii_properties: Annotated[list[str], NoDecode] = []
    pii_mode: Literal["hash", "drop"] = "hash"

    database_url: str = "sqlite:///.argux/argux.db"
    redis_url: str | None = None
    worker_threads: int = Field(8, ge=1, le=64)
    audit_key: SecretStr | None = None

    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_channel: str = "#incidents"
    slack_api_url: str = "https://slack.com/api/"
    audit_channel: str | None = None
    approver_ids: Annotated[list[str], NoDecode] = []

    github_token: SecretStr | None = None
    github_api_url: str = "https://api.github.com"
    service_repositories: Annotated[dict[str, str], NoDecode] = {}

    jira_url: str | None = None
    jira_email: str | None = None
    jira_token: SecretStr | None = None
    jira_project: str = "OPS"

    teams_webhook_url: SecretStr | None = None

    llm_base_url: str | None = None
    llm_api_key: SecretStr | None = None
    llm_model: str | None = None

    min_sample_size: int = Field(100, ge=1)
    min_drop_percent: float = Field(12.0, ge=0, le=100)
    sigma_threshold: float = Field(2.0, gt=0)
    recent_window_minutes: float = Field(30.0, gt=0)
    alert_cooldown_minutes: float = Field(5.0, ge=0)
    baseline_window_hours: float = Field(168.0, gt=0)
    anomaly_threshold: float = Field(3.0, gt=0)
    consecutive_strikes: int = Field(3, ge=1)
    detection_interval_sec: float = Field(10.0, ge=1)
    triage_digest_hour: int = Field(9, ge=0, le=23)
    segment_dimensions: Annotated[list[str], NoDecode] = [
        "country",
        "device",
        "browser",
        "payment_method",
        "provider",
        "version",
    ]

    proposal_expiry_minutes: float = Field(240.0, gt=0)
    verification_deadline_minutes: float = Field(10.0, gt=0)

    @field_validator(
        "approver_ids",
        "segment_dimensions",
        "pii_properties",
        "syslog_allow",
        "sns_topic_arns",
        "deploy_environments",
        mode="before",
    )
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return _split(value)

    @field_validator("service_repositories", mode="before")
    @classmethod
    def _split_pairs(cls, value: object) -> object:
        """Parse "shop=acme/shop, api=acme/api" into a dict of service to repository."""
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if any(not separator for _, separator, _ in pairs):
            raise ValueError("write SERVICE_REPOSITORIES as service=owner/name, service=owner/name")
        return {name.strip(): repository.strip() for name, _, repository in pairs}

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not _DATABASE_URL.fullmatch(value):
            raise ValueError("write it as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
        _check_address(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_broker(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not _REDIS_URL.fullmatch(value):
            raise ValueError("write it as redis://HOST:6379/0, redis://:PASSWORD@HOST:6379/0, or rediss:// for TLS")
        _check_address(value)
        return value

    @field_validator("syslog_allow")
    @classmethod
    def _known_networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ip_network(network)
        return value

    @field_validator("argux_timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{value!r} is no IANA time zone, such as Europe/Berlin") from error
        return value

    @cached_property
    def timezone(self) -> ZoneInfo:
        """The team's time zone."""
        return ZoneInfo(self.argux_timezone)
