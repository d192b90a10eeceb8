"""Work that a transaction does last: after all its other writes, right before its commit."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

_KEY = "argux: work before the commit"

Work = Callable[[Session], None]


def before_commit(session: Session, work: Work) -> None:
    """Run `work(session)` right before the commit, in the order of these calls; never after a rollback."""
    session.info.setdefault(_KEY, []).append(work)


@event.listens_for(Session, "before_commit")
def _run(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.get(_KEY):
        return
    session.flush()
    for work in session.info.pop(_KEY):
        work(session)


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, previous: SessionTransaction) -> None:
    if previous.parent is None:
        session.info.pop(_KEY, None)
