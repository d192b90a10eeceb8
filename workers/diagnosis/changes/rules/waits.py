"""Code that waits where it must not: a blocking call on an event loop stops every other request of the process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.patches import Block, changed_lines
from workers.diagnosis.changes.text.serving import header_of, runs_per_request

_STRENGTH = 0.85
_BLOCKS_IN_PYTHON = re.compile(
    r"\brequests\.(?:get|post|put|patch|delete|head|request)\(|\burlopen\(|\btime\.sleep\(|"
    r"\bhttpx\.(?:get|post|put|patch|delete|head|request)\(|\bsubprocess\.(?:run|call|check_call|check_output)\(|"
    r"\bpsycopg2?\.connect\(|\bpymysql\.connect\(|\bsocket\.create_connection\("
)
_OFF_THE_LOOP = re.compile(r"to_thread|run_in_executor|run_in_threadpool|run_sync|sync_to_async")
_DEFINES_PLAIN = re.compile(r"^\s*def\s+(\w+)")
_DEFINES_ASYNC = re.compile(r"\basync\s+(?:def|fn)\b|\bsuspend\s+fun\b|\basync\b.*\bTask\b")
_CALLS = re.compile(r"(?<!await )(?<![\w.])(?:\w+\.)*(\w+)\(")
_BLOCKS_IN_SCRIPT = re.compile(
    r"\b(?:readFileSync|writeFileSync|execSync|spawnSync|execFileSync|pbkdf2Sync|scryptSync|gzipSync|gunzipSync|"
    r"deflateSync|brotliCompressSync|hashSync|compareSync)\(|\bAtomics\.wait\("
)
_BLOCKS_ELSEWHERE = re.compile(
    r"\.GetAwaiter\(\)\.GetResult\(\)|\w\)\.Result\b|\.Wait\(\)|\.block(?:First|Last)?\(\)|\brunBlocking\b|"
    r"\breqwest::blocking\b|\bstd::thread::sleep\(|(?<!tokio::)\bblock_on\("
)
_SCRIPTS = (".js", ".ts", ".mjs", ".cjs", ".tsx")
_OTHERS = (".cs", ".java", ".kt", ".rs", ".scala")


def wait_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return the blocking calls that the commit newly makes where an event loop runs."""
    blocking = _blocking_functions(blocks)
    return [found for block in blocks for found in _waits(block, blocking)]


def _waits(block: Block, blocking: frozenset[str]) -> Iterator[Effect]:
    removed, added = changed_lines(block)
    for line in added:
        if _OFF_THE_LOOP.search(line) or not _is_blocking(line, block, blocking):
            continue
        if any(_is_blocking(text, block, blocking) for text in removed):
            return
        yield effect(EffectKind.BLOCKS_LOOP, block.path, line, _STRENGTH, beside=(block.heading,))
        return


def _is_blocking(line: str, block: Block, blocking: frozenset[str]) -> bool:
    """Whether a line waits for something outside while the thread that it runs on serves others."""
    if block.path.endswith(".py"):
        called = blocking & set(_CALLS.findall(line))
        return bool(called or _BLOCKS_IN_PYTHON.search(line)) and bool(_DEFINES_ASYNC.search(_header(line, block)))
    if block.path.endswith(_SCRIPTS):
        found = _BLOCKS_IN_SCRIPT.search(line)
        return bool(found) and line in block.new and runs_per_request(block.heading, block.new, block.new.index(line))
    return block.path.endswith(_OTHERS) and bool(_BLOCKS_ELSEWHERE.search(line))


def _header(line: str, block: Block) -> str:
    lines = block.new if line in block.new else block.old
    place = lines.index(line)
    depth = len(line) - len(line.lstrip())
    for text in reversed(lines[:place]):
        if re.match(r"\s*(?:async\s+)?def\b", text) and len(text) - len(text.lstrip()) < depth:
            return text
    return header_of(block.heading, lines, place)


def _blocking_functions(blocks: Sequence[Block]) -> frozenset[str]:
    """Return the plain functions of the commit that make a blocking call themselves."""
    found = set()
    for block in blocks:
        name = ""
        for line in block.new:
            if defined := _DEFINES_PLAIN.match(line):
                name = defined[1]
            elif _DEFINES_ASYNC.search(line):
                name = ""
            elif name and _BLOCKS_IN_PYTHON.search(line):
                found.add(name)
    return frozenset(found)
