"""Queries that read more, and migrations that lock, break or only add."""

from __future__ import annotations

import pytest

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.changes.reading import read, strength_of, strongest
from workers.diagnosis.changes import Delay, EffectKind

K, S = EffectKind, SymptomKind

READS_MORE = [
    (
        "a.go",
        "-\tq := `SELECT id FROM events WHERE tenant = $1 ORDER BY at DESC LIMIT 100`\n+\tq := "
        "`SELECT id FROM events WHERE tenant = $1 ORDER BY at DESC`",
        K.QUERY_LIMIT_REMOVED,
    ),
    (
        "a.py",
        "-    return session.query(Event).filter(Event.tenant == t).limit(100).all()\n+    "
        "return session.query(Event).filter(Event.tenant == t).all()",
        K.QUERY_LIMIT_REMOVED,
    ),
    (
        "a.rb",
        "-  Event.where(tenant: t).order(:at).limit(50)\n+  Event.where(tenant: t).order(:at)",
        K.QUERY_LIMIT_REMOVED,
    ),
    (
        "a.ts",
        "-  return prisma.event.findMany({ where: { tenant }, take: 50 })\n+  return "
        "prisma.event.findMany({ where: { tenant } })",
        K.QUERY_LIMIT_REMOVED,
    ),
    (
        "A.java",
        "-    Page<Event> find(String tenant, Pageable page) // select\n+    return "
        'em.createQuery("select e from Event e").getResultList();',
        K.QUERY_LIMIT_REMOVED,
    ),
    (
        "A.cs",
        "-    return db.Events.Where(e => e.Tenant == t).Take(100).ToList();\n+    return "
        "db.Events.Where(e => e.Tenant == t).OrderBy(e => e.At).ToList();",
        K.QUERY_LIMIT_REMOVED,
    ),
    (
        "a.py",
        "-    return Event.objects.filter(tenant=t).order_by('at')\n+    return Event.objects.order_by('at')",
        K.QUERY_WIDENED,
    ),
    ("a.sql", " SELECT id\n FROM events\n-WHERE tenant = $1\n ORDER BY at", K.QUERY_WIDENED),
    (
        "a.go",
        '-\tq := "SELECT id FROM users WHERE email = $1"\n+\tq := "SELECT id FROM users WHERE lower(email) = $1"',
        K.QUERY_WIDENED,
    ),
    (
        "a.py",
        '-    q = "SELECT id FROM users WHERE name LIKE \'x%\'"\n+    q = "SELECT id FROM '
        "users WHERE name LIKE '%x%'\"",
        K.QUERY_WIDENED,
    ),
]


@pytest.mark.parametrize(("path", "diff", "kind"), READS_MORE)
def test_a_query_that_reads_more_rows_is_told_and_grows_with_its_table(path: str, diff: str, kind: EffectKind) -> None:
    effect = next(effect for effect in read(path, f"@@ -1,4 +1,4 @@\n{diff}").effects if effect.kind is kind)

    assert effect.strength >= 0.55
    assert {S.ROWS_READ, S.SLOW_QUERIES, S.LATENCY} <= effect.causes
    assert effect.delay is Delay.GROWS


READS_THE_SAME = [
    ("a.go", "-\tq := `SELECT id FROM events LIMIT 100`\n+\tq := `SELECT id, at FROM events LIMIT 100`"),
    (
        "a.py",
        "-    return session.query(Event).limit(100).all()\n+    return session.query(Event).limit(MAX_EVENTS).all()",
    ),
    ("a.py", "-    return Event.objects.filter(tenant=t)\n+    return Event.objects.filter(tenant=tenant)"),
    (
        "a.go",
        "-\tq := `SELECT id FROM old_events LIMIT 10`\n-\trows := db.Query(q)\n-\tscan(rows)\n"
        "-\tuse(rows)\n \treturn nil",
    ),
    ("a.rb", "-  Event.where(tenant: t).limit(50)\n+  Event.where(tenant: t).first(50)"),
]


@pytest.mark.parametrize(("path", "diff"), READS_THE_SAME)
def test_a_query_that_keeps_its_limit_and_condition_or_goes_altogether_is_not_told(path: str, diff: str) -> None:
    reading = read(path, f"@@ -1,4 +1,4 @@\n{diff}")

    assert strength_of(reading, K.QUERY_LIMIT_REMOVED) == 0
    assert strength_of(reading, K.QUERY_WIDENED) <= 0.25


