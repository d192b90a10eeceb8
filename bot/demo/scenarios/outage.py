"""Follow an incident that no change caused, until the provider is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.demo.argux import ArguxApi, Json
from bot.demo.errors import StageError
from bot.demo.narration import Narrator
from bot.demo.scenarios.provider import COMPANY, Provider
from bot.demo.waiting import until
from bot.demo.watching import Limits, Result

LASTS_SECONDS = 20.0
"""How long the outage goes on after its cause was told, so that people can read it while it lasts."""


async def watch_outage(
    api: ArguxApi,
    provider: Provider,
    narrator: Narrator,
    result: Result,
    told: Callable[[], Awaitable[None]],
) -> None:
    """Let the provider fail, wait for the incident and its cause, and let it recover.

    Argux closes such an incident by itself once all of it has been fine for a while, which takes longer than the demo.
    told: waits until people were told of the incident. Raises StageError.
    """
    limits = Limits()
    began = provider.fail()

    def since(moment: datetime) -> float:
        return round((moment - began).total_seconds(), 1)

    async def opened() -> Json | None:
        found = await api.incidents()
        return found[-1] if found else None

    narrator.milestone(f"{COMPANY} answers every payment with 503 from now on", 0.0)
    with narrator.stage("Waiting for Argux to notice that nobody can pay"):
        incident = await until(opened, "noticing the outage", limits.incident)
        await told()
    result.incident = int(incident["id"])
    result.seconds.to_incident = since(datetime.fromisoformat(incident["opened_at"]))
    narrator.milestone(f"Incident #{incident['id']}: {incident['title']}", result.seconds.to_incident)
    diagnosis = await _diagnosis(api, result.incident, limits)
    result.root_cause, result.confidence = diagnosis["root_cause"], diagnosis["confidence"]
    result.suspect_commit = diagnosis["suspect_commit"]
    result.seconds.to_diagnosis = since(datetime.fromisoformat(diagnosis["finished_at"]))
    narrator.milestone(f"Cause: {diagnosis['root_cause'] or 'not known'}", result.seconds.to_diagnosis)
    await asyncio.sleep(LASTS_SECONDS)
    provider.recover()
    narrator.milestone(f"{COMPANY} is back", since(datetime.now(UTC)))


async def _diagnosis(api: ArguxApi, incident_id: int, limits: Limits) -> Json:
    async def finished() -> Json | None:
        diagnosis: Json | None = (await api.incident(incident_id))["diagnosis"]
        return diagnosis if diagnosis and diagnosis["status"] != "running" else None

    diagnosis = await until(finished, "finding the cause", limits.diagnosis)
    if diagnosis["status"] != "concluded":
        raise StageError("finding the cause", f"the diagnosis is {diagnosis['status']}: {diagnosis['root_cause']}")
    return diagnosis
