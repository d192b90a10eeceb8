"""Persistent storage of the workspace: JSON documents in one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

Record = TypeVar("Record", bound=BaseModel)


class Store:
    """Documents by collection and key, in the order of their first put. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS documents ("
            "position INTEGER PRIMARY KEY, collection TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,"
            "UNIQUE (collection, key))"
        )

    def put(self, collection: str, key: str, record: BaseModel) -> None:
        """Insert or replace one document."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO documents (collection, key, body) VALUES (?, ?, ?)"
                " ON CONFLICT (collection, key) DO UPDATE SET body = excluded.body",
                (collection, key, record.model_dump_json()),
            )

    def delete(self, collection: str, key: str) -> None:
        """Delete one document, if it exists."""
        with self._lock:
            self._connection.execute("DELETE FROM documents WHERE collection = ? AND key = ?", (collection, key))

    def read(self, collection: str, model: type[Record]) -> list[Record]:
        """Return a whole collection, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT body FROM documents WHERE collection = ? ORDER BY position", (collection,)
            ).fetchall()
        return [model.model_validate_json(body) for (body,) in rows]

    def close(self) -> None:
        """Close the file. All documents are stored already."""
        with self._lock:
            self._connection.close()
