"""The demo command: check prerequisites, handle signals, set the exit code."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from random import Random

from pydantic import ValidationError

from bot.demo.configuration import lock_directory, prepare_places
from bot.demo.driver import Outcome, run_demo
from bot.demo.errors import DemoError
from bot.demo.narration import Narrator
from bot.demo.scenario import SCENARIOS, Scenario, ScenarioName
from bot.reception.validation_words import setting_errors
from bot.terminal import PlainConsole
from workers.settings import Settings

DIRECTORY = Path(".demo")
FAILED = 1
MISUSED = 2
INTERRUPTED = 130


def run(auto: bool, scenario: str) -> int:
    """Run the demo in the terminal and return the exit code. The last line of an automatic run is one JSON object."""
    console = PlainConsole()
    errors = PlainConsole(stderr=True)
    try:
        chosen = SCENARIOS[ScenarioName(scenario)]
    except ValueError:
        errors.print(f"There is no scenario {scenario!r}; choose one of {', '.join(ScenarioName)}.")
        return MISUSED
    try:
        outcome = asyncio.run(_run_until_signalled(chosen, Narrator(console), auto=auto))
    except DemoError as error:
        errors.print(f"The demo stopped: {error}", soft_wrap=True)
        return FAILED
    if outcome is None:
        console.print("Stopped; nothing is left running.")
        return INTERRUPTED if auto else 0
    if outcome.failure is not None:
        errors.print(f"Failed: {outcome.failure}", soft_wrap=True)
    print(json.dumps(outcome.summary, ensure_ascii=False), flush=True)
    return FAILED if outcome.failure is not None else 0


async def _run_until_signalled(scenario: Scenario, narrator: Narrator, *, auto: bool) -> Outcome | None:
    """Run the demo and return its outcome, or None when a signal stopped it.

    A second signal has no effect: everything is being stopped already. Raises DemoError.
    """
    if shutil.which("git") is None:
        raise DemoError("git is not on the PATH; install it and start the demo again")
    with lock_directory(DIRECTORY):
        places = prepare_places(DIRECTORY, _configured_port())
        run = asyncio.create_task(run_demo(places, scenario, narrator, Random(), auto=auto))
        signalled = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, signalled.set)
        waiting = asyncio.create_task(signalled.wait())
        await asyncio.wait([run, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not run.done():
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run
            return None
        return run.result()


def _configured_port() -> int:
    """Read ARGUX_PORT from the environment or `.env`, as Argux itself does. Raises DemoError."""
    try:
        return Settings().argux_port
    except ValidationError as error:
        raise DemoError("; ".join(setting_errors(error))) from None
