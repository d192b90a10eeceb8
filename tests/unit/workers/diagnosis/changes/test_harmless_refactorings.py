"""No harmless change is believed to break anything, whatever words it has."""

from __future__ import annotations

import pytest

from tests.unit.workers.diagnosis.changes.harmless import HARMLESS
from tests.unit.workers.diagnosis.changes.look_alikes import LOOK_ALIKES, MORE_LOOK_ALIKES
from tests.unit.workers.diagnosis.changes.reading import read, strongest

EVERY = [*HARMLESS, *LOOK_ALIKES, *MORE_LOOK_ALIKES]


@pytest.mark.parametrize(("what", "path", "diff"), EVERY, ids=[what for what, *_ in EVERY])
def test_a_harmless_change_is_hardly_suspected(what: str, path: str, diff: str) -> None:
    found = read(path, diff)

    assert strongest(found) <= 0.2, [(effect.kind, effect.strength, effect.line) for effect in found.effects]
