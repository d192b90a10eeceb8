"""A credential expired or was revoked: a token, a password, a key or a licence that others refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import is_news, share_of_bad
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import counted, percent, quoted

CAUSE = "credential"
_REFUSED = re.compile(
    r"(?:access|service|client|api|refresh|iam|vault|aws|oauth|bearer|machine)?[ _-]?"
    r"(?:token|credential|password|secret|api.?key|licen[cs]e|lease|service account)s?\b.{0,40}"
    r"\b(?:expired|revoked|no longer valid|has been disabled|rotated)|"
    r"\b(?:expired|revoked)\b.{0,20}\b(?:token|credential|password|secret|api.?key|licen[cs]e|lease)|"
    r"ExpiredToken|password authentication failed|InvalidClientTokenId",
    re.IGNORECASE,
)
_CERTIFICATE = re.compile(r"certificate|x509|tls", re.IGNORECASE)


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion if new lines of this incident's parts say that a credential is refused."""
    involved = observed.involved()
    lines = [
        group
        for group in observed.scene.lines
        if _REFUSED.search(group.text) and not _CERTIFICATE.search(group.text)
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
        count=counted(round(sum(group.count for group in lines)), "line"),
        text=quoted(example.text, 140),
        share=percent(share),
    )
    weight = weights.CREDENTIAL_REFUSED if share >= 0.5 else weights.CREDENTIAL_REFUSED / 3
    yield Suspicion(hypothesis, (evidence("refused_lines", CAUSE, result, weight, source="logs"),))
