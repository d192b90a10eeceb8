"""Read whose archived records are, also from files that were written before people could have several ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.telemetry.archive.layout import PERSON

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def with_person(connection: DuckDBPyConnection, source: str, user_id: str, parameters: dict[str, Any]) -> str:
    """Return a SELECT on the source that has PERSON for each row; where it is not known, it is the column `user_id`."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}", parameters).fetchall()  # noqa: S608 - own names
    if PERSON in {name for name, *_ in described}:
        return f"SELECT * REPLACE (coalesce({PERSON}, {user_id}) AS {PERSON}) FROM {source}"  # noqa: S608 - own names
    return f"SELECT *, {user_id} AS {PERSON} FROM {source}"  # noqa: S608 - own names
