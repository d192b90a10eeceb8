"""What a migration does to a database: SQL, and the calls of migration frameworks.

Which statements lock or rewrite a table: PostgreSQL's manual ("ALTER TABLE", "Explicit Locking") and the rules of the
linter squawk; those for the code that still runs: the expand-and-contract pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.patches import Block, changed_lines

_MIGRATION_PATH = re.compile(r"migrat|alembic|flyway|liquibase|schema|\.sql$|db/changelog|/ddl/", re.IGNORECASE)
_DOWN = re.compile(
    r"^\s*(?:--\s*)?(?:\+\w+\s+down|down\b)|\bdef (?:down|downgrade)\b|\bexports\.down\b|"
    r"function down\b|async down\(|-- \+goose Down",
    re.IGNORECASE,
)
_UP = re.compile(r"\bdef (?:up|upgrade|change)\b|\bexports\.up\b|function up\b|async up\(|\+\w+\s+up\b", re.IGNORECASE)
_NEW_TABLE = re.compile(
    r"\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?[\"`]?([\w.]+)|"
    r"create_table\(?\s*[:\"']([\w.]+)|createTable\(\s*[\"'](\w+)",
    re.IGNORECASE,
)

_INDEX_REMOVED = re.compile(r"\bdrop\s+index\b|remove_index|dropIndex|drop_index|RemoveIndex", re.IGNORECASE)
_INDEX_ADDED = re.compile(
    r"\bcreate\s+(?:unique\s+)?index\b|\badd\s+(?:unique\s+)?(?:index|key)\b|add_index|"
    r"create_index|createIndex|\bAddIndex\(",
    re.IGNORECASE,
)
_CONCURRENT = re.compile(
    r"concurrently|AddIndexConcurrently|algorithm\s*=\s*inplace|online\s*=\s*on|lock\s*=\s*none", re.IGNORECASE
)
_UNIQUE = re.compile(r"unique", re.IGNORECASE)
_DECLARED_INDEX = re.compile(
    r"db_index\s*=\s*True|index\s*=\s*True|@Index\b|index:\s*true|@@index|\bgorm:\"[^\"]*index|indexes\s*="
)

_BREAKING: Sequence[tuple[re.Pattern[str], float]] = tuple(
    (re.compile(pattern, re.IGNORECASE), strength)
    for pattern, strength in (
        (
            r"\bdrop\s+column\b|\bdrop\s+table\b|remove_column|drop_column|dropColumn|RemoveField\(|"
            r"DeleteModel\(|drop_table|dropTable",
            0.75,
        ),
        (
            r"\brename\s+(?:column|to|table)\b|rename_column|renameColumn|RenameField\(|"
            r"RenameModel\(|rename_table|new_column_name",
            0.85,
        ),
        (
            r"\bset\s+not\s+null\b|change_column_null|nullable\s*=\s*False|"
            r"\badd\s+(?:column\s+)?\w+\s+[\w()]+(?!.*default).*\bnot\s+null\b|"
            r"null:\s*false(?!.*default)|\.notNullable\(\)(?!.*default)",
            0.6,
        ),
        (
            r"\badd\s+constraint\b(?!.*not\s+valid)|add_foreign_key|create_unique_constraint|"
            r"create_check_constraint|\badd\s+unique\b|AddConstraint\(",
            0.5,
        ),
        (
            r"\balter\s+(?:column\s+)?\w+\s+(?:set\s+data\s+)?type\b|\bmodify\s+(?:column\s+)?\w+|"
            r"change_column\b|alter_column\(.*type_|AlterField\(|\.alter\(\)",
            0.6,
        ),
        (r"\btruncate\s+(?:table\s+)?\w+|\bdrop\s+(?:database|schema|view|function|trigger)\b|\brevoke\b", 0.7),
        (r"\bdrop\s+default\b|\balter\s+type\b.*\brename\b|\bdrop\s+constraint\b", 0.35),
    )
)
_LOCKING = re.compile(
    r"\block\s+table\b|\bvacuum\s+full\b|\bcluster\b\s+\w|\breindex\b(?!.*concurrently)|\boptimize\s+table\b",
    re.IGNORECASE,
)
_REWRITE = re.compile(
    r"\balter\s+(?:column\s+)?\w+\s+(?:set\s+data\s+)?type\b|\bmodify\s+column\b|"
    r"\badd\s+column\b.*\bdefault\s+(?:now|random|gen_|uuid|clock)",
    re.IGNORECASE,
)
_BACKFILL = re.compile(
    r"^\s*update\s+[\w.\"`]+\s+set\b(?!.*\bwhere\b.*\b(?:id|between|limit)\b)|"
    r"^\s*delete\s+from\s+[\w.\"`]+\s*;|\.update_all\(|\.objects\.(?:all\(\)\.)?update\(",
    re.IGNORECASE,
)


def migration_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return what the commit does to the structure of a database."""
    new_tables = _new_tables(blocks)
    found: list[Effect] = []
    for block in blocks:
        found += _declared_indexes(block)
        if _MIGRATION_PATH.search(block.path):
            for statement in _statements(block):
                if not _names_one_of(new_tables, statement):
                    found += _of_statement(block, statement)
    return found


