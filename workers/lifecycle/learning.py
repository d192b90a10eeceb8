"""Store a knowledge entry for a resolved incident, for similar incidents later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integrations.wording import plain
from storage import knowledge
from workers.telling.incident_view import IncidentView
from workers.words.measures import in_words


def store_knowledge_entry(
    session: Session, view: IncidentView, *, fix: str, measures: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Store the incident's symptom, root cause, fix and measured recovery."""
    knowledge.remember(
        session,
        view.incident.id,
        symptom=view.incident.title,
        root_cause=plain(view.diagnosis.root_cause or "") if view.diagnosis is not None else "",
        fix=fix,
        recovery=in_words(measures),
        now=now,
    )
