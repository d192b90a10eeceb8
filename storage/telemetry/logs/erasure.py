"""Erase one person from what is stored of log lines besides their counts: samples and template texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, or_, select, update

from storage.telemetry.logs.reader_protocol import LogReader
from storage.telemetry.protocol import LOG_TEMPLATE
from storage.telemetry.rows.tables import log_series, template_states

_SHORTEST_NAME = 2
_VARIES = "<*>"


def erase_from_series(connection: Connection, reader: LogReader | None, user_ids: Sequence[str]) -> int:
    """Delete samples that name the person, and replace their name in templates by a variable; return how many series.

    Ids of a single character are ignored: they occur in any line and identify nobody.
    """
    words = [user_id for user_id in user_ids if len(user_id) >= _SHORTEST_NAME]
    if not words:
        return 0
    named = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)")
    columns = log_series.c
    holds = or_(
        *(column.contains(word, autoescape=True) for word in words for column in (columns.sample, columns.text))
    )
    query = select(columns.id, columns.kind, columns.text, columns.sample).where(holds)
    erased = 0
    for series_id, kind, text, sample in connection.execute(query).all():
        # The text of a named pattern is its author's description, not taken from log lines.
        kept_text = named.sub(_VARIES, text) if kind == LOG_TEMPLATE else text
        kept_sample = "" if named.search(sample) else sample
        if (kept_text, kept_sample) != (text, sample):
            values = {"text": kept_text, "sample": kept_sample}
            connection.execute(update(log_series).where(columns.id == series_id).values(**values))
            erased += 1
    if reader is not None:
        _erase_from_states(connection, reader, words)
    return erased


def _erase_from_states(connection: Connection, reader: LogReader, words: Sequence[str]) -> None:
    columns = template_states.c
    for service, state in connection.execute(select(columns.service, columns.state)).all():
        kept = reader.forget(bytes(state), words)
        if kept is not None:
            changed = update(template_states).where(columns.service == service)
            connection.execute(changed.values(version=kept.version, state=kept.state))
