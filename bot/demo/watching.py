"""Follow one incident from the bad deploy to the verified fix; in an automatic run, also press the buttons."""

from __future__ import annotations

import asyncio
import math
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from bot.demo.argux import ArguxApi, Json
from bot.demo.deployer import Deploy, Deployer
from bot.demo.errors import StageError
from bot.demo.narration import Narrator
from bot.demo.person import Person
from bot.demo.repository.repository import ShopRepository
from bot.demo.waiting import until
from detection.types import IncidentStatus, Metric


@dataclass(slots=True)
class Timings:
    """Seconds from the bad deploy to each milestone; None for a milestone that was not reached."""

    to_incident: float | None = None
    to_diagnosis: float | None = None
    to_fix_merged: float | None = None
    to_verified: float | None = None


@dataclass(slots=True)
class Result:
    """The summary that is printed as the last line. true_commit: the one that was broken on purpose, if any."""

    true_commit: str | None
    incident: int | None = None
    root_cause: str | None = None
    suspect_commit: str | None = None
    confidence: float | None = None
    pull_request: int | None = None
    seconds: Timings = field(default_factory=Timings)

    def as_json(self) -> Json:
        """Return the summary as JSON, with its keys in the documented order."""
        order = ("incident", "root_cause", "suspect_commit", "true_commit", "confidence", "pull_request", "seconds")
        values = asdict(self)
        return {name: values[name] for name in order}


@dataclass(frozen=True, slots=True)
class Limits:
    """The time limit of each stage, in seconds."""

    incident: float = 150.0
    diagnosis: float = 90.0
    conversion: float = 120.0
    offer: float = 60.0
    approval: float = 60.0
    merge: float = 120.0
    live: float = 90.0
    verification: float = 300.0


INTERACTIVE_LIMITS = Limits(incident=600.0, approval=math.inf, merge=math.inf, verification=900.0)
"""The limits when a user presses the buttons: they may look around first."""


class Watch:
    """Wait for each milestone in turn, print it, and record it in `result`.

    person: the simulated user who presses the buttons; None leaves them to the user at the page. awaits_conversion: the
    fault costs so many conversions that the incident must tell of them.
    """

    def __init__(
        self,
        api: ArguxApi,
        repository: ShopRepository,
        deployer: Deployer,
        narrator: Narrator,
        deploy: Deploy,
        result: Result,
        person: Person | None,
        *,
        awaits_conversion: bool = True,
    ) -> None:
        self._api = api
        self._repository = repository
        self._deployer = deployer
        self._narrator = narrator
        self._deploy = deploy
        self._person = person
        self._awaits_conversion = awaits_conversion
        self._limits = INTERACTIVE_LIMITS if person is None else Limits()
        self.result = result

    async def follow(self, incident_id: int) -> None:
        """Follow the incident to the verified fix. Raises StageError when a stage times out or fails."""
        await self._diagnosis(incident_id)
        if not self._awaits_conversion:
            await self._fix(incident_id)
            await self._recovery(incident_id)
        elif self._person is None:
            await self._follow_the_users_fix(incident_id)
        else:
            await self._conversion(incident_id)
            await self._fix(incident_id)
            await self._recovery(incident_id)

    async def incident(self) -> int:
        """Wait until Argux has opened an incident, and return its id. Raises StageError."""

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

    async def _conversion(self, incident_id: int) -> None:
        """Wait until the incident tells of the drop in conversion too: a fix before that would hide whether it does."""

        async def told() -> Json | None:
            incident = await self._api.incident(incident_id)
            metrics = {finding["metric"] for finding in incident["findings"]}
            return incident if Metric.CONVERSION_RATE in metrics else None

        await until(told, "telling of the drop in conversion", self._limits.conversion)
        self._narrator.milestone("The drop in conversion is told", self._since(_now()))

    async def _follow_the_users_fix(self, incident_id: int) -> None:
        """Follow the fix of the user at the page, who may press at any time, and look for the drop meanwhile.

        A drop that is not told in time is said at once, and raised at the end. A fix that comes before hides whether it
        would have been told.
        """
        told = asyncio.create_task(self._conversion(incident_id))
        told.add_done_callback(self._say_what_is_missing)
        try:
            await self._fix(incident_id)
            told.cancel()
            await asyncio.wait([told])
            await self._recovery(incident_id)
            if not told.cancelled():
                told.result()
        finally:
            told.cancel()
            await asyncio.gather(told, return_exceptions=True)

    def _say_what_is_missing(self, told: asyncio.Task[None]) -> None:
        if not told.cancelled() and (error := told.exception()) is not None:
            self._narrator.milestone(f"Something is missing: {error}")

    async def _fix(self, incident_id: int) -> None:
        await self._approval(incident_id)
        await self._merge(incident_id)

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
        """Press Approve fix, then submit the modal."""
        button = await until(
            lambda: person.find_button("approve_fix"), "showing Approve fix in the channel", self._limits.offer
        )
        # The diagnosis counts from when the user could read it: when it and its button are in the channel.
        self.result.seconds.to_diagnosis = self._since(_now())
        await person.press(button)
        view_id = await until(person.open_modal_id, "opening the approval's modal", self._limits.approval)
        await person.submit(view_id)

    async def _merge(self, incident_id: int) -> None:
        async def merged() -> str | None:
            head = await asyncio.to_thread(self._repository.head_now)
            if head is not None and head != self._deploy.commit_sha:
                return head
            _expect_open(await self._api.incident(incident_id))
            return None

        head = await until(merged, "merging the fix", self._limits.merge)
        self.result.seconds.to_fix_merged = self._since(_now())
        self._narrator.milestone(f"Merged: main is at {head[:12]}", self.result.seconds.to_fix_merged)

        async def live() -> Deploy | None:
            newest = self._deployer.deploys[-1]
            return newest if newest.commit_sha != self._deploy.commit_sha else None

        redeployed = await until(live, "bringing the fix live", self._limits.live)
        self._narrator.milestone(f"The shop runs {redeployed.version}", self._since(redeployed.at))

    async def _recovery(self, incident_id: int) -> None:
        async def closed() -> Json | None:
            incident = await self._api.incident(incident_id)
            verification = incident["verification"]
            if verification and verification["status"] in ("not_recovered", "insufficient_data"):
                raise StageError("verifying the fix", f"not recovered: {_recovery_text(verification)}")
            return incident if IncidentStatus(incident["status"]).is_closed else None

        incident = await until(closed, "verifying the fix", self._limits.verification)
        verification = incident["verification"]
        if incident["status"] != "resolved" or not verification or verification["status"] != "recovered":
            raise StageError("verifying the fix", f"the incident was closed as {incident['status']}, not verified")
        self.result.seconds.to_verified = self._since(_moment(incident["closed_at"]))
        self._narrator.milestone(f"Resolved. {_recovery_text(verification)}", self.result.seconds.to_verified)

    def _since(self, moment: datetime) -> float:
        return round((moment - self._deploy.at).total_seconds(), 1)


def _expect_open(incident: Json) -> None:
    """Raise StageError when the incident is closed already: then the awaited fix cannot come."""
    if IncidentStatus(incident["status"]).is_closed:
        raise StageError("waiting for the fix", f"the incident was closed as {incident['status']} before it")


def _recovery_text(verification: Json) -> str:
    """Return the verification's measurements as the thread words them."""
    return " ".join(str(measure.get("text", "")) for measure in verification["measures"]).strip()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _now() -> datetime:
    return datetime.now(UTC)
