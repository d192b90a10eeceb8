from __future__ import annotations

from zlib import decompress

from storage.telemetry.logs.reader_protocol import KeptTemplates, LogReading, StoredPattern
from workers.memory.log_reader import TemplateLogReader

INFO, DEBUG = 9, 5


class Kept:
    """Stands for the database row with a service's state."""

    def __init__(self) -> None:
        self.version: str | None = None
        self.state, self.loads = b"", 0
        self.texts: dict[str, str] = {}

    def now(self) -> KeptTemplates:
        def load() -> bytes:
            self.loads += 1
            return self.state

        return KeptTemplates(self.version, load, lambda: self.texts)

    def put(self, reading: LogReading) -> None:
        if reading.learnt is not None:
            self.version, self.state = reading.learnt.version, reading.learnt.state


def test_the_stored_state_is_loaded_once_and_saved_only_when_something_was_learnt() -> None:
    kept, reader = Kept(), TemplateLogReader()
    kept.put(reader.read("shop", ["order 1 was paid"], kept.now()))
    again = reader.read("shop", ["order 2 was paid"], kept.now())
    assert again.learnt is None
    assert kept.loads == 0
    other = TemplateLogReader()
    assert other.read("shop", ["order 3 was paid"], kept.now()).template_ids == again.template_ids
    other.read("shop", ["order 4 was paid"], kept.now())
    assert kept.loads == 1


def test_learning_from_a_failed_transaction_is_discarded() -> None:
    kept, reader = Kept(), TemplateLogReader()
    kept.put(reader.read("shop", ["order 1 was paid"], kept.now()))
    lost = reader.read("shop", ["it broke"], kept.now())
    assert lost.learnt is not None
    assert reader.read("shop", ["it broke"], kept.now()).learnt is not None
    assert kept.loads == 1


def test_templates_of_a_state_that_cannot_be_read_are_adopted_and_stored_at_once() -> None:
    kept = Kept()
    first = TemplateLogReader().read("shop", ["order 1 was paid", "invoice went to ana"], kept.now())
    kept.version, kept.state, kept.texts = "old", b"of another time", dict(first.texts)
    again = TemplateLogReader().read("shop", ["order 2 was paid", "invoice went to ana"], kept.now())
    assert again.template_ids == first.template_ids
    assert again.learnt is not None


def test_a_state_that_cannot_be_read_is_emptied_when_a_person_is_forgotten() -> None:
    forgotten = TemplateLogReader().forget(b"of another time: ana", ["ana"])
    assert forgotten is not None
    kept = Kept()
    kept.version, kept.state, kept.texts = forgotten.version, forgotten.state, {"id": "order <*> was paid"}
    assert list(TemplateLogReader().read("shop", ["order 2 was paid"], kept.now()).template_ids) == ["id"]


def test_no_complete_line_is_stored() -> None:
    kept = Kept()
    kept.put(TemplateLogReader().read("shop", ["pin 4711 is wrong"], kept.now()))
    assert b"4711" not in decompress(kept.state)


def test_built_in_patterns_skip_debug_lines_and_the_teams_own_do_not() -> None:
    own = [StoredPattern("mine", "refused", "sev3", "", enabled=True)]
    lines = ["connection refused", "connection refused"]
    found = TemplateLogReader().matches(lines, [INFO, DEBUG], own)
    assert {pattern.name: list(places) for pattern, places in found.items()} == {"connection": [0], "mine": [0, 1]}


def test_a_stored_pattern_that_is_no_longer_valid_or_is_off_is_left_out() -> None:
    stored = [
        StoredPattern("broken", "(a", "sev3", "", enabled=True),
        StoredPattern("off", "refused", "sev3", "", enabled=False),
        StoredPattern("connection", "", "sev3", "", enabled=False),
    ]
    assert TemplateLogReader().matches(["connection refused"], [INFO], stored) == {}
