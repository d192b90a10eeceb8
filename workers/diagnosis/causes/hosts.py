"""The hosts of other companies that log lines and calls name."""

from __future__ import annotations

import re
from collections.abc import Collection

_URL = re.compile(r"\bhttps?://(?P<host>[A-Za-z0-9.-]+)", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![@\w.-])(?P<host>(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|cloud|ai|co|eu|de|uk))\b(?!\.\w|\()",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    r"(?:^localhost$|^\d{1,3}(?:\.\d{1,3}){3}$|\.(?:svc|local|internal|localdomain|lan|cluster|consul|corp|intra)(?:\.|$))",
    re.IGNORECASE,
)
_TWO_PART_ENDINGS = frozenset(("co.uk", "com.au", "co.jp", "com.br", "co.in"))


def outside_hosts(text: str, parts: Collection[str]) -> frozenset[str]:
    """Return the hosts in a text that lie outside the system: none of its own parts, no private name or address."""
    own = {part.lower() for part in parts}
    found = {match["host"].lower().rstrip(".") for pattern in (_URL, _BARE) for match in pattern.finditer(text[:2000])}
    return frozenset(host for host in found if "." in host and not _INSIDE.search(host) and not _is_own(host, own))


def _is_own(host: str, own: Collection[str]) -> bool:
    return host in own or host.partition(".")[0] in own


def company_of(host: str) -> str:
    """Return the part of a host that names the company: "stripe" of "api.stripe.com"."""
    labels = host.split(".")
    if len(labels) >= 3 and ".".join(labels[-2:]) in _TWO_PART_ENDINGS:
        return labels[-3]
    return labels[-2] if len(labels) >= 2 else host
