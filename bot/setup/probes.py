"""Ask each outside system for the very things that are configured. Each probe returns one line about it, or raises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from bot.setup.completeness import half_set, weak_spots
from bot.setup.names import name_faults
from integrations.errors import IntegrationError, NotFoundError
from integrations.slack.checking import check_app_token
from workers.errors import NotConfiguredError
from workers.services import Services, secret
from workers.settings import Settings

AT_ONCE = 8
WORKFLOW_HOSTS = (".logic.azure.com", ".powerplatform.com")
"""Where workflows of Power Automate are called; their addresses are signed in the query."""


class TroubleError(Exception):
    """A check found a problem; the message says which."""


def names_and_groups(settings: Settings) -> str:
    """Look for misspelt and repeated names, for settings that lack another one, and for weak keys."""
    faults = name_faults()
    troubles = [fault.text for fault in faults if fault.is_certain] + half_set(settings)
    doubts = [fault.text for fault in faults if not fault.is_certain] + weak_spots(settings)
    if troubles:
        raise TroubleError("; ".join(troubles + doubts))
    return "; ".join(doubts) or "every name is known"


def slack(services: Services) -> str:
    """Look up the account, the channels, the scopes, and how clicks arrive."""
    who = services.chat.check()
    settings = services.settings
    if settings.slack_signing_secret is None and settings.slack_app_token is None:
        raise NotConfiguredError("buttons and /argux need SLACK_SIGNING_SECRET (HTTP) or SLACK_APP_TOKEN (Socket Mode)")
    if settings.slack_app_token is not None:
        check_app_token(settings.slack_app_token.get_secret_value(), base_url=settings.slack_api_url)
    ways = [
        way
        for way, setting in (("HTTP", settings.slack_signing_secret), ("Socket Mode", settings.slack_app_token))
        if setting is not None
    ]
    channels = [services.chat.check_channel(settings.slack_channel)]
    if settings.audit_channel:
        channels.append(f"{services.chat.check_channel(settings.audit_channel)} once a day")
    return f"{who}; {'; '.join(channels)}; clicks arrive by {' and '.join(ways)}"


def people(services: Services) -> str:
    """Look up everybody who may approve fixes."""
    settings = services.settings
    if settings.slack_bot_token is None:
        raise NotConfiguredError("nobody can be looked up before SLACK_BOT_TOKEN is set")
    found = look_up_each(settings.approver_ids, services.chat.check_person, "no such person in this workspace")
    return f"{', '.join(found)} may approve fixes"


def github(services: Services) -> str:
    """Look up the account and every repository of SERVICE_REPOSITORIES."""
    who = services.code_host.check()
    wanted = sorted(set(services.settings.service_repositories.values()))
    if not wanted:
        return f"{who}; repositories are taken from deploys, because SERVICE_REPOSITORIES is not set"
    found = look_up_each(wanted, services.code_host.check_repository, "not there, or hidden from this token")
    return f"{who}; may write {', '.join(found)}"


def jira(services: Services) -> str:
    """Look up the account, the project, whether tickets may be created there, and what they must have."""
    who = services.tickets.check()
    missing = services.tickets.check_creating()
    if not missing:
        return f"{who}; may create tickets"
    if impossible := [field.label for field in services.tickets.fields_to_ask() if field.fault]:
        raise TroubleError(
            f"the project asks for {', '.join(impossible)}, which Argux cannot ask anybody for: give that a default in "
            "Jira, or make it optional"
        )
    return f"{who}; may create tickets, and asks whoever presses Create Jira ticket for {', '.join(missing)}"


def teams(services: Services) -> str:
    """Look at the address. Nothing is posted, because every post is a message to people."""
    where = services.escalation.check()
    parts = urlsplit(secret(services.settings.teams_webhook_url, "TEAMS_WEBHOOK_URL"))
    if not parts.path.strip("/"):
        raise TroubleError("the address ends at the host: copy the whole of it from the workflow")
    if (parts.hostname or "").endswith(WORKFLOW_HOSTS) and "sig=" not in parts.query:
        raise TroubleError("the address lacks its signature (sig=…): copy the whole of it from the workflow")
    return f"{where}; nothing was posted to try it: press Escalate on an incident to see a message arrive"


def language_model(settings: Settings) -> str:
    """Look up the model at its address."""
    from integrations.llm import LanguageModel

    if not settings.llm_base_url:
        raise NotConfiguredError("LLM_BASE_URL is not set")
    key = secret(settings.llm_api_key, "LLM_API_KEY")
    if not settings.llm_model:
        raise NotConfiguredError("LLM_MODEL is not set")
    return LanguageModel(settings.llm_base_url, api_key=key, model=settings.llm_model).check()


def elasticsearch(settings: Settings) -> str:
    """Look up the indices that logs are read from."""
    from integrations.elasticsearch import ElasticsearchReader

    key = settings.elasticsearch_api_key
    api_key = key.get_secret_value() if key else None
    with ElasticsearchReader(settings.elasticsearch_url or "", api_key=api_key) as reader:
        return (
            f"{reader.check()}; {reader.check_index(settings.elasticsearch_index, settings.elasticsearch_time_field)}"
        )


def status_feeds(settings: Settings) -> str:
    """Read each provider's status page. Raises TroubleError with a line for each that cannot be read."""
    from integrations.status_feeds import read_feed

    def read(provider: str) -> str:
        told = read_feed(provider, settings.status_feeds[provider], now=time.time())
        count = sum(status.ended_at is None for status in told)
        return f"{provider}: {f'{count} going on' if count else 'all well'}"

    return "; ".join(look_up_each(settings.status_feeds, read, "there is no status page at this address"))


def look_up_each(wanted: Iterable[str], look_up: Callable[[str], str], absent: str) -> Sequence[str]:
    """Look up all of them at the same time. Raises TroubleError with a line for each that is not well."""
    names = list(wanted)
    answers: dict[str, tuple[str, str]] = {}

    def ask(name: str) -> None:
        answers[name] = _looked_up(name, look_up=look_up, absent=absent)

    for first in range(0, len(names), AT_ONCE):
        # Daemons: the threads of a pool would keep the process from ending while a system hangs.
        threads = [
            threading.Thread(target=ask, args=(name,), daemon=True, name=f"look up {name}")
            for name in names[first : first + AT_ONCE]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    troubles = [answers[name][1] for name in names if answers[name][1]]
    if troubles:
        raise TroubleError("; ".join(troubles))
    return [answers[name][0] for name in names]


def _looked_up(name: str, *, look_up: Callable[[str], str], absent: str) -> tuple[str, str]:
    """Return (what was found, "") or ("", the trouble)."""
    try:
        return look_up(name), ""
    except NotFoundError:
        return "", f"{name}: {absent}"
    except IntegrationError as error:
        text = str(error)
        return "", text if name in text else f"{name}: {text}"
    except Exception as error:  # noqa: BLE001 - any driver error is a trouble; its text may hold a secret
        return "", f"{name}: {type(error).__name__}"