MIGRATIONS = [
    ("db/migrations/7.sql", "+DROP INDEX idx_orders_user;", K.INDEX_REMOVED, S.SLOW_QUERIES),
    (
        "db/migrate/7.rb",
        "+class X < ActiveRecord::Migration[7.0]\n+  def change\n+    remove_index :orders, :user_id\n+  end",
        K.INDEX_REMOVED,
        S.ROWS_READ,
    ),
    (
        "app/models.py",
        "-    email = models.CharField(max_length=80, db_index=True)\n+    email = models.CharField(max_length=80)",
        K.INDEX_REMOVED,
        S.SLOW_QUERIES,
    ),
    ("db/migrations/7.sql", "+CREATE INDEX idx_orders_user ON orders (user_id);", K.LOCKING_MIGRATION, S.LOCKS),
    ("db/migrate/7.rb", "+    add_index :orders, :user_id", K.LOCKING_MIGRATION, S.LOCKS),
    ("db/migrations/7.sql", "+ALTER TABLE orders\n+  RENAME COLUMN total TO total_cents;", K.SCHEMA, S.SCHEMA),
    ("alembic/versions/7.py", "+def upgrade():\n+    op.drop_column('orders', 'note')", K.SCHEMA, S.ERRORS),
    ("db/migrations/7.sql", "+ALTER TABLE orders ALTER COLUMN country SET NOT NULL;", K.SCHEMA, S.SCHEMA),
    ("db/migrations/7.sql", "+ALTER TABLE orders ADD COLUMN region text NOT NULL;", K.SCHEMA, S.ERRORS),
    ("db/migrations/7.sql", "+ALTER TABLE orders ALTER COLUMN id TYPE bigint;", K.LOCKING_MIGRATION, S.LOCKS),
    ("db/migrations/7.sql", "+UPDATE orders SET region = 'eu';", K.LOCKING_MIGRATION, S.LOCKS),
    ("app/migrations/0007.py", "+        migrations.RenameField('order', 'total', 'total_cents'),", K.SCHEMA, S.SCHEMA),
    ("db/migrations/7.sql", "+VACUUM FULL orders;", K.LOCKING_MIGRATION, S.LATENCY),
]


@pytest.mark.parametrize(("path", "diff", "kind", "symptom"), MIGRATIONS)
def test_a_migration_that_locks_breaks_or_takes_an_index_away_is_told(
    path: str, diff: str, kind: EffectKind, symptom: SymptomKind
) -> None:
    effect = next(effect for effect in read(path, f"@@ -0,0 +1,4 @@\n{diff}").effects if effect.kind is kind)

    assert effect.strength >= 0.45
    assert symptom in effect.causes | effect.causes_in_callees


HARMLESS_MIGRATIONS = [
    ("db/migrations/7.sql", "+CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_user\n+  ON orders (user_id);"),
    (
        "db/migrations/7.sql",
        "+CREATE TABLE refunds (id bigint PRIMARY KEY, note text);\n+CREATE INDEX idx_refunds_note ON refunds (note);",
    ),
    ("db/migrations/7.sql", "+ALTER TABLE orders ADD COLUMN note text;"),
    ("db/migrations/7.up.sql", "+SET lock_timeout = '2s';\n+CREATE INDEX CONCURRENTLY idx_a ON orders (a);"),
]


@pytest.mark.parametrize(("path", "diff"), HARMLESS_MIGRATIONS)
def test_a_migration_that_only_adds_without_a_lock_explains_nothing(path: str, diff: str) -> None:
    reading = read(path, f"@@ -0,0 +1,4 @@\n{diff}")

    assert reading.is_inert
    assert reading.inert_because.startswith("only adds")


def test_the_way_back_of_a_migration_does_not_run() -> None:
    diff = """
    @@ -0,0 +1,6 @@
    +def upgrade():
    +    op.create_index('idx_a', 'orders', ['a'], postgresql_concurrently=True)
    +def downgrade():
    +    op.drop_index('idx_a')
    +    op.drop_column('orders', 'a')
    """
    reading = read("alembic/versions/8.py", diff)

    assert strength_of(reading, K.INDEX_REMOVED) == 0
    assert strongest(reading) <= 0.2
