"""A template miner as bytes, to go on after a restart and to bring together what several workers have learnt."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import replace

from detection.logs.grouping import VARIABLE
from detection.logs.miner import MinerLimits, ShapeRecord, TemplateMiner

FORMAT = 1
"""Of the bytes. Raised whenever the same lines would give other shapes: the old ones would not be met again."""


class UnknownTemplateStateError(ValueError):
    """The bytes are not a miner's state, or one of another format: mine anew."""


def to_bytes(miner: TemplateMiner, *, examples: bool = True) -> bytes:
    """Return what the miner has learnt, as compressed JSON; without examples no whole line is in it."""
    records = [[one.shape, one.example if examples else "", one.line_count, one.last_batch] for one in miner.records()]
    state = {"format": FORMAT, "batch": miner.batch, "replaced": miner.replaced, "records": records}
    return zlib.compress(json.dumps(state, separators=(",", ":")).encode(), level=1)


def from_bytes(state: bytes, limits: MinerLimits | None = None) -> TemplateMiner:
    """Return a miner that goes on from there, with the same templates and ids.

    Raises UnknownTemplateStateError.
    """
    try:
        read = json.loads(zlib.decompress(state))
        if read["format"] != FORMAT:
            raise UnknownTemplateStateError(f"The templates are stored in format {read['format']}, not {FORMAT}.")
        miner = TemplateMiner(limits)
        miner.batch, miner.replaced = int(read["batch"]), dict(read["replaced"])
        miner.restore(
            ShapeRecord(tuple(pieces), example, int(count), int(last))
            for pieces, example, count, last in read["records"]
        )
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        if isinstance(error, UnknownTemplateStateError):
            raise
        raise UnknownTemplateStateError("These bytes are not the state of a template miner.") from error
    return miner


def forgotten(miner: TemplateMiner, words: Iterable[str]) -> TemplateMiner | None:
    """Return a miner that knows the same, but for these words, each of which varies wherever it stood by itself.

    None where none of them stands anywhere. The ids of the templates that held one lead to what they have become.
    """
    varies = dict.fromkeys(words, VARIABLE) | {f" {word}": f" {VARIABLE}" for word in words}
    records = miner.records()
    if not any(piece in varies for record in records for piece in record.shape):
        return None
    fresh = TemplateMiner(miner.limits)
    fresh.batch, fresh.replaced = miner.batch, dict(miner.replaced)
    fresh.restore(
        replace(record, shape=tuple(varies.get(piece, piece) for piece in record.shape), example="")
        for record in records
    )
    return fresh


def merged(miners: Iterable[TemplateMiner], limits: MinerLimits | None = None) -> TemplateMiner:
    """Return one miner that knows what all know; the ids that any of them gave out can be resolved in it."""
    whole = TemplateMiner(limits)
    for miner in miners:
        whole.batch = max(whole.batch, miner.batch)
        whole.replaced |= {old: new for old, new in miner.replaced.items() if old not in whole.replaced}
        whole.restore(replace(record) for record in miner.records())
    return whole
