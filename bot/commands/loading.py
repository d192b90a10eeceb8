"""Load what a command needs without interruption by the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Import modules here: they live to the end, so looking through them again and again, and at the end, is in vain.

    What the process loads first is left out of all later collections, of the one at its end too. Only once: what is
    garbage by then would stay.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        if was_on:
            gc.enable()
