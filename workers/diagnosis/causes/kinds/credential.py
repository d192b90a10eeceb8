"""A credential expired or was revoked: a token, a password, a key or a licence that others refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import come_as_often, is_news, lines_in_all, share_of_bad
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.causes.validity import ended_at_the_onset
from workers.diagnosis.model import Evidence, Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import counted, percent, quoted

CAUSE = "credential"
_THING = (
    r"(?:token|credential|password|secret|licen[cs]e|lease|service account|"
    r"(?:api|access|auth|account|signing|subscription|shared|service)[ _-]?key)"
)
_REFUSED = re.compile(
    rf"{_THING}s?\b.{{0,40}}\b(?:expired|revoked|no longer valid|has been disabled|rotated)|"
    rf"\b(?:expired|revoked)\b.{{0,20}}\b{_THING}|"
    r"ExpiredToken|password authentication failed|InvalidClientTokenId",
    re.IGNORECASE,
)
_ENDED = re.compile(r"expired|revoked|no longer valid|ExpiredToken", re.IGNORECASE)
"""No change of the code does that; a wrong one may be refused because of a change."""

_OF_USERS = re.compile(r"\bjwt\b|\bsession|\busers?\b|\bbearer\b|\bid.?token\b|\bkid\b", re.IGNORECASE)
"""Tokens that live for minutes: they expire all the time, and a change may end them too early."""

_NAMED = re.compile(_THING, re.IGNORECASE)
_CERTIFICATE = re.compile(r"certificate|x509|tls", re.IGNORECASE)


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion if new lines of this incident's parts say that a credential is refused."""
    involved = observed.involved()
    lines = [
        group
        for group in observed.scene.lines
        if tells_of_a_credential(group.text)
        # A calm line says that users logged out, or that a lease was renewed in time.
        if group.is_bad and is_news(group) and (not involved or group.part in involved)
    ]
    if not lines:
        return
    example, share = max(lines, key=lambda group: group.count), share_of_bad(lines, observed)
    hypothesis = Hypothesis(
        key=CAUSE,
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("A credential of {part} expired or was revoked.", part=quoted(example.part, 60)),
        prior=weights.CREDENTIAL_PRIOR,
        service=example.part,
    )
    result = ours(
        "{count} say so: “{text}”, {share} of the new error lines there.",
        count=counted(lines_in_all(lines), "line"),
        text=quoted(example.text, 140),
        share=percent(share),
    )
    ended = any(says_ended(group.text) for group in lines)
    full = weights.CREDENTIAL_ENDED if ended else weights.CREDENTIAL_REFUSED
    weight = full if come_as_often(lines, observed) else full / 4
    checks = (evidence("refused_lines", CAUSE, result, weight, source="logs"), _valid_until(observed))
    yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def tells_of_a_credential(text: str) -> bool:
    """Whether a line says that a credential expired, was revoked, or is refused as such."""
    return bool(_REFUSED.search(text)) and not _CERTIFICATE.search(text)


def says_ended(text: str) -> bool:
    """Whether a line says that a credential of a machine ran out or was revoked, and not only that it is refused."""
    return tells_of_a_credential(text) and bool(_ENDED.search(text)) and not _OF_USERS.search(text)


def _valid_until(observed: Observed) -> Evidence | None:
    """Compare the last moment of validity that a line names beside a credential with the onset."""
    texts = [*observed.scene.alert_texts, *(group.text for group in observed.scene.lines)]
    at = ended_at_the_onset((text for text in texts if _NAMED.search(text)), observed)
    if at is None:
        return None
    result = ours("It was valid until {at}, and it began then.", at=moment(at))
    return evidence("valid_until", CAUSE, result, weights.VALID_UNTIL_THE_ONSET, source="validity")
