"""A small shop: telemetry and commits in memory, incidents in a real SQLite database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from detection.types import (
    DELAY_EDGES_SECONDS,
    DURATION_EDGES_MS,
    QUERY_EDGES,
    ChangedFile,
    Commit,
    EndpointSeries,
    Finding,
    Floats,
    FunnelCells,
    FunnelSeries,
    Integers,
    LogRecord,
    LogSeries,
    Metric,
    Severity,
    Span,
    Subject,
)
from integrations.errors import IntegrationError, NotFoundError
from integrations.protocols import CodeHost
from storage.database.base import Base
from storage.database.session import create_database, sessions
from storage.deploys import record_deploy
from storage.diagnoses import get_diagnosis
from storage.incidents import open_incident, record_finding
from storage.models import Diagnosis
from storage.telemetry.protocol import MetricName, RequestSample, StatementCount, TelemetryStore, Traced
from tests.finding_details import DROP
from workers.diagnosis.account import account, evidence_lines
from workers.diagnosis.citations import numbers_in
from workers.diagnosis.model import DiagnosisOutcome, DiagnosisSources
from workers.diagnosis.pipeline import outcome_of

NOW = datetime(2026, 2, 7, 14, 10, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=8)
STOCK_QUERY = "SELECT stock FROM products WHERE id = ?"
CART_QUERY = "SELECT * FROM carts WHERE user_id = ?"


MakeFinding: TypeAlias = Callable[..., Finding]
MakeCommit: TypeAlias = Callable[..., Commit]


@dataclass(frozen=True)
class Served:
    service: str
    request: RequestSample
    statements: Mapping[str, int]


@dataclass(frozen=True)
class Entry:
    entered_at: float
    converted: bool
    dimensions: Mapping[str, str]


@dataclass
class MemoryTelemetry:
    """The methods of TelemetryStore that the diagnosis reads, over two lists."""

    served: list[Served] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    fault: Exception | None = None

    def _between(self, service: str, since: float, until: float) -> Iterator[Served]:
        if self.fault:
            raise self.fault
        return (item for item in self.served if item.service == service and since <= item.request.started_at < until)

    def request_samples(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 500
    ) -> Sequence[RequestSample]:
        found = [item.request for item in self._between(service, since, until) if item.request.endpoint == endpoint]
        return sorted(found, key=lambda request: -request.started_at)[:limit]

    def statement_counts(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 20
    ) -> Sequence[StatementCount]:
        found = [item for item in self._between(service, since, until) if item.request.endpoint == endpoint]
        runs: Counter[str] = Counter()
        for item in found:
            runs.update(item.statements)
        return [StatementCount(text, count, count / len(found)) for text, count in runs.most_common(limit)]

    def versions_seen(self, service: str, *, since: float, until: float) -> Sequence[tuple[str, float]]:
        first: dict[str, float] = {}
        for item in self._between(service, since, until):
            version, at = item.request.version, item.request.started_at
            if version:
                first[version] = min(at, first.get(version, at))
        return sorted(first.items(), key=lambda pair: pair[1])

    def endpoint_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        endpoints: Sequence[tuple[str, str]] | None = None,
    ) -> Sequence[EndpointSeries]:
        together: dict[tuple[str, str], dict[float, list[RequestSample]]] = defaultdict(lambda: defaultdict(list))
        for item in self.served:
            wanted = endpoints is None or (item.service, item.request.endpoint) in endpoints
            if wanted and since <= item.request.started_at < until:
                bucket = item.request.started_at // bucket_seconds * bucket_seconds
                together[item.service, item.request.endpoint][bucket].append(item.request)
        return [_endpoint_series(service, endpoint, buckets) for (service, endpoint), buckets in together.items()]

    def metric_names(self, *, limit: int = 100) -> Sequence[MetricName]:
        return self._nothing()

    def log_series(
        self, *, since: float, until: float, bucket_seconds: int, kind: str | None = None
    ) -> Sequence[LogSeries]:
        return self._nothing()

    def log_samples(self, *, since: float, until: float, minimum_severity: str, limit: int) -> Sequence[LogRecord]:
        """Keep no raw lines."""
        return ()

    def traced_between(self, *, since: float, until: float, most_spans: int) -> Traced:
        """Keep no raw spans."""
        return Traced((), (), 1.0)

    def traces(self, *, since: float, until: float, limit: int = 300) -> Sequence[Sequence[Span]]:
        return self._nothing()

    def _nothing(self) -> list[Any]:
        if self.fault:
            raise self.fault
        return []

    def funnel_series(
        self, funnel_id: int, *, since: float, until: float, bucket_seconds: int
    ) -> Sequence[FunnelSeries]:
        entries = [entry for entry in self.entries if since <= entry.entered_at < until]
        segments = sorted({pair for entry in entries for pair in entry.dimensions.items()})
        return [
            _funnel_series(funnel_id, None, None, entries, bucket_seconds),
            *(
                _funnel_series(
                    funnel_id,
                    dimension,
                    value,
                    [entry for entry in entries if entry.dimensions.get(dimension) == value],
                    bucket_seconds,
                )
                for dimension, value in segments
            ),
        ]

    def funnel_cells(self, funnel_id: int, *, since: float, until: float, bucket_seconds: int) -> FunnelCells:
        cells: dict[tuple[tuple[str, str], ...], list[bool]] = defaultdict(list)
        for entry in self.entries:
            if since <= entry.entered_at < until:
                cells[tuple(entry.dimensions.items())].append(entry.converted)
        by_delay = np.zeros((len(cells), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
        by_delay[:, 5] = [sum(converted) for converted in cells.values()]
        entries = np.array([len(converted) for converted in cells.values()], dtype=np.int64)
        return FunnelCells(funnel_id, tuple(map(dict, cells)), entries, by_delay)


def _endpoint_series(service: str, endpoint: str, buckets: Mapping[float, list[RequestSample]]) -> EndpointSeries:
    starts = sorted(buckets)
    durations = [[request.duration_ms for request in buckets[start]] for start in starts]
    queries = [[request.query_count for request in buckets[start]] for start in starts]
    return EndpointSeries(
        service=service,
        endpoint=endpoint,
        bucket_starts=np.array(starts, dtype=np.float64),
        request_count=np.array([len(row) for row in durations], dtype=np.int64),
        error_count=np.array([sum(request.is_error for request in buckets[start]) for start in starts]),
        query_sum=np.array([sum(row) for row in queries], dtype=np.int64),
        duration_histogram=np.array([_histogram(row, DURATION_EDGES_MS) for row in durations], dtype=np.int64),
        query_histogram=np.array([_histogram(row, QUERY_EDGES) for row in queries], dtype=np.int64),
    )


def _histogram(values: Sequence[float], edges: Floats | Integers) -> Integers:
    return np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)


def _funnel_series(
    funnel_id: int, dimension: str | None, value: str | None, entries: Sequence[Entry], bucket_seconds: int
) -> FunnelSeries:
    buckets: dict[float, list[Entry]] = defaultdict(list)
    for entry in entries:
        buckets[entry.entered_at // bucket_seconds * bucket_seconds].append(entry)
    starts = sorted(buckets)
    converted = [sum(entry.converted for entry in buckets[start]) for start in starts]
    by_delay = np.zeros((len(starts), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
    by_delay[:, 5] = converted
    entered = [len(buckets[start]) for start in starts]
    return FunnelSeries(
        funnel_id=funnel_id,
        dimension=dimension,
        value=value,
        bucket_starts=np.array(starts, dtype=np.float64),
        entries=np.array(entered, dtype=np.int64),
        reached=np.array([entered, converted], dtype=np.int64).T.reshape(len(starts), 2),
        converted_by_delay=by_delay,
    )


@dataclass
class MemoryCodeHost:
    """`commits_between` over a list of commits, oldest first; each call first raises the next of `faults`, if any."""

    commits: list[Commit] = field(default_factory=list)
    faults: list[IntegrationError] = field(default_factory=list)
    asked: int = 0
    before_answer: Callable[[], None] = lambda: None

    def commits_between(self, repository: str, base_sha: str | None, head_sha: str) -> tuple[Commit, ...]:
        self.asked += 1
        self.before_answer()
        if self.faults:
            raise self.faults.pop(0)
        shas = [commit.sha for commit in self.commits]
        if repository != "acme/shop" or head_sha not in shas:
            raise NotFoundError("GitHub", f"{repository} has no commit {head_sha}")
        head = shas.index(head_sha)
        start = shas.index(base_sha) + 1 if base_sha in shas else head
        return tuple(self.commits[start : head + 1])


def a_commit(sha: str, message: str, path: str, patch: str, author: str = "Mia") -> Commit:
    file = ChangedFile(path=path, status="modified", additions=1, deletions=0, patch=patch)
    return Commit(
        sha=sha,
        parent_sha=None,
        author=author,
        committed_at=0.0,
        message=message,
        url=f"http://127.0.0.1/github/acme/shop/commit/{sha}",
        files=(file,),
    )


@dataclass
class Shop:
    """The surroundings of a test: requests served, funnel entries, deploys and incidents."""

    sessions: sessionmaker[Session]
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    code_host: MemoryCodeHost = field(default_factory=MemoryCodeHost)
    waits: list[float] = field(default_factory=list)

    def sources(self) -> DiagnosisSources:
        return DiagnosisSources(
            sessions=self.sessions,
            telemetry=cast(TelemetryStore, self.telemetry),
            code_host=cast(CodeHost, self.code_host),
            clock=lambda: NOW,
            wait=self.waits.append,
        )

    def serve(
        self,
        endpoint: str,
        version: str,
        *,
        since: datetime,
        until: datetime,
        duration_ms: float = 80.0,
        statements: Mapping[str, int] | None = None,
        every_seconds: float = 6.0,
    ) -> None:
        """Serve requests at an even rate; their durations vary by 10 % around `duration_ms`."""
        runs = dict(statements or {CART_QUERY: 1})
        at, count = since.timestamp(), 0
        while at < until.timestamp():
            request = RequestSample(
                trace_id=f"{endpoint}-{at}",
                endpoint=endpoint,
                version=version,
                started_at=at,
                duration_ms=duration_ms * (0.9 + 0.02 * (count * 7 % 10)),
                query_count=sum(runs.values()),
                is_error=False,
            )
            self.telemetry.served.append(Served("shop", request, runs))
            at, count = at + every_seconds, count + 1

    def enter_funnel(self, *, since: datetime, until: datetime, rates: Mapping[str, float], every: float = 2.0) -> None:
        """Add entries at an even rate, by payment method in turn; `rates` holds the conversion rate of each method."""
        at, count = since.timestamp(), 0
        while at < until.timestamp():
            method = list(rates)[count % len(rates)]
            converted = (count // len(rates)) % 10 < round(10 * rates[method])
            country = ("DE", "FR", "PL")[count // 20 % 3]
            self.telemetry.entries.append(Entry(at, converted, {"payment_method": method, "country": country}))
            at, count = at + every, count + 1

    def deploy(self, sha: str, at: datetime, *, service: str = "shop") -> None:
        with self.sessions.begin() as session:
            record_deploy(
                session,
                service=service,
                version=sha,
                commit_sha=sha,
                repository="acme/shop",
                deployed_at=at,
                deployed_by="deployer",
                now=at,
            )

    def incident(self, *findings: Finding) -> int:
        with self.sessions.begin() as session:
            incident = open_incident(
                session,
                title="Checkout is broken",
                severity=Severity.SEV2,
                service="shop" if any(item.subject.service for item in findings) else None,
                onset_at=ONSET,
                now=NOW,
            )
            for finding in findings:
                record_finding(session, incident, finding, now=NOW)
            return incident.id


def a_finding(metric: Metric, observed: float, expected: float, **details: Any) -> Finding:
    """Make a finding about POST /checkout, or about the funnel Purchase for a conversion rate."""
    funnel = metric is Metric.CONVERSION_RATE
    subject = (
        Subject("funnel", "Purchase", funnel_id=1)
        if funnel
        else Subject("endpoint", "POST /checkout", service="shop", endpoint="POST /checkout")
    )
    return Finding(
        detector="funnel_conversion" if funnel else "endpoint_latency",
        metric=metric,
        subject=subject,
        observed=observed,
        expected=expected,
        expected_low=expected * 0.9,
        expected_high=expected * 1.1,
        sample_size=480,
        score=8.0,
        p_value=1e-6,
        window_start=(ONSET - timedelta(minutes=20)).timestamp(),
        window_end=NOW.timestamp(),
        onset_at=ONSET.timestamp(),
        details=replace(
            DROP, onset_low=ONSET.timestamp(), onset_high=ONSET.timestamp(), horizon_seconds=30.0, **details
        )
        if funnel
        else None,
    )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("empty") / "argux.db"
    engine = create_database(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path.read_bytes()


@pytest.fixture
def engine(tmp_path: Path, empty_database: bytes) -> Iterator[Engine]:
    path = tmp_path / "argux.db"
    path.write_bytes(empty_database)
    engine = create_database(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(sessions(engine))


N_PLUS_ONE_PATCH = """@@ -40,6 +40,14 @@ def checkout(cart_id: int) -> Response:
     items = cart_items(connection, cart_id)
