"""Following one incident from the bad deploy to its end, with a person's hands where nobody is at the page."""

from __future__ import annotations

import asyncio
import math
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from bot.demo.argux import ArguxApi, Json
from bot.demo.deployer import Deployer, Live
from bot.demo.errors import StageError
from bot.demo.narration import Narrator
from bot.demo.person import Person
from bot.demo.repository.repository import ShopRepository
from bot.demo.waiting import until

CLOSED = ("resolved", "false_alarm")


@dataclass(slots=True)
class Seconds:
    """Counted from the moment when the bad deploy went live; None where it has not come to that."""

    to_incident: float | None = None
    to_diagnosis: float | None = None
    to_fix_merged: float | None = None
    to_verified: float | None = None


@dataclass(slots=True)
class Result:
    """What is printed as the last line; `true_commit` is the demo's own knowledge."""

    true_commit: str
    incident: int | None = None
    root_cause: str | None = None
    suspect_commit: str | None = None
    confidence: float | None = None
    pull_request: int | None = None
    seconds: Seconds = field(default_factory=Seconds)

    def as_json(self) -> Json:
        """In the order that the contract names."""
        order = ("incident", "root_cause", "suspect_commit", "true_commit", "confidence", "pull_request", "seconds")
        values = asdict(self)
        return {name: values[name] for name in order}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each stage may take, in seconds."""

    incident: float = 150.0
    diagnosis: float = 90.0
    offer: float = 60.0
    approval: float = 60.0
    merge: float = 120.0
    live: float = 90.0
    verification: float = 300.0


PATIENT = Limits(incident=600.0, approval=math.inf, merge=math.inf, verification=900.0)
"""With a person at the page, who may look around first."""


class Watch:
    """Waits for each milestone in turn, tells it, and notes it in `result`.

    `person` presses the buttons; None leaves them to whoever is at the page. Raises StageError where a stage hangs or
    ends wrongly.
    """

    def __init__(
        self,
        api: ArguxApi,
        repository: ShopRepository,
        deployer: Deployer,
        narrator: Narrator,
        live: Live,
        result: Result,
        person: Person | None,
    ) -> None:
        self._api = api
        self._repository = repository
        self._deployer = deployer
        self._narrator = narrator
        self._live = live
        self._person = person
        self._limits = PATIENT if person is None else Limits()
        self.result = result

    async def follow(self) -> None:
        """From the deploy to the verified fix."""
        incident_id = await self._incident()
        await self._diagnosis(incident_id)
        await self._approval(incident_id)
        await self._merge(incident_id)
        await self._recovery(incident_id)

    async def _incident(self) -> int:
        async def opened() -> Json | None:
            found = await self._api.incidents()
            return found[-1] if found else None

        incident = await until(opened, "noticing the fault", self._limits.incident)
        self.result.incident = int(incident["id"])
        self.result.seconds.to_incident = self._since(_moment(incident["opened_at"]))
        self._narrator.milestone(f"Incident #{incident['id']}: {incident['title']}", self.result.seconds.to_incident)
        return self.result.incident

    async def _diagnosis(self, incident_id: int) -> None:
        async def finished() -> Json | None:
            diagnosis: Json | None = (await self._api.incident(incident_id))["diagnosis"]
            return diagnosis if diagnosis and diagnosis["status"] != "running" else None

        diagnosis = await until(finished, "finding the cause", self._limits.diagnosis)
        self.result.root_cause = diagnosis["root_cause"]
        self.result.suspect_commit = diagnosis["suspect_commit"]
        self.result.confidence = diagnosis["confidence"]
        self.result.seconds.to_diagnosis = self._since(_moment(diagnosis["finished_at"]))
        if diagnosis["status"] != "concluded":
            raise StageError("finding the cause", f"the diagnosis is {diagnosis['status']}: {diagnosis['root_cause']}")
        confidence = f" ({self.result.confidence:.0%} sure)" if self.result.confidence is not None else ""
        self._narrator.milestone(f"Cause{confidence}: {diagnosis['root_cause']}", self.result.seconds.to_diagnosis)

    async def _approval(self, incident_id: int) -> None:
        async def offered() -> Json | None:
            proposal: Json | None = (await self._api.incident(incident_id))["proposal"]
            return proposal

        proposal = await until(offered, "offering a fix", self._limits.offer)
        number = proposal["parameters"].get("number")
        self.result.pull_request = None if number is None else int(number)
        self._narrator.milestone(f"Offered: {proposal['title']}", self._since(_now()))
        if self._person is not None:
            await self._press(self._person)

        async def approved() -> Json | None:
            incident = await self._api.incident(incident_id)
            approval: Json | None = incident["approval"]
            if approval is None:
                _expect_open(incident)
            return approval

        approval = await until(approved, "approving the fix", self._limits.approval)
        self._narrator.milestone(f"Approved by {approval['decided_by']}", self._since(_moment(approval["decided_at"])))

    async def _press(self, person: Person) -> None:
        """Approve fix, then the modal's own button."""
        button = await until(
            lambda: person.button("approve_fix"), "showing Approve fix in the channel", self._limits.offer
        )
        # What counts is when the person could read it: the diagnosis and its button, in the channel.
        self.result.seconds.to_diagnosis = self._since(_now())
        await person.press(button)
        view_id = await until(person.open_modal, "opening the approval's modal", self._limits.approval)
        await person.submit(view_id)

    async def _merge(self, incident_id: int) -> None:
        async def merged() -> str | None:
            head = await asyncio.to_thread(self._repository.head)
            if head != self._live.commit_sha:
                return head
            _expect_open(await self._api.incident(incident_id))
            return None

        head = await until(merged, "merging the fix", self._limits.merge)
        self.result.seconds.to_fix_merged = self._since(_now())
        self._narrator.milestone(f"Merged: main is at {head[:12]}", self.result.seconds.to_fix_merged)

        async def live() -> Live | None:
            newest = self._deployer.lives[-1]
            return newest if newest.commit_sha != self._live.commit_sha else None

        redeployed = await until(live, "bringing the fix live", self._limits.live)
        self._narrator.milestone(f"The shop runs {redeployed.version}", self._since(redeployed.at))

    async def _recovery(self, incident_id: int) -> None:
        async def closed() -> Json | None:
            incident = await self._api.incident(incident_id)
            verification = incident["verification"]
            if verification and verification["status"] in ("not_recovered", "insufficient_data"):
                raise StageError("verifying the fix", f"not recovered: {_words(verification)}")
            return incident if incident["status"] in CLOSED else None

        incident = await until(closed, "verifying the fix", self._limits.verification)
        verification = incident["verification"]
        if incident["status"] != "resolved" or not verification or verification["status"] != "recovered":
            raise StageError("verifying the fix", f"the incident was closed as {incident['status']}, not verified")
        self.result.seconds.to_verified = self._since(_moment(incident["closed_at"]))
        self._narrator.milestone(f"Resolved. {_words(verification)}", self.result.seconds.to_verified)

    def _since(self, moment: datetime) -> float:
        return round((moment - self._live.at).total_seconds(), 1)


def _expect_open(incident: Json) -> None:
    """Raise StageError when somebody has closed the incident, so that what is waited for cannot come."""
    if incident["status"] in CLOSED:
        raise StageError("waiting for the fix", f"the incident was closed as {incident['status']} before it")


def _words(verification: Json) -> str:
    """The measured recovery in the words of the thread."""
    return " ".join(str(measure.get("text", "")) for measure in verification["measures"]).strip()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _now() -> datetime:
    return datetime.now(UTC)
