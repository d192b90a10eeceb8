"""Which kind of remedy follows from a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workers.diagnosis.model import Evidence, Hypothesis

CHANGES = frozenset(("deploy", "commit", "flag"))
"""The causes that are changes."""

PARTIAL = frozenset(("downstream", "known_incident"))
"""Answers that say where or what it is like, and leave open whether a change began it."""

REMEDIES: Mapping[str, str] = {
    "deploy": "rollback",
    "commit": "rollback",
    "flag": "turn-flag-off",
    "third_party": "failover",
    "certificate": "rotate-cert",
    "credential": "rotate-credential",
    "name_lookup": "restore-dns",
    "network": "failover",
    "node": "move-off-node",
    "clock": "sync-clock",
    "cloud_quota": "raise-quota",
    "maintenance": "failover",
    "surge": "scale",
    "capacity": "scale",
    "bad_data": "purge-bad-data",
    "scheduled_job": "stop-job",
    "segment": "call-provider",
    "downstream": "ask-owner",
    "known_incident": "as-last-time",
    "time_of_day": "scale",
}
"""The remedy by kind of cause; a cause that is not listed has none."""

_RESTORED = frozenset(("timeout", "retries", "pool", "limit", "ttl", "batch", "number", "resources"))


def remedy_of(hypothesis: Hypothesis, evidence: Sequence[Evidence]) -> str | None:
    """Return the kind of remedy; a change of a mere value is mended by its old value where nothing was deployed."""
    own = [item for item in evidence if item.hypothesis_key == hypothesis.key]
    if hypothesis.cause == "flag" and is_mere_value(own):
        return "restore-value"
    if hypothesis.cause == "surge" and are_strangers(own):
        return "block-traffic"
    return REMEDIES.get(hypothesis.cause)


def are_strangers(own: Sequence[Evidence]) -> bool:
    """Whether what rose is refused traffic, as bots make it: more room would only serve more of it."""
    return any(item.check == "strangers" and item.weight > 0 for item in own)


def is_mere_value(own: Sequence[Evidence]) -> bool:
    """Whether what a change did, by its own evidence, is to set another value: a timeout, a limit, a pool's size."""
    return any(item.data.get("effect") in _RESTORED for item in own if item.check == "change_text" and item.weight > 0)
