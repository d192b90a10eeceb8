"""Ask, within a query, whose an id is and which other ids that person has."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    func,
    or_,
    select,
    union,
)
from sqlalchemy.sql.functions import coalesce

from storage.telemetry.rows.tables import person_ids


def person_of(user_id: Column[str]) -> tuple[coalesce[str], FromClause]:
    """Return the id that stands for the person with this id, and the table joined so that it can be selected."""
    links = person_ids.alias("whose")
    return func.coalesce(links.c.person, user_id), user_id.table.outerjoin(links, links.c.id == user_id)


def ids_of_people(users: Select[tuple[str]], *, since: int, top: int) -> CTE:
    """Return, in the column `id`, these users and all other ids of theirs.

    Likewise those of everybody who got another id by an event above sequence `since` up to `top`.
    """
    new = users.distinct().cte("new_users")
    links = person_ids.c
    people = union(
        select(links.person).where(links.id.in_(select(new.c.user_id))),
        select(links.person).where(links.linked_at > since, links.linked_at <= top),
    ).cte("new_people")
    others = select(links.id).where(links.person.in_(select(people.c.person)))
    return union(select(new.c.user_id.label("id")), others).cte("ids_of_people")


def is_same_person(first: Column[str], second: Column[str]) -> ColumnElement[bool]:
    """Return whether two ids are one person's, in a query on both of their tables."""
    own, others = person_ids.alias("own"), person_ids.alias("others")
    linked = select(others.c.id).join(own, own.c.person == others.c.person).where(own.c.id == second)
    return or_(first == second, first.in_(linked.correlate(second.table)))


def ids_beside(connection: Connection, user_ids: Sequence[str]) -> set[str]:
    """Return all linked ids of the people with these ids."""
    links = person_ids.c
    people = select(links.person).where(links.id.in_(user_ids))
    return set(connection.scalars(select(links.id).where(links.person.in_(people))))


def person_column(user_id: Column[str]) -> ColumnElement[str]:
    """Return the id that stands for the person, as a value of each row of a query."""
    links = person_ids.alias("whose")
    return func.coalesce(select(links.c.person).where(links.c.id == user_id).scalar_subquery(), user_id)
