"""What a scenario is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.demo.repository.changes import Change


class ScenarioName(StrEnum):
    """The values of `--scenario`."""

    BAD_DEPLOY = "bad-deploy"
    NO_FAULT = "no-fault"
    CACHE_TTL = "cache-ttl"
    PROVIDER_OUTAGE = "provider-outage"
    SLOW_DOWNSTREAM = "slow-downstream"


INVITATION = (
    "Open the page. A new version of the shop is going live now.\n"
    "In about a minute a thread appears in #incidents; press Approve fix."
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to the shop, beginning with one push of several commits.

    fault: the commit that breaks the shop, or None when no commit does. base: what the shop has beside its own history.
    later: commits that are pushed `later_after_seconds` after the first went live, and do no harm. has_outage: the
    payment provider fails `later_after_seconds` after the push went live. loses_conversions: so much that it is told.
    has_inventory: the shop asks a second service, and the last of the changes is deployed there.
    hit_ratio: the usual share of hits of the shop's cache, if it has one. invitation: what the user is asked to do.
    """

    name: ScenarioName
    changes: tuple[Change, ...]
    fault: Change | None
    base: tuple[Change, ...] = ()
    later: tuple[Change, ...] = ()
    later_after_seconds: float = 0.0
    has_outage: bool = False
    has_inventory: bool = False
    loses_conversions: bool = True
    hit_ratio: float | None = None
    invitation: str = INVITATION
