"""What is read anew for each row that is shown: associations that an object-relational mapper loads one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.calls import EAGER
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.patches import Block, changed_lines

_STRENGTH = 0.7
_SHOWS_ROWS = re.compile(
    r"serializ|presenter|represent|decorator|(?:^|[/_])(?:rows?|resources?|dtos?|mappers?|views?|templates?|partials?)"
    r"(?:[/_.]|$)|(?:Serializer|Presenter|Resource|Mapper|Assembler|Dto|DTO)\.\w+$|\.(?:erb|haml|slim|jinja2?|twig|jsp)$",
)
_SHOWS_ITSELF = re.compile(r"Serializer|Presenter|Representer|Decorator|toDto|to_dto|toResponse|fromEntity|from_orm")
_ROW = (
    r"(?:object|obj|instance|record|row|item|entity|model|self\.object|self\.instance|@?\w*(?:order|user|line|post)s?)"
)
_PLAIN = (
    r"to_\w+|iso8601|strftime|format|round|floor|ceil|upcase|downcase|capitalize|strip|present\?|blank\?|nil\?|length|"
    r"isoformat|lower|upper|title|split|join|cents|amount|currency|year|month|day|id|value|equals|toString|name\(\)"
)
_HOPS = (
    re.compile(rf"(?<![\w.]){_ROW}&?\.([a-z]\w*)(?:\(\))?(?:&?\.|\?\.)(?!(?:{_PLAIN})\b)[a-z]\w*"),
    re.compile(r"source\s*=\s*[\"'](\w+)\.\w+"),
    re.compile(r"\.get([A-Z]\w*)\(\)\.get(?!Id\b|Value\b|Class\b)[A-Z]\w*\(\)"),
    re.compile(rf"(?<![\w.]){_ROW}\.(\w+)\.(?:all|count|exists|first|last|filter|where|order_by|sum|pluck)\b"),
)


def row_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return what the commit newly reads through an association for each row, where nothing loads it beforehand."""
    come = "\n".join(line for block in blocks for line in block.added)
    if EAGER.search(come):
        return []
    return [found for block in blocks for found in _of_block(block)]


def _of_block(block: Block) -> Iterator[Effect]:
    if not _SHOWS_ROWS.search(block.path) and not any(
        _SHOWS_ITSELF.search(line) for line in (block.heading, *block.new)
    ):
        return
    removed, added = changed_lines(block)
    known = {name for line in (*removed, *_context(block)) for name in _associations(line)}
    for line in added:
        new = [name for name in _associations(line) if name not in known]
        if new:
            yield effect(EffectKind.QUERY_IN_LOOP, block.path, line, _STRENGTH, name=new[0], beside=(block.heading,))
            return


def _context(block: Block) -> Iterator[str]:
    return (text for sign, text in block.lines if sign == " ")


def _associations(line: str) -> Iterator[str]:
    """Yield the associations of the row that a line goes through to something else."""
    for pattern in _HOPS:
        for found in pattern.finditer(line):
            yield found[1].lower()
