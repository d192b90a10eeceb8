"""What a change does to queries: a limit, a condition or a page taken away, a condition that no index helps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.patches import Block, changed_lines

_LIMIT = re.compile(
    r"\blimit\s+(?:\d+|[:$?@%{]\w*|\w+)|\btop\s*\(?\d+|\bfetch\s+(?:first|next)\b|"
    r"\brownum\b|\.limit\(|\.take\(|\.Take\(|\.Limit\(|"
    r"setMaxResults\(|Pageable|PageRequest|paginate|\.page\(|per_page|page_size|\blimit\s*[:=]|\[:\w+\]|\.first\(\d|"
    r"\.slice\(0,|LIMIT\b|\btake:\s|islice\(|\.head\(|WithPageSize|maxResults",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\bwhere\b|\band\s+[\w.]+\s*(?:=|<|>|in\b|between|like|is\b)|\.where\(|\.filter\(|"
    r"\.Where\(|whereIn|\.filter_by\(|\.eq\(|"
    r"\.gte?\(|\.andWhere\(|where:\s*\{|\.Filter\(",
    re.IGNORECASE,
)
_SQL_CONDITION = re.compile(r"\b(?:where|and)\s+[\w.\"]+\s*(?:=|<|>|in\b|between|like|is\b)", re.IGNORECASE)
_QUERY = re.compile(
    r"\bselect\b|\bfrom\s+\w+|\bdelete\s+from|\bupdate\s+\w+\s+set|\.objects\b|"
    r"\bsession\.query|\.find\w*\(|\.query\w*\(|"
    r"findMany|createQuery|\.select\(|\border\s+by\b|\.order(?:_by|By)?\(|knex|\.aggregate\(|\.all\(|scan\(",
    re.IGNORECASE,
)
_NO_INDEX = re.compile(
    r"\b(?:where|and|or|on)\s+(?:lower|upper|date|cast|to_char|coalesce|date_trunc|"
    r"substring|year|trim|json_extract)\s*\(|"
    r"\bi?like\s+(?:concat\()?[\"'\\]*%|\bi?like\s+'%'\s*\|\||__i?contains=|\bregexp\b|\brlike\b|\$regex|"
    r"order by\s+(?:rand|random|newid)\s*\(|\bnot\s+in\s*\(\s*select",
    re.IGNORECASE,
)
_HEAVY = re.compile(
    r"\b(?:cross\s+join|(?:left|inner|right|full|outer)?\s*join\s+\w+|group\s+by|"
    r"select\s+distinct|union)\b|\bcount\(\*\)|\boffset\s+[\d$:?]",
    re.IGNORECASE,
)
_EVERY_COLUMN = re.compile(r"select\s+(?:\w+\.)?\*", re.IGNORECASE)


def query_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return what the commit takes away from its queries, or makes them read more for."""
    come = [line for block in blocks for line in changed_lines(block)[1]]
    found: list[Effect] = []
    for block in blocks:
        found += _of_block(block, come)
    return found


def _of_block(block: Block, come: Sequence[str]) -> Iterator[Effect]:
    removed, added = changed_lines(block)
    beside = (block.heading, *block.new[:12])
    if not _QUERY.search("\n".join((*block.old, *block.new))):
        return
    for pattern, kind, strength in (
        (_LIMIT, EffectKind.QUERY_LIMIT_REMOVED, 0.9),
        (_CONDITION, EffectKind.QUERY_WIDENED, 0.7),
    ):
        line = next((line for line in removed if pattern.search(line)), None)
        if line is None or any(pattern.search(text) for text in come) or not _is_read_on(block, removed, added):
            continue
        match = pattern.search(line)
        yield effect(
            kind,
            block.path,
            line,
            strength,
            name=match.group().strip(" (:=") if match else "",
            before=line.strip(),
            beside=beside,
        )
    fewer = _hits(_SQL_CONDITION, removed) - _hits(_SQL_CONDITION, added)
    if fewer > 0 and _hits(_SQL_CONDITION, added) and len(come) == len(added):
        line = next(line for line in removed if _SQL_CONDITION.search(line))
        yield effect(EffectKind.QUERY_WIDENED, block.path, line, 0.5, before=line.strip(), beside=beside)
        return
    for pattern, strength in ((_NO_INDEX, 0.6), (_HEAVY, 0.4), (_EVERY_COLUMN, 0.25)):
        line = next((line for line in added if pattern.search(line)), None)
        if line and _hits(pattern, added) > _hits(pattern, removed) and not _is_new(block):
            yield effect(EffectKind.QUERY_WIDENED, block.path, line, strength, beside=beside)
            return


def _hits(pattern: re.Pattern[str], lines: Sequence[str]) -> int:
    return sum(len(pattern.findall(line)) for line in lines)


def _is_new(block: Block) -> bool:
    return all(sign == "+" for sign, _ in block.lines)


def _is_read_on(block: Block, removed: Sequence[str], added: Sequence[str]) -> bool:
    """Whether the query is still there: a query that goes altogether reads nothing any more."""
    if added and any(_QUERY.search(line) for line in block.new):
        return True
    return any(_QUERY.search(line) for line in block.new) and len(removed) <= 3
