"""What is set half or in a wrong form, and what will not work for what is not set at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.setup.zones import is_utc, machine_zone
from workers.settings import Settings

HOW_TO_NAME_PEOPLE = (
    "name those who may approve fixes in APPROVER_IDS=U012ABCDE,U034FGHIJ (in Slack: a person's profile, ⋮, "
    "Copy member ID)"
)

_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_BEGINNINGS = {"slack_bot_token": "xoxb-", "slack_app_token": "xapp-"}
_ADDRESSES = (
    "workspace_url",
    "elasticsearch_url",
    "slack_api_url",
    "github_api_url",
    "jira_url",
    "teams_webhook_url",
    "llm_base_url",
)
_QUOTED = re.compile(r"([\"']).*\1", re.DOTALL)
_MAY_BE_QUOTED = frozenset({"elasticsearch_query"})
_SHORTEST_KEY = 16
"""Characters of AUDIT_KEY. A shorter one can be guessed, and with it the chain forged."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Settings that work only together. `needed`: at least one of each inner group; `any_of`: they are in use."""

    any_of: tuple[str, ...]
    needed: tuple[tuple[str, ...], ...]
    what: str


_GROUPS = (
    _Group(
        ("slack_bot_token", "slack_signing_secret", "slack_app_token"),
        (("slack_bot_token",), ("slack_signing_secret", "slack_app_token")),
        "Slack",
    ),
    _Group(("jira_url", "jira_email", "jira_token"), (("jira_url",), ("jira_email",), ("jira_token",)), "Jira"),
    _Group(("llm_base_url", "llm_api_key", "llm_model"), (("llm_base_url",), ("llm_api_key",), ("llm_model",)), "LLM"),
    _Group(("service_repositories",), (("github_token",),), "GitHub"),
    _Group(("elasticsearch_api_key",), (("elasticsearch_url",),), "Elastic"),
    _Group(("syslog_host",), (("syslog_port",),), "syslog"),
)


def half_set(settings: Settings) -> list[str]:
    """Return one line for each setting that is missing beside another one, and for each in a wrong form."""
    lines = []
    for group in _GROUPS:
        used = [name for name in group.any_of if is_set(settings, name)]
        if used:
            missing = [names for names in group.needed if not any(is_set(settings, name) for name in names)]
            lines += [f"{_capitals(used[0])} is set without {' or '.join(map(_capitals, names))}" for names in missing]
    return [*lines, *_wrong_forms(settings)]


def start_notes(settings: Settings, *, zone: str | None = None) -> list[str]:
    """Return one line for each thing that will not work with these settings: what, and what to set.

    zone: the time zone of this machine.
    """
    notes = [*(text for applies, text in _NOTES if applies(settings)), *weak_spots(settings)]
    zone = zone or machine_zone()
    if "argux_timezone" not in settings.model_fields_set and not is_utc(zone):
        notes.append(f"charts show UTC, and this machine {zone}: set ARGUX_TIMEZONE={zone} for one clock")
    return notes


def weak_spots(settings: Settings) -> list[str]:
    """Return one line for each setting that works and protects little."""
    if not is_set(settings, "audit_key") or len(_text(settings, "audit_key")) >= _SHORTEST_KEY:
        return []
    return [
        f"AUDIT_KEY has fewer than {_SHORTEST_KEY} characters, so it can be guessed and the audit chain forged: make "
        "one with `openssl rand -hex 32`. A new key does not verify what the old one signed, so keep the old one"
    ]


def is_set(settings: Settings, name: str) -> bool:
    """Return whether a setting has a value that is not empty."""
    value = getattr(settings, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _wrong_forms(settings: Settings) -> list[str]:
    names = [name for name in type(settings).model_fields if name not in _MAY_BE_QUOTED]
    quoted = [name for name in names if _QUOTED.fullmatch(_text(settings, name))]
    lines = [
        f"{_capitals(name)} has quotation marks around it, and they count as part of it: leave them out"
        for name in quoted
    ]
    lines += [
        f"{_capitals(name)} is no web address: it begins with https:// or http://"
        for name in _ADDRESSES
        if name not in quoted and is_set(settings, name) and not _is_address(_text(settings, name))
    ]
    lines += [
        f"{_capitals(name)} does not begin with {beginning}: it is another of Slack's tokens"
        for name, beginning in _BEGINNINGS.items()
        if name not in quoted and is_set(settings, name) and not _text(settings, name).startswith(beginning)
    ]
    lines += [
        f"APPROVER_IDS has {person!r}, which is no member id of Slack, such as U012ABCDE"
        for person in settings.approver_ids
        if not _PERSON.fullmatch(person)
    ]
    lines += [
        f"SERVICE_REPOSITORIES has {service}={repository}; write it as {service or 'shop'}=owner/name"
        for service, repository in settings.service_repositories.items()
        if not service or not _REPOSITORY.fullmatch(repository)
    ]
    return lines


def _text(settings: Settings, name: str) -> str:
    """Return a setting that is a text; "" for any other."""
    value = getattr(settings, name)
    value = value.get_secret_value() if isinstance(value, SecretStr) else value
    return value if isinstance(value, str) else ""


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _capitals(name: str) -> str:
    return name.upper()


def _unset(name: str) -> Callable[[Settings], bool]:
    return lambda settings: not is_set(settings, name)


_NOTES: tuple[tuple[Callable[[Settings], bool], str], ...] = (
    (
        _unset("slack_bot_token"),
        "Slack is not set: incidents are recorded, and nobody is told until SLACK_BOT_TOKEN and SLACK_CHANNEL are set "
        "(README: Connect Slack)",
    ),
    (
        lambda settings: (
            is_set(settings, "slack_bot_token")
            and not is_set(settings, "slack_signing_secret")
            and not is_set(settings, "slack_app_token")
        ),
        "Slack's buttons and /argux do nothing until SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) is "
        "set",
    ),
    (_unset("approver_ids"), f"nobody may approve a fix: {HOW_TO_NAME_PEOPLE}"),
    (
        _unset("github_token"),
        "GitHub is not set: no commit is read and no fix is offered until GITHUB_TOKEN is set",
    ),
    (_unset("jira_url"), "Jira is not set: no tickets until JIRA_URL, JIRA_EMAIL, JIRA_TOKEN and JIRA_PROJECT are set"),
    (_unset("teams_webhook_url"), "Teams is not set: no escalation until TEAMS_WEBHOOK_URL is set"),
)
