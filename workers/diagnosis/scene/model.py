"""The scene of an incident, as plain data. Times are seconds UTC."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from detection.chain import Chain, LineGroup, Sign, TraceHop
from detection.chain.observed import HARM, USAGE
from detection.chain.suspects import Suspect
from detection.types import (
    Commit,
    Deploy,
    FlagChange,
    Floats,
    OrchestratorEvent,
    ProviderStatus,
    ServiceEdge,
    ServicePlace,
    SymptomKind,
)
from storage.knowledge import KnownIncident
from workers.diagnosis.source_states import SERVICE_MAP, Source, SourceState

TOGETHER_SECONDS = 60.0
"""Signs of one part that begin within this time of its first one are its first signs."""


@dataclass(frozen=True, slots=True)
class Course:
    """A metric of one part of the system over time: (n,) times, ascending, and (n,) values in its own unit.

    part: a service, a database or a node. labels: what tells this series from others of the same name, or "".
    """

    part: str
    name: str
    times: Floats
    values: Floats
    labels: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the stores know about the time of an incident.

    alerted: the services whose trouble was noticed, worst first. alert_texts: what noticed it says. is_seen_by_argux:
    Argux's own detectors noticed it too. commits: those that the stores hold; a code host may know more. suspected: how
    oddly each part behaves, likeliest first. known: what was learnt from earlier incidents. daily: the courses of the
    alerted services over the last days, a value an hour. faint: lines of which too few came for their words to count.
    said: (part, text) of the newest bad lines, word for word.
    """

    since: float
    until: float
    alerted: tuple[str, ...]
    alerted_at: float
    alert_texts: tuple[str, ...] = ()
    is_seen_by_argux: bool = False
    courses: tuple[Course, ...] = ()
    lines: tuple[LineGroup, ...] = ()
    faint: tuple[LineGroup, ...] = ()
    said: tuple[tuple[str, str], ...] = ()
    traces: tuple[tuple[TraceHop, ...], ...] = ()
    edges: tuple[ServiceEdge, ...] = ()
    places: tuple[ServicePlace, ...] = ()
    events: tuple[OrchestratorEvent, ...] = ()
    statuses: tuple[ProviderStatus, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    commits: tuple[Commit, ...] = ()
    flags: tuple[FlagChange, ...] = ()
    suspected: tuple[Suspect, ...] = ()
    sources: tuple[Source, ...] = ()
    known: tuple[KnownIncident, ...] = ()
    daily: tuple[Course, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """The scene, and what follows from it: the signs of trouble, who failed first, and the kinds of trouble by part.

    parts: everything with a name: services, databases, nodes. onset: when the first part of the chain left its course,
    (earliest, latest).
    """

    scene: Scene
    parts: frozenset[str]
    signs: tuple[Sign, ...]
    chain: Chain
    onset: tuple[float, float]
    kinds: Mapping[str, frozenset[SymptomKind]] = field(default_factory=dict)

    def involved(self) -> frozenset[str]:
        """Return the parts of this incident: the origin, the alerted, the victims, the origin's users in trouble."""
        origin = {self.chain.origin} if self.chain.origin else set()
        return frozenset(
            origin | set(self.chain.victims) | set(self.scene.alerted) | self.holders() | self.troubled_users()
        )

    def troubled_users(self) -> frozenset[str]:
        """Return what uses the origin and was in trouble no later: such as a consumer that fails on a message."""
        origin = self.chain.origin
        return self._no_later(self.callers(origin), HARM) if origin is not None else frozenset()

    def holders(self) -> frozenset[str]:
        """Return what may have used up the origin: what shares its node or uses it, and left its course no later."""
        origin = self.chain.origin
        if origin is None:
            return frozenset()
        users = self.callers(origin) | {place.service for place in self.scene.places if place.node == origin}
        return self._no_later(users, USAGE)

    def _no_later(self, parts: Collection[str], kinds: Collection[SymptomKind]) -> frozenset[str]:
        """Return those of the parts whose first signs hold one of these kinds that began no later than the origin's."""
        latest = min((sign.latest for sign in self.signs if sign.part == self.chain.origin), default=self.onset[1])
        return frozenset(
            part
            for part in parts
            if any(sign.kind in kinds and sign.earliest <= latest for sign in self.first_signs(part))
        )

    def callees(self, part: str) -> frozenset[str]:
        """Return what a part calls or keeps its data in, directly."""
        return frozenset(edge.callee for edge in self.scene.edges if edge.caller == part)

    def callers(self, part: str) -> frozenset[str]:
        """Return what calls a part, directly."""
        return frozenset(edge.caller for edge in self.scene.edges if edge.callee == part)

    def nodes_of(self, part: str) -> frozenset[str]:
        """Return the nodes that a part runs on."""
        return frozenset(place.node for place in self.scene.places if place.service == part)

    def first_signs(self, part: str) -> tuple[Sign, ...]:
        """Return the signs with which a part left its course: those that began when its first one had."""
        own = self.signs_of(part)
        first = min((sign.latest for sign in own), default=0.0)
        return tuple(sign for sign in own if sign.earliest <= first + TOGETHER_SECONDS)

    def first_kinds(self, part: str) -> frozenset[SymptomKind]:
        """Return the kinds of the first signs of a part."""
        return frozenset(sign.kind for sign in self.first_signs(part))

    def is_near(self, part: str) -> bool:
        """Whether a part is of this incident, or depends on a part of it, or a part of it depends on this one."""
        around = {part} | self.callees(part) | self.callers(part) | self.nodes_of(part)
        return bool(around & self.involved())

    def is_concerned(self, part: str) -> bool:
        """Whether a part is near the incident, or shows trouble of its own at that time.

        Where nobody told who depends on whom, that a part is far from it is not known.
        """
        return self.is_near(part) or bool(self.kinds.get(part)) or not self.knows_the_map()

    def knows_the_map(self) -> bool:
        """Whether who depends on whom is known, and not only of the few requests that were traced."""
        return all(source.state is SourceState.DATA for source in self.scene.sources if source.name == SERVICE_MAP)

    def signs_of(self, part: str) -> tuple[Sign, ...]:
        """Return the signs of one part."""
        return tuple(sign for sign in self.signs if sign.part == part)