+    for item in items:
+        for warehouse in warehouses:
+            stock = connection.execute(
+                "SELECT stock "
+                f"FROM products WHERE id = {item.product_id}"
+            ).fetchone()
+            if stock is None:
+                raise HTTPException(409)
     return pay(items)
"""
BANNER_PATCH = (
    '@@ -3,2 +3,3 @@ def home() -> Response:\n     page = load("home.html")\n+    page.banner = "Spring sale"\n'
)
README_PATCH = "@@ -1 +1,2 @@\n # Shop\n+The query SELECT stock FROM products WHERE id = ? runs at checkout.\n"


@pytest.fixture
def broken_checkout(shop: Shop) -> Shop:
    """A harmless deploy an hour before the onset, then one of three commits; the middle one adds an N+1 at checkout."""
    shop.code_host.commits = [
        a_commit("1" * 40, "Start", "app.py", BANNER_PATCH),
        a_commit("2" * 40, "Greet in the header", "header.py", BANNER_PATCH),
        a_commit("a" * 40, "Add a spring banner", "home.py", BANNER_PATCH, author="Ben"),
        a_commit("b" * 40, "Show live stock at checkout", "shop/checkout.py", N_PLUS_ONE_PATCH),
        a_commit("c" * 40, "Say more in the README", "README.md", README_PATCH, author="Cem"),
    ]
    usual = {CART_QUERY: 4}
    hour_before = ONSET - timedelta(minutes=60)
    shop.deploy("1" * 40, ONSET - timedelta(days=3))
    shop.deploy("2" * 40, hour_before)
    shop.deploy("c" * 40, ONSET - timedelta(seconds=15))
    for endpoint in ("POST /checkout", "GET /", "GET /cart"):
        shop.serve(endpoint, "1" * 40, since=hour_before - timedelta(minutes=10), until=hour_before, statements=usual)
        shop.serve(endpoint, "2" * 40, since=hour_before, until=ONSET, statements=usual)
    shop.serve("GET /", "c" * 40, since=ONSET, until=NOW, statements=usual)
    shop.serve("GET /cart", "c" * 40, since=ONSET, until=NOW, statements=usual)
    runs = {CART_QUERY: 4, STOCK_QUERY: 120}
    shop.serve("POST /checkout", "c" * 40, since=ONSET, until=NOW, duration_ms=2400, statements=runs)
    return shop


Answered: TypeAlias = Callable[[Shop, DiagnosisOutcome], Diagnosis]


@pytest.fixture
def answered() -> Answered:
    """Load the stored diagnosis of an outcome, and assert that each of its sentences cites existing evidence."""

    def read(shop: Shop, outcome: DiagnosisOutcome) -> Diagnosis:
        with shop.sessions() as session:
            diagnosis = get_diagnosis(session, outcome.diagnosis_id)
            known = {item.number for item in diagnosis.evidence}
            assert known == set(range(1, len(known) + 1))
            assert outcome.explanation
            for sentence in outcome.explanation:
                assert set(numbers_in(sentence)) <= known
                assert numbers_in(sentence)
            assert outcome_of(diagnosis) == outcome
            assert {item.key: item.posterior for item in diagnosis.hypotheses} == {
                item.key: item.posterior for item in outcome.hypotheses
            }
            assert account(diagnosis)[: len(outcome.explanation)] == list(outcome.explanation)
            assert len(evidence_lines(diagnosis)) == len(known)
            return diagnosis

    return read


CHECKOUT_FINDINGS = (
    a_finding(Metric.QUERY_COUNT, 124.0, 4.0),
    a_finding(Metric.LATENCY_P95, 2400.0, 90.0),
    a_finding(Metric.CONVERSION_RATE, 0.41, 0.62, step="paid"),
)


@pytest.fixture
def checkout_incident(broken_checkout: Shop) -> int:
    return broken_checkout.incident(*CHECKOUT_FINDINGS)


@pytest.fixture
def find() -> MakeFinding:
    """Make a finding: metric, observed, expected, details."""
    return a_finding


@pytest.fixture
def commit() -> MakeCommit:
    """Make a commit of one file: sha, message, path, patch, author."""
    return a_commit
