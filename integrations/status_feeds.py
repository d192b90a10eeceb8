"""Read a provider's Statuspage: what is going on now, and its latest incidents with their ends.

https://metastatuspage.com/api. Nobody signs in there; the address is guarded as all that lead outside are.
"""

from __future__ import annotations

from detection.types import ProviderStatus
from integrations.errors import RejectedError
from integrations.http import error_for_status
from integrations.inbound.reading.records import PayloadError
from integrations.inbound.status.statuspage import read_statuspage
from integrations.outbound import get

TIMEOUT_SECONDS = 5.0
MOST_BYTES = 5_000_000
_PAGES = ("api/v2/summary.json", "api/v2/incidents.json")


def read_feed(provider: str, address: str, *, now: float) -> list[ProviderStatus]:
    """Return what a status page says, each incident once. Raises IntegrationError; its message names the provider."""
    system = f"The status page of {provider}"
    found: dict[str, ProviderStatus] = {}
    for page in _PAGES:
        answer = get(system, f"{address.rstrip('/')}/{page}", timeout_seconds=TIMEOUT_SECONDS, most_bytes=MOST_BYTES)
        if answer.is_redirect:
            raise RejectedError(system, f"it has moved to {answer.headers['Location'][:200]}: set that in STATUS_FEEDS")
        if not answer.is_success:
            raise error_for_status(system, answer.status_code, answer.text)
        try:
            told = read_statuspage(answer.content, provider=provider, now=now).records
        except PayloadError as error:
            raise RejectedError(system, f"{page} is not a Statuspage's: {error}") from error
        for status in told:
            found.setdefault(status.status_id, status)
    return list(found.values())
