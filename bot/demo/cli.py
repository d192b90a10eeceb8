"""The demo's way in and out: checks before, signals meanwhile, exit code and last line after."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from random import Random

from pydantic import ValidationError
from rich.console import Console

from bot.demo.configuration import alone, open_places
from bot.demo.driver import Ending, perform
from bot.demo.errors import DemoError
from bot.demo.narration import Narrator
from bot.demo.scenario import SCENARIOS, Scenario, ScenarioName
from workers.settings import Settings

DIRECTORY = Path(".demo")
FAILED = 1
MISUSED = 2
INTERRUPTED = 130


def run(auto: bool, scenario: str) -> int:
    """Run the demo in the terminal; the exit code. The last line of an automatic run is one JSON object."""
    console = Console(highlight=False)
    complaints = Console(stderr=True, highlight=False)
    try:
        chosen = SCENARIOS[ScenarioName(scenario)]
    except ValueError:
        complaints.print(f"There is no scenario {scenario!r}; choose one of {', '.join(ScenarioName)}.", markup=False)
        return MISUSED
    try:
        ending = asyncio.run(_perform_until_signalled(chosen, Narrator(console), auto=auto))
    except DemoError as error:
        complaints.print(f"The demo stopped: {error}", markup=False, soft_wrap=True)
        return FAILED
    if ending is None:
        console.print("Stopped; nothing is left running.")
        return INTERRUPTED if auto else 0
    if ending.failure is not None:
        complaints.print(f"Failed: {ending.failure}", markup=False, soft_wrap=True)
    print(json.dumps(ending.summary, ensure_ascii=False), flush=True)
    return FAILED if ending.failure is not None else 0


async def _perform_until_signalled(scenario: Scenario, narrator: Narrator, *, auto: bool) -> Ending | None:
    """None when a signal ended it. A second signal changes nothing: everything is being stopped already."""
    if shutil.which("git") is None:
        raise DemoError("git is not on the PATH; install it and start the demo again")
    with alone(DIRECTORY):
        places = open_places(DIRECTORY, _port())
        performance = asyncio.create_task(perform(places, scenario, narrator, Random(), auto=auto))
        signalled = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, signalled.set)
        waiting = asyncio.create_task(signalled.wait())
        await asyncio.wait([performance, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not performance.done():
            performance.cancel()
            with suppress(asyncio.CancelledError):
                await performance
            return None
        return performance.result()


def _port() -> int:
    """ARGUX_PORT, from the environment or `.env`, as Argux itself reads it."""
    try:
        return Settings().argux_port
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors())
        raise DemoError(wrong) from None