def _new_tables(blocks: Sequence[Block]) -> frozenset[str]:
    return frozenset(
        next(name for name in match.groups() if name).lower()
        for block in blocks
        for match in _NEW_TABLE.finditer("\n".join(block.added))
    )


def _names_one_of(tables: frozenset[str], statement: str) -> bool:
    return any(re.search(rf"\b{re.escape(table)}\b", statement.lower()) for table in tables)


def _declared_indexes(block: Block) -> Iterator[Effect]:
    removed, added = changed_lines(block)
    line = next((line for line in removed if _DECLARED_INDEX.search(line) or _INDEX_ADDED.search(line)), None)
    if line and not any(_DECLARED_INDEX.search(text) or _INDEX_ADDED.search(text) for text in added):
        yield effect(EffectKind.INDEX_REMOVED, block.path, line, 0.8, beside=(block.heading,))


def _statements(block: Block) -> Iterator[str]:
    """Yield the added statements of a migration on one line each; what only a way back would run is left out."""
    is_down = bool(_DOWN.search(block.heading)) or block.path.endswith((".down.sql", "_down.sql"))
    gathered: list[str] = []
    for sign, text in block.lines:
        if _DOWN.search(text):
            is_down = True
        elif _UP.search(text):
            is_down = False
        if sign != "+" or is_down:
            continue
        gathered.append(text.strip())
        joined = " ".join(gathered)
        if text.rstrip().endswith(";") or (joined.count("(") <= joined.count(")") and not block.path.endswith(".sql")):
            yield joined
            gathered = []
    if gathered:
        yield " ".join(gathered)


def _of_statement(block: Block, statement: str) -> Iterator[Effect]:
    path = block.path
    if _INDEX_REMOVED.search(statement):
        yield effect(EffectKind.INDEX_REMOVED, path, statement, 0.85)
    if _INDEX_ADDED.search(statement):
        if not _CONCURRENT.search(statement):
            yield effect(EffectKind.LOCKING_MIGRATION, path, statement, 0.5)
        if _UNIQUE.search(statement):
            yield effect(EffectKind.SCHEMA, path, statement, 0.4)
        return
    for pattern, strength in _BREAKING:
        if pattern.search(statement):
            yield effect(EffectKind.SCHEMA, path, statement, strength)
            break
    if _LOCKING.search(statement) or _BACKFILL.search(statement):
        yield effect(EffectKind.LOCKING_MIGRATION, path, statement, 0.7)
    elif _REWRITE.search(statement):
        yield effect(EffectKind.LOCKING_MIGRATION, path, statement, 0.6)


def adds_only_indexes(blocks: Sequence[Block]) -> bool:
    """Whether the commit only creates indexes without holding a lock, or new tables and columns that may stay empty."""
    statements = [statement for block in blocks for statement in _statements(block)]
    tables = _new_tables(blocks)
    harmless = re.compile(
        r"\bcreate\s+index\s+concurrently\b|AddIndexConcurrently|\bcreate\s+table\b|"
        r"\bcomment\s+on\b|\banalyze\b|disable_ddl_transaction|atomic\s*=\s*False|"
        r"algorithm:\s*:concurrently|postgresql_concurrently\s*=\s*True|"
        r"\badd\s+column\b(?!.*not\s+null)|^\s*(?:set\s+\w+_timeout|begin|commit)\b|"
        r"^\s*(?:class|def|end|import|from|pass|dependencies|operations|\]|\)|\})|"
        r"^\s*add_index\s+[^,]+,[^,]+,\s*algorithm",
        re.IGNORECASE,
    )
    is_index = re.compile(r"index|create\s+table|add\s+column", re.IGNORECASE)
    return (
        all(_MIGRATION_PATH.search(block.path) and not block.removed for block in blocks)
        and any(is_index.search(statement) for statement in statements)
        and all(harmless.search(statement) or _names_one_of(tables, statement) for statement in statements)
    )
