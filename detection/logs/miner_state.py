"""Serialise template miners, to continue after a restart and to merge what several workers have learnt."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import replace

from detection.logs.miner import MinerLimits, TemplateMiner
from detection.logs.slots import VARIABLE
from detection.logs.template_ids import ShapeRecord

FORMAT = 3
"""The version of the serialised state. Increase it when the same lines would give other shapes: stored shapes would
no longer match."""


class UnknownTemplateStateError(ValueError):
    """The bytes are not a miner's state, or have another format; the templates must be mined again."""


def to_bytes(miner: TemplateMiner, *, examples: bool = True) -> bytes:
    """Serialise the miner's state as compressed JSON; without `examples` it holds no original log line."""
    templates = list(dict.fromkeys((one.template_id, one.text) for one in miner.records()))
    places = {template: place for place, template in enumerate(templates)}
    records = [
        [one.shape, one.example if examples else "", one.line_count, one.last_batch, places[one.template_id, one.text]]
        for one in miner.records()
    ]
    state = {
        "format": FORMAT,
        "batch": miner.batch,
        "replaced": miner.replaced,
        "templates": templates,
        "records": records,
    }
    return zlib.compress(json.dumps(state, separators=(",", ":")).encode(), level=1)


def from_bytes(state: bytes, limits: MinerLimits | None = None) -> TemplateMiner:
    """Restore a miner from its serialised state, with the same templates and ids.

    Raises UnknownTemplateStateError.
    """
    try:
        read = json.loads(zlib.decompress(state))
        if read["format"] != FORMAT:
            raise UnknownTemplateStateError(f"The templates are stored in format {read['format']}, not {FORMAT}.")
        miner = TemplateMiner(limits)
        miner.batch, miner.replaced = int(read["batch"]), dict(read["replaced"])
        templates = [(str(template_id), str(text)) for template_id, text in read["templates"]]
        miner.load(
            ShapeRecord(tuple(pieces), example, int(count), int(last), *templates[place])
            for pieces, example, count, last, place in read["records"]
        )
    except (ValueError, LookupError, TypeError, zlib.error) as error:
        if isinstance(error, UnknownTemplateStateError):
            raise
        raise UnknownTemplateStateError("These bytes are not the state of a template miner.") from error
    return miner


def forgotten(miner: TemplateMiner, words: Iterable[str]) -> TemplateMiner | None:
    """Return a copy of the miner in which each of these words, where it is a whole piece, is replaced by a variable.

    Return None if none of the words occurs. Templates keep their ids. Examples are dropped.
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
    """Merge several miners into one; it resolves the ids that any of them gave out."""
    whole = TemplateMiner(limits)
    for miner in miners:
        whole.batch = max(whole.batch, miner.batch)
        whole.replaced |= {old: new for old, new in miner.replaced.items() if old not in whole.replaced}
        whole.restore(replace(record) for record in miner.records())
    return whole
