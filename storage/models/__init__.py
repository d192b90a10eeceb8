"""The tables of everything but telemetry, whose tables are in `storage.telemetry.rows.tables`.

Times are timezone-aware UTC datetimes; durations carry their unit in their name.
"""

from storage.models.delivery import AuditEntry, Delivery, OutboxJob
from storage.models.incidents import (
    Action,
    Approval,
    Diagnosis,
    Evidence,
    FindingRecord,
    Hypothesis,
    Incident,
    KnowledgeEntry,
    Proposal,
    TimelineEntry,
    Verification,
)
from storage.models.surroundings import (
    Commit,
    FlagChange,
    LogSignature,
    OrchestratorEvent,
    ProviderStatus,
    ServiceEdge,
    ServicePlace,
)
from storage.models.triage import AlertFiring, TriageDecision, TriageWord
from storage.models.watching import (
    Alert,
    ApiKey,
    ArrivalMinute,
    Deploy,
    Funnel,
    LogPattern,
    MaintenanceWindow,
    MetricLimit,
    PullCursor,
)

__all__ = [
    "Action",
    "Alert",
    "AlertFiring",
    "ApiKey",
    "Approval",
    "ArrivalMinute",
    "AuditEntry",
    "Commit",
    "Delivery",
    "Deploy",
    "Diagnosis",
    "Evidence",
    "FindingRecord",
    "FlagChange",
    "Funnel",
    "Hypothesis",
    "Incident",
    "KnowledgeEntry",
    "LogPattern",
    "LogSignature",
    "MaintenanceWindow",
    "MetricLimit",
    "OrchestratorEvent",
    "OutboxJob",
    "Proposal",
    "ProviderStatus",
    "PullCursor",
    "ServiceEdge",
    "ServicePlace",
    "TimelineEntry",
    "TriageDecision",
    "TriageWord",
    "Verification",
]
