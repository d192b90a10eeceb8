"""Rows and parts that fail are left out by themselves, and told to whoever collects them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from detection.types import Severity
from storage.database.reading import left_out_into, one_by_itself, readable, together_or_each
from storage.incidents import open_incident
from storage.models import Incident
from tests.unit.storage.test_outbox import NOW


def stored(session: Session, *titles: str) -> None:
    for title in titles:
        open_incident(session, title=title, severity=Severity.SEV2, service=None, onset_at=NOW, now=NOW)


def test_the_rows_beside_one_that_cannot_be_read_come_in_the_order_that_was_asked_for(session: Session) -> None:
    stored(session, "one", "two", "three")
    session.execute(text("UPDATE incidents SET severity = 'huge' WHERE title = 'two'"))
    session.expire_all()
    told: dict[str, Exception] = {}
    with left_out_into(told):
        found = readable(session, select(Incident).order_by(Incident.id.desc()).limit(3))
    assert [row.title for row in found] == ["three", "one"]
    (what,) = told
    assert what.startswith("reading incident ")
    assert str(told[what]).startswith("correct or delete the row ")
    assert "LookupError" in str(told[what])


def test_a_row_that_its_check_refuses_is_left_out(session: Session) -> None:
    stored(session, "one", "two")

    def refuse_two(row: Incident) -> None:
        if row.title == "two":
            raise ValueError("no")

    told: dict[str, Exception] = {}
    with left_out_into(told):
        found = readable(session, select(Incident).order_by(Incident.id), refuse_two)
    assert [row.title for row in found] == ["one"]
    assert len(told) == 1


def test_an_error_of_the_database_is_not_taken_for_a_bad_row(session: Session) -> None:
    def fail(row: Incident) -> None:
        raise OperationalError("SELECT", {}, Exception("the server went away"))

    stored(session, "one")
    with pytest.raises(OperationalError):
        readable(session, select(Incident), fail)


def test_what_fails_together_is_done_one_by_one_without_what_fails_alone() -> None:
    def halves(numbers: Sequence[int]) -> list[float]:
        return [1 / number for number in numbers]

    told: dict[str, Exception] = {}
    with left_out_into(told):
        assert together_or_each([1, 0, 2], halves) == [1.0, 0.5]
    assert list(told) == ["watching 0"]


def test_what_is_left_out_while_nobody_collects_it_is_only_logged() -> None:
    with one_by_itself("nothing"):
        raise ValueError("no")
