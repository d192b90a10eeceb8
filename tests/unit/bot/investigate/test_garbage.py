"""Garbage is left alone within the block, and looked for again after it, as before."""

from __future__ import annotations

import gc

import pytest

from bot.investigate.garbage import uncollected


@pytest.mark.parametrize("before", [True, False])
def test_garbage_is_looked_for_after_the_block_as_it_was_before(before: bool) -> None:
    was_enabled = gc.isenabled()
    try:
        (gc.enable if before else gc.disable)()
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() is before
    finally:
        (gc.enable if was_enabled else gc.disable)()
