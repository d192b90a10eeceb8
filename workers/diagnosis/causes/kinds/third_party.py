"""A third party is down: calls to its hosts fail, and its status feed says so."""

from __future__ import annotations

from collections.abc import Iterator

from detection.chain import LineGroup
from detection.symptoms import symptoms_of_text
from detection.symptoms.metric_names import split_words
from detection.types import ProviderStatus, SymptomKind
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.hosts import company_of, outside_hosts
from workers.diagnosis.causes.kinds.credential import tells_of_a_credential
from workers.diagnosis.causes.lines import bad_lines, come_as_often, lines_in_all, share_of_bad
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence, Hypothesis, Outcome, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import counted, percent, quoted

CAUSE = "third_party"
BEFORE_SECONDS, AFTER_SECONDS = 1800.0, 900.0
"""How long before and after the onset a provider's incident may be said to have begun: feeds are written by hand."""

_OUTSIDE_WORDS = frozenset(
    ("provider", "psp", "external", "thirdparty", "third", "vendor", "partner", "gateway_provider")
)

_FAILS = frozenset(
    (
        SymptomKind.ERRORS,
        SymptomKind.TIMEOUTS,
        SymptomKind.NETWORK,
        SymptomKind.THROTTLED,
        SymptomKind.LATENCY,
        SymptomKind.CLIENT_ERRORS,
    )
)

_REFUSES = frozenset((SymptomKind.AUTHENTICATION,))
"""A refusal may be the provider's fault or that of what it was sent: its feed decides."""


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for each company whose hosts failing calls name, or whose feed tells of an incident."""
    groups = _by_company(observed)
    statuses = {company_of_status(status): status for status in observed.scene.statuses if _is_near(status, observed)}
    for company in sorted(groups.keys() | statuses.keys()):
        lines, status = groups.get(company, []), statuses.get(company)
        if not lines and status is not None and not _is_called(status, observed):
            continue
        if status is None and lines and all(tells_of_a_credential(group.text) for group in lines):
            # The provider is well, and says what it does not accept.
            continue
        key = f"{CAUSE}:{company}"
        hypothesis = Hypothesis(
            key=key,
            cause=CAUSE,
            role=Role.ORIGIN,
            statement=ours("{company}, a third party, is down or fails.", company=quoted(company, 60)),
            prior=weights.THIRD_PARTY_PRIOR,
            service=lines[0].part if lines else None,
        )
        checks = [
            _failing_calls(key, lines, observed, is_told=status is not None),
            _measured(key, observed),
            _feed(key, company, status, observed),
        ]
        yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def _by_company(observed: Observed) -> dict[str, list[LineGroup]]:
    found: dict[str, list[LineGroup]] = {}
    for group in bad_lines(observed):
        kinds = symptoms_of_text(group.text)
        if kinds and (not kinds & (_FAILS | _REFUSES) or SymptomKind.CERTIFICATE in kinds):
            continue
        companies = {company_of(host) for host in outside_hosts(group.text, observed.parts)}
        for company in sorted(companies or _told_of(group.text, observed)):
            found.setdefault(company, []).append(group)
    return found


def _told_of(text: str, observed: Observed) -> set[str]:
    """Return the companies that a line without a host names, and whose feed tells of an incident at the time."""
    told = {company_of_status(status) for status in observed.scene.statuses if _is_near(status, observed)}
    words = split_words(text)
    return {company for company in told if company in words}


def _is_refusal(text: str) -> bool:
    return bool(symptoms_of_text(text) & _REFUSES)


def company_of_status(status: ProviderStatus) -> str:
    """Return the company of a status feed, in the same form as that of a host."""
    hosts = [host.split("/")[0] for host in status.hosts if "." in host]
    return company_of(hosts[0].lower()) if hosts else status.provider.lower()


def _is_near(status: ProviderStatus, observed: Observed) -> bool:
    earliest, latest = observed.onset
    began_in_time = status.began_at <= latest + AFTER_SECONDS
    return began_in_time and (status.ended_at is None or status.ended_at >= earliest - BEFORE_SECONDS)


def _is_called(status: ProviderStatus, observed: Observed) -> bool:
    """Whether the system is known to call this provider: by the service map, or by a line of a part in trouble."""
    company = company_of_status(status)
    if any(company in edge.callee.lower() for edge in observed.scene.edges):
        return True
    hosts = (
        host
        for group in observed.scene.lines
        if group.part in observed.involved()
        for host in outside_hosts(group.text, observed.parts)
    )
    return any(company_of(host) == company for host in hosts)


def _failing_calls(key: str, lines: list[LineGroup], observed: Observed, *, is_told: bool) -> Evidence | None:
    if not lines:
        return None
    share = share_of_bad(lines, observed)
    count = lines_in_all(lines)
    example = max(lines, key=lambda group: group.count)
    result = ours(
        "{count} of {part} say that calls to it fail, such as “{text}”: {share} of its new error lines.",
        count=counted(count, "line"),
        part=quoted(example.part, 60),
        text=quoted(example.text, 120),
        share=percent(share),
    )
    only_refused = not is_told and all(_is_refusal(group.text) for group in lines)
    weight = (
        weights.CALLS_TO_IT_FAIL
        if come_as_often(lines, observed) and not only_refused
        else weights.SOME_CALLS_TO_IT_FAIL
    )
    return evidence("failing_calls", key, result, weight, source="logs", data={"share": share, "lines": count})


def _measured(key: str, observed: Observed) -> Evidence | None:
    """Check whether a metric about calls to the outside, by its name, is among the first signs."""
    signs = [
        sign
        for part in sorted(observed.involved())
        for sign in observed.first_signs(part)
        if sign.source == "metric" and split_words(sign.text) & _OUTSIDE_WORDS
    ]
    if not signs:
        return None
    result = ours(
        "“{metric}” of {part} left its course among the first.",
        metric=quoted(signs[0].text, 80),
        part=quoted(signs[0].part, 60),
    )
    return evidence("outside_metric", key, result, weights.OUTSIDE_METRIC_FIRST, source="metrics")


def _feed(key: str, company: str, status: ProviderStatus | None, observed: Observed) -> Evidence:
    if status is not None:
        result = ours(
            "Its status feed says “{title}” since {began} ({impact}).",
            title=quoted(status.title, 120),
            began=moment(status.began_at),
            impact=quoted(status.impact or "no impact given", 40),
        )
        near = abs(status.began_at - observed.onset[0]) <= BEFORE_SECONDS
        weight = weights.FEED_TELLS_OF_IT if near else weights.FEED_TELLS_OF_IT / 2
        return evidence("status_feed", key, result, weight, source="status feeds", data={"id": status.status_id})
    known = [item for item in observed.scene.statuses if company_of_status(item) == company]
    if known:
        result = ours("Its status feed tells of no incident at this time.")
        return evidence("status_feed", key, result, weights.FEED_TELLS_OF_NONE, source="status feeds")
    result = ours("Its status feed is not connected, so what it says is not known.")
    return evidence("status_feed", key, result, 0.0, source="status feeds", outcome=Outcome.NO_DATA)
