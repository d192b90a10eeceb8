"""Forget which ids were one person's, some days after that was last told."""

from __future__ import annotations

from sqlalchemy import Engine, exists, or_, select

from storage.telemetry.rollups.sweeps import sweep
from storage.telemetry.rows.tables import events, person_ids

KEPT_SECONDS = 7 * 86_400.0
"""How long ids are kept after they were last told, and longer while the hot store has an event of the person."""


def drop_old_links(engine: Engine, now: float) -> int:
    """Delete the ids of people of whom none was told for long, in short transactions; return how many ids.

    A person's ids go together. As long as the hot store has an event of theirs they stay: the attempts are counted
    under the person, and would be counted again under the single ids.
    """
    oldest = now - KEPT_SECONDS
    others = person_ids.alias("others")
    is_needed = exists(
        select(others.c.id).where(
            others.c.person == person_ids.c.person,
            or_(others.c.seen_at >= oldest, exists(select(events.c.sequence).where(events.c.user_id == others.c.id))),
        )
    )
    return sweep(engine, person_ids.c.seen_at, below=oldest, only=[~is_needed])
