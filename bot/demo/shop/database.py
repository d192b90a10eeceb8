"""The shop's tables and transactions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from .catalogue import products

ROUND_TRIP_SECONDS = 0.008
"""Added to every statement. This small shop keeps its tables in a file; a real one queries a server in another zone,
where every statement waits for a network round trip."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL, stock INTEGER NOT NULL,
    popularity INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, country TEXT NOT NULL, device TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cart_lines (user_id TEXT NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, total_cents INTEGER NOT NULL, payment_method TEXT NOT NULL,
    status TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS cart_lines_user ON cart_lines (user_id);
CREATE INDEX IF NOT EXISTS products_popularity ON products (popularity);
"""


class RemoteCursor(sqlite3.Cursor):
    """A cursor with the latency of a remote database server."""

    def execute(self, sql: str, parameters: Any = (), /) -> RemoteCursor:
        time.sleep(ROUND_TRIP_SECONDS)
        super().execute(sql, parameters)
        return self


class RemoteConnection(sqlite3.Connection):
    """A connection whose cursors have that latency."""

    def cursor(self, factory: Any = RemoteCursor) -> Any:
        return super().cursor(factory)


def prepare(path: Path) -> None:
    """Create the tables and insert the catalogue, unless they exist."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        connection.executemany(
            "INSERT OR IGNORE INTO products VALUES (?, ?, ?, ?, ?)",
            [(item.sku, item.name, item.price_cents, item.stock, item.popularity) for item in products()],
        )


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Cursor]:
    """Yield a cursor in a transaction: commit when the block succeeds, roll back when it raises."""
    with closing(sqlite3.connect(path, factory=RemoteConnection)) as connection, connection:
        yield connection.cursor()
