"""What would be worth connecting: the sources that never gave anything, the most useful for an incident first."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from integrations.text import Markup, listed, ours
from workers.diagnosis.source_states import Source, SourceState

MOST_SUGGESTED = 2

_HOW = {
    "metrics": ours("metrics (OTLP)"),
    "commits": ours("commits (GitHub, or POST /api/commits)"),
    "deploys": ours("deploys (GitHub, or POST /api/deploys)"),
    "service map": ours("who calls whom (spans, or POST /api/service-map)"),
    "logs": ours("logs (OTLP)"),
    "flags": ours("flags (POST /api/flags)"),
    "orchestrator events": ours("Kubernetes events (POST /api/events/kubernetes)"),
    "status feeds": ours("the status pages of your providers (STATUS_FEEDS)"),
}
"""What to connect, by source, in the order in which it usually helps most."""

_TELLS_OF = {
    "commits": ("deploy", "commit"),
    "service map": ("downstream",),
    "flags": ("flag",),
    "orchestrator events": ("node", "capacity"),
    "status feeds": ("third_party",),
}
"""The causes that a source would decide on."""

_INSTEAD = {
    "metrics": "requests",
    "logs": "log signatures",
    "orchestrator events": "nodes",
    "service map": "traces",
}
"""Sources that say much the same as another: with one of them, the other is not missed."""


def worth_connecting(sources: Sequence[Source], causes: Collection[str]) -> tuple[Markup, ...]:
    """Return up to two sources to connect, in a few words. causes: those that are likely for this incident."""
    lacking = {source.name for source in sources if source.state is SourceState.EMPTY and not source.is_connected}
    known = {source.name for source in sources if source.state is SourceState.DATA}
    usually = list(_HOW)
    useful = [name for name in usually if name in lacking and _INSTEAD.get(name) not in known]
    useful.sort(key=lambda name: (not set(_TELLS_OF.get(name, ())) & set(causes), usually.index(name)))
    return tuple(_HOW[name] for name in useful[:MOST_SUGGESTED])


def suggestion(sources: Sequence[Source], causes: Collection[str]) -> Markup:
    """Return "Worth connecting: …." or nothing."""
    found = worth_connecting(sources, causes)
    return ours(" Worth connecting: {found}.", found=listed(found, " and ")) if found else ours("")
