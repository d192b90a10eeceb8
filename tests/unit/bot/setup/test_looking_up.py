"""Looking up many things at once: what hangs keeps no process from ending, and what fails is named."""

from __future__ import annotations

import threading

import pytest

from bot.setup.probes import TroubleError, look_up_each
from integrations.errors import NotFoundError, RetryableError


def test_a_look_up_that_hangs_keeps_no_process_from_ending() -> None:
    asked, answer = threading.Event(), threading.Event()

    def hang(name: str) -> str:
        asked.set()
        answer.wait()
        return name

    whole = threading.Thread(target=lambda: look_up_each(["U1", "U2"], hang, "nobody"), daemon=True)
    whole.start()
    asked.wait()

    looking = [thread for thread in threading.enumerate() if thread.name.startswith("look up")]
    assert looking
    assert all(thread.daemon for thread in looking)
    answer.set()
    whole.join()


def test_every_one_that_is_not_well_is_named_with_its_reason() -> None:
    def look_up(name: str) -> str:
        if name == "U2":
            raise NotFoundError("Slack", "user_not_found")
        if name == "U3":
            raise RetryableError("Slack", "it did not answer in time")
        if name == "U4":
            raise ValueError("xoxb-secret")
        return name

    with pytest.raises(TroubleError) as caught:
        look_up_each([f"U{number}" for number in range(1, 12)], look_up, "no such person")

    assert str(caught.value) == "U2: no such person; U3: Slack: it did not answer in time; U4: ValueError"
    assert look_up_each(["U1", "U5"], look_up, "no such person") == ["U1", "U5"]
