"""Locks in another order, and what is opened and no longer closed; and what only looks like it."""

from __future__ import annotations

import pytest

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.changes.reading import read, strength_of
from workers.diagnosis.changes import Delay, EffectKind

OTHER_ORDER = [
    (
        "repositories that lock rows",
        "src/Transfer.kt",
        """
        @@ -8,6 +8,6 @@ fun transfer(cmd: Transfer) {
        -    val from = accounts.lockById(cmd.from)
        -    val limit = limits.lockByOwner(cmd.owner)
        +    val limit = limits.lockByOwner(cmd.owner)
        +    val from = accounts.lockById(cmd.from)
             from.take(cmd.amount)
        """,
    ),
    (
        "rows read for update",
        "store/stock.go",
        """
        @@ -20,6 +20,6 @@ func (s *Store) Move(ctx context.Context, m Move) error {
        -\ttx.Exec("SELECT id FROM bins WHERE id = $1 FOR UPDATE", m.Bin)
        -\ttx.Exec("SELECT id FROM skus WHERE id = $1 FOR UPDATE", m.SKU)
        +\ttx.Exec("SELECT id FROM skus WHERE id = $1 FOR UPDATE", m.SKU)
        +\ttx.Exec("SELECT id FROM bins WHERE id = $1 FOR UPDATE", m.Bin)
        """,
    ),
    (
        "what was sorted before it was locked",
        "ledger/book.py",
        """
        @@ -31,4 +31,5 @@ def book(entries):
        -    rows = Account.objects.select_for_update().filter(id__in=ids).order_by("id")
        +    rows = [Account.objects.select_for_update().get(id=i) for i in ids]
             apply(rows, entries)
        """,
    ),
]


@pytest.mark.parametrize(("what", "path", "diff"), OTHER_ORDER)
def test_locks_in_another_order_can_deadlock(what: str, path: str, diff: str) -> None:
    reading = read(path, diff, "feat: check the limit first")

    assert strength_of(reading, EffectKind.LOCK_ADDED) >= 0.6, what
    assert any(SymptomKind.LOCKS in effect.causes for effect in reading.effects)


ORDER_KEPT = [
    (
        "the same order with another query",
        "src/Transfer.kt",
        """
        @@ -8,6 +8,6 @@ fun transfer(cmd: Transfer) {
        -    val from = accounts.lockById(cmd.from)
        -    val limit = limits.lockByOwner(cmd.owner)
        +    val from = accounts.lockByNumber(cmd.number)
        +    val limit = limits.lockByOwner(cmd.owner)
        """,
    ),
    (
        "a question whether it is locked",
        "app/door.rb",
        """
        @@ -3,4 +3,4 @@ def open
        -    return if door.is_locked()
        +    return if door.is_locked() || gate.is_locked()
        """,
    ),
    (
        "functions that changed places",
        "store/cache.go",
        """
        @@ -3,12 +3,12 @@
        -func (c *Cache) Get(k string) V {
        -\tc.reads.Lock()
        -\tdefer c.reads.Unlock()
        -\treturn c.m[k]
        -}
         func (c *Cache) Put(k string, v V) {
         \tc.writes.Lock()
         \tdefer c.writes.Unlock()
         \tc.m[k] = v
         }
        +func (c *Cache) Get(k string) V {
        +\tc.reads.Lock()
        +\tdefer c.reads.Unlock()
        +\treturn c.m[k]
        +}
        """,
    ),
]


@pytest.mark.parametrize(("what", "path", "diff"), ORDER_KEPT)
def test_locks_in_the_old_order_are_no_news(what: str, path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.LOCK_ADDED) == 0, what


LEFT_OPEN = [
    (
        "rates/client.py",
        """
        @@ -9,7 +9,6 @@ async def rate(code):
        -    async with httpx.AsyncClient(timeout=3) as client:
        -        return (await client.get(URL, params={"c": code})).json()
        +    client = httpx.AsyncClient(timeout=3)
        +    response = await client.get(URL, params={"c": code})
        +    return response.json()
        """,
    ),
    (
        "src/Report.cs",
        """
        @@ -14,5 +14,5 @@ public Report Load(int id)
        -        using var connection = new SqlConnection(_dsn);
        +        var connection = new SqlConnection(_dsn);
                 return connection.QuerySingle<Report>(Sql, new { id });
        """,
    ),
    (
        "src/Report.java",
        """
        @@ -14,6 +14,5 @@ Report load(long id) {
        -        try (Connection connection = pool.getConnection()) {
        -            return query(connection, id);
        -        }
        +        Connection connection = pool.getConnection();
        +        return query(connection, id);
        """,
    ),
]


@pytest.mark.parametrize(("path", "diff"), LEFT_OPEN)
def test_what_was_opened_for_a_block_and_now_stays_open_is_a_leak(path: str, diff: str) -> None:
    reading = read(path, diff, "chore: tidy, add types")

    assert strength_of(reading, EffectKind.CLOSE_REMOVED) >= 0.8
    assert next(item for item in reading.effects if item.kind is EffectKind.CLOSE_REMOVED).delay is Delay.GROWS


CLOSED_OR_KEPT = [
    (
        "one client for the life of the service",
        "rates/client.py",
        """
        @@ -9,7 +9,9 @@ class Rates:
        -    async def rate(self, code):
        -        async with httpx.AsyncClient(timeout=3) as client:
        -            return (await client.get(URL, params={"c": code})).json()
        +    def __init__(self):
        +        self.client = httpx.AsyncClient(timeout=3)
        +    async def rate(self, code):
        +        return (await self.client.get(URL, params={"c": code})).json()
        """,
    ),
    (
        "another way to close it",
        "files/store.py",
        """
        @@ -5,5 +5,7 @@ def load(path):
        -    with open(path) as file:
        -        return parse(file.read())
        +    with ExitStack() as stack:
        +        file = stack.enter_context(open(path))
        +        return parse(file.read())
        """,
    ),
    (
        "what is no longer opened",
        "files/store.py",
        """
        @@ -5,5 +5,4 @@ def load(path):
        -    with open(path) as file:
        -        return parse(file.read())
        +    return parse(Path(path).read_text())
        """,
    ),
]


@pytest.mark.parametrize(("what", "path", "diff"), CLOSED_OR_KEPT)
def test_what_is_still_closed_or_kept_on_purpose_is_no_strong_leak(what: str, path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.CLOSE_REMOVED) < 0.8, what
