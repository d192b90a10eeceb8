"""The state of everything that is watched: ok, broken, or insufficient data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from detection.coverage import Watched, WatchState, label, thing, with_broken
from storage import funnels as stored_funnels
from storage import incidents
from workers.memory.broken_times import past_incidents, remembered_since
from workers.services import Services
from workers.watching.catalogue import WATCHES
from workers.watching.still_broken import closed_by_hand
from workers.watching.watch import Tick

ORDER = (WatchState.INSUFFICIENT_DATA, WatchState.BROKEN, WatchState.OK)
WORDS = {WatchState.OK: "ok", WatchState.BROKEN: "broken", WatchState.INSUFFICIENT_DATA: "insufficient data"}


def watched_states(services: Services) -> list[Watched]:
    """Return the current states: insufficient data first, then broken, then ok; whole funnels before segments.

    Broken is what a finding of an unclosed incident is about, or of one that a person closed and that is broken still;
    everything else is computed from the rollups.
    """
    now = services.clock()
    with services.readers() as session:
        funnels = stored_funnels.definitions(session)
        past = past_incidents(session, since=remembered_since(now, services.settings.baseline_window_hours), now=now)
        broken = [
            incidents.to_finding(record).subject
            for incident in incidents.active_incidents(session)
            for record in incident.findings
        ]
        hidden = closed_by_hand(services, session, now)
    tick = Tick(now, funnels, past)
    states = [one for watch in WATCHES for one in watch.states(services, tick)]
    reasons = {thing(finding.subject): one.text for one in hidden for finding in one.findings}
    broken += [finding.subject for one in hidden for finding in one.findings]
    marked = [
        replace(one, reason=reasons.get(thing(one.subject), "")) if one.state is WatchState.BROKEN else one
        for one in with_broken(states, broken)
    ]
    return sorted(marked, key=_place)


def counts(states: Sequence[Watched]) -> dict[WatchState, int]:
    """Count the watched things in each state."""
    found = Counter(one.state for one in states)
    return {state: found[state] for state in WatchState}


def sentence(one: Watched) -> str:
    """Return such as "Sign-up: 40 of 100 entries needed in the last 30 min"; the state if there is no reason."""
    return f"{label(one.subject)}: {one.reason or WORDS[one.state]}"


def _place(one: Watched) -> tuple[int, bool, str, str]:
    return ORDER.index(one.state), one.subject.dimension is not None, one.subject.kind, label(one.subject)
