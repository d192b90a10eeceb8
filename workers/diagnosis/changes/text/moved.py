"""Settings over all hunks of a commit: one that goes here and comes there was moved, with its value or another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from workers.diagnosis.changes.text.patches import Block, changed_lines
from workers.diagnosis.changes.text.settings import Changed, Setting, changed_settings, is_equal, settings_of


def settings_over(blocks: Sequence[Block]) -> tuple[Changed, ...]:
    """Return the numbers that a commit sets otherwise than before, removes or adds, over all its hunks.

    A number that stands in another hunk as it did is left out. One of the same name with another value is one change:
    the old value of the file that lost it, the new one of the file that has it now.
    """
    found = [[change for change in changed_settings(block) if change.shown.quantity] for block in blocks]
    gone, come = [_numbers(block, old=True) for block in blocks], [_numbers(block, old=False) for block in blocks]
    kept = [
        (place, change)
        for place, changes in enumerate(found)
        for change in changes
        if not (change.old is None and change.new and _stands(change.new, gone, place))
        and not (change.new is None and change.old and _stands(change.old, come, place))
    ]
    return tuple(_joined(kept))


def _numbers(block: Block, *, old: bool) -> list[Setting]:
    removed, added = changed_lines(block)
    lines = removed if old else added
    return [item for line in lines for item in settings_of(line, "") if item.quantity]


def _stands(item: Setting, elsewhere: Sequence[Sequence[Setting]], but: int) -> bool:
    """Whether another hunk loses or gains the same number under the same name."""
    return any(
        other.key == item.key and is_equal(other, item)
        for place, others in enumerate(elsewhere)
        if place != but
        for other in others
    )


def _joined(kept: Sequence[tuple[int, Changed]]) -> Iterator[Changed]:
    """Yield the changes, with what is only removed in one hunk and only added in another as one, if both are alone."""
    removed = [(place, change) for place, change in kept if change.new is None]
    added = [(place, change) for place, change in kept if change.old is None]
    used: set[int] = set()
    for _, change in kept:
        if id(change) in used:
            continue
        partner = _partner(change, removed, added)
        if partner is None:
            yield change
            continue
        used.add(id(partner))
        shown, other = (change, partner) if change.old is None else (partner, change)
        yield replace(shown, old=other.old)


def _partner(
    change: Changed, removed: Sequence[tuple[int, Changed]], added: Sequence[tuple[int, Changed]]
) -> Changed | None:
    if change.old is not None and change.new is not None:
        return None
    key = change.shown.key
    gone = [item for item in removed if item[1].shown.key == key]
    come = [item for item in added if item[1].shown.key == key]
    if len(gone) != 1 or len(come) != 1 or gone[0][0] == come[0][0]:
        return None
    return come[0][1] if gone[0][1] is change else gone[0][1]
