"""Random systems and outages, by seed: layers of services, stores and nodes, one fault that spreads, red herrings."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from detection.chain import Chain, LineGroup, Sign, Surroundings, trace_chain
from detection.chain.signs import signs_of_lines
from detection.types import EdgeKind, ServiceEdge, ServicePlace, SymptomKind

_OWN = (
    SymptomKind.CPU,
    SymptomKind.MEMORY,
    SymptomKind.GARBAGE_COLLECTION,
    SymptomKind.LOCKS,
    SymptomKind.CRASH,
    SymptomKind.CONNECTIONS,
    SymptomKind.DISK,
    SymptomKind.THREADS,
)
_GRAINS = (15.0, 60.0, 60.0, 180.0)


@dataclass
class Outage:
    """What happened, and what is seen of it."""

    origin: str
    spread: set[tuple[str, str]]
    alerted: str
    alerted_at: float
    signs: list[Sign] = field(default_factory=list)
    edges: list[ServiceEdge] = field(default_factory=list)
    places: list[ServicePlace] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)

    def told(self) -> Chain:
        """Trace its chain."""
        around = Surroundings(tuple(self.edges), tuple(self.places))
        return trace_chain(self.signs, around, alerted=self.alerted, alerted_at=self.alerted_at, parts=self.parts)


def outage(seed: int) -> Outage:
    """Return a random outage of a system of 5 to 30 parts."""
    random = Random(seed)
    services = [f"svc-{index}" for index in range(random.randint(5, 22))]
    pairs = [
        (services[index], other, EdgeKind.CALLS)
        for index in range(len(services) - 1)
        for other in random.sample(services[index + 1 :], min(random.randint(1, 3), len(services) - index - 1))
    ]
    stores = [f"db-{index}" for index in range(random.randint(1, 6))]
    pairs += [
        (random.choice(services), store, EdgeKind.STORES) for store in stores for _ in range(random.randint(1, 3))
    ]
    onsets, spread = _spread(random, services + stores, pairs)
    victims = [part for part in onsets if part in services]
    origin = next(iter(onsets))
    alerted = max(victims, key=lambda part: onsets[part]) if victims else origin
    found = Outage(origin, spread, alerted, max(onsets.values()) + 300.0)
    found.parts = {*services, *stores}
    found.edges = [ServiceEdge(caller, callee, kind, "declared", 0.0) for caller, callee, kind in dict.fromkeys(pairs)]
    found.edges = [edge for edge in found.edges if random.random() > 0.02]
    found.places = [ServicePlace(service, f"node-{random.randint(1, 4)}", 0.0) for service in services]
    grain = random.choice(_GRAINS)
    for part, onset in onsets.items():
        found.signs += _signs(
            random, part, onset, grain, [source for source, target in spread if target == part], found
        )
    _add_herrings(random, found, onsets, grain)
    return found


def _spread(
    random: Random, parts: list[str], pairs: list[tuple[str, str, EdgeKind]]
) -> tuple[dict[str, float], set[tuple[str, str]]]:
    origin = random.choice([callee for _, callee, _ in pairs])
    onsets, spread, border = {origin: 3600.0}, set(), [origin]
    while border:
        part = border.pop(0)
        for caller, callee, _ in pairs:
            if callee != part or (caller in onsets and onsets[caller] < onsets[part] + 20):
                continue
            if caller not in onsets and random.random() < 0.85:
                onsets[caller] = onsets[part] + random.uniform(20, 180)
                border.append(caller)
            if caller in onsets:
                spread.add((part, caller))
    return onsets, spread


def _signs(random: Random, part: str, onset: float, grain: float, causes: list[str], found: Outage) -> list[Sign]:
    kinds = [SymptomKind.ERRORS, SymptomKind.LATENCY] if causes else [random.choice(_OWN), SymptomKind.LATENCY]
    if causes and random.random() < 0.3:
        kinds.insert(
            0, random.choice((SymptomKind.THREADS, SymptomKind.CONNECTIONS, SymptomKind.CPU, SymptomKind.RETRIES))
        )
    signs = []
    for kind in kinds[: random.randint(1, 2)] if causes else kinds[: random.choice((1, 2, 2))]:
        sample = onset + random.uniform(0, grain) + random.choice((0.0, 0.0, min(grain, 60.0)))
        signs.append(Sign(part, kind, sample - grain, sample, random.uniform(5, 900), kind, source="metric"))
    if causes and random.random() < 0.6:
        text = f"timeout calling {random.choice(causes)}"
        line = LineGroup(part, text, random.randint(10, 9000), 0, onset + random.uniform(0, 60), True)
        signs += signs_of_lines([line], found.parts)
    return signs


def _add_herrings(random: Random, found: Outage, onsets: dict[str, float], grain: float) -> None:
    """Add loud trouble off the path, clients' errors, callees that are hung up on or asked more often."""
    quiet = sorted(found.parts - onsets.keys())
    random.shuffle(quiet)
    calls = {(edge.caller, edge.callee) for edge in found.edges}
    for part in quiet[:3]:
        at = 3600.0 + random.uniform(-600, 600)
        kind = random.choice((SymptomKind.CLIENT_ERRORS, SymptomKind.CANCELLED, SymptomKind.TRAFFIC))
        touches = any(part in pair and (set(pair) & onsets.keys()) for pair in calls)
        if not touches or random.random() < 0.04:
            kind = random.choice((kind, SymptomKind.CRASH, SymptomKind.ERRORS))
        found.signs.append(Sign(part, kind, at - grain, at, 999.0, kind, source="metric"))
