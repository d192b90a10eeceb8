"""What a log line, an alert's text or an event's message says is wrong, and which services or hosts it names.

The text is untrusted: it is searched for words, never believed to be more than a line that something wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from detection.types import SymptomKind

_LONGEST = 2000

_PATTERNS: Sequence[tuple[SymptomKind, str]] = (
    (
        SymptomKind.CERTIFICATE,
        r"x509|certificate (?:has )?(?:expired|is not|verify|unknown)|"
        r"cert(?:ificate)?\b.{0,40}\b(?:expir\w*|invalid|notafter)|"
        r"tls:? .{0,30}(?:handshake|bad certificate|expired)|ssl.{0,12}(?:error|handshake|expired)|pkix|notafter",
    ),
    (
        SymptomKind.AUTHENTICATION,
        r"\b401\b|\b403\b|unauthori[sz]ed|not authori[sz]ed|unauthenticated|permission ?denied|"
        r"access ?denied|forbidden|"
        r"(?:token|credential|password|secret|(?:api|access|auth|signing).?key|session)s?\b.{0,30}"
        r"\b(?:expired|invalid|revoked|rejected)|"
        r"(?:invalid|expired|revoked) (?:token|credential|(?:api|access|auth|signing).?key|signature)|"
        r"login failed|authentication fail|no key matches|unknown (?:signing )?key|signature verification fail",
    ),
    (
        SymptomKind.NAME_LOOKUP,
        r"no such host|nxdomain|servfail|name resolution|could not resolve|getaddrinfo|enotfound|eai_again|"
        r"unknownhost|dns (?:lookup|timeout|fail)|lookup .{1,80}(?:timeout|no such|server misbehaving|i/o)",
    ),
    (
        SymptomKind.NETWORK,
        r"network (?:is )?unreachable|no route to host|host unreachable|packet loss|connection reset|econnreset|"
        r"broken pipe|epipe|link down|partition(?:ed)? from|i/o timeout",
    ),
    (
        SymptomKind.CONNECTIONS,
        r"too many (?:connections|clients)|connection (?:pool|slots?)|"
        r"pool (?:is )?(?:exhausted|saturated|timeout|usage|empty)|"
        r"(?:acquir|obtain|check(?:ing)? ?out|waiting for)\w* .{0,30}connection|"
        r"no (?:free |available )?connections?\b|"
        r"clients? (?:start(?:ed)? |are )?waiting|query_wait_timeout|waiting for a (?:server|backend)|"
        r"remaining connection|max_?connections|maxconnections|connection limit|queuepool|hikaripool|"
        r"pool_?size|connections? ?[= :] ?\S{1,12}/\d+",
    ),
    (
        SymptomKind.FILE_HANDLES,
        r"too many open files|emfile|enfile|file descriptors?|descriptors? (?:not closed|leak|exhaust)|"
        r"open_?fds?\b",
    ),
    (
        SymptomKind.THREADS,
        r"(?:thread|worker|executor) ?pool|rejectedexecution|unable to create (?:new )?native thread|"
        r"thread starvation|"
        r"no (?:idle|free|available) (?:threads|workers)|goroutine leak",
    ),
    (
        SymptomKind.DISK,
        r"no space left|enospc|disk (?:is )?(?:full|pressure|quota|usage)|diskpressure|"
        r"filesystem (?:is )?full|read-only file system|"
        r"inodes?\b.{0,20}exhaust|wal .{0,20}full|volume .{0,20}full",
    ),
    (
        SymptomKind.MEMORY,
        r"out of memory|outofmemory|oom[- ]?kill\w*|\boom\b|memory ?pressure|cannot allocate|"
        r"heap (?:space|exhaust|limit)|"
        r"memory (?:limit|usage|leak)|evicted.{0,60}memory",
    ),
    (SymptomKind.GARBAGE_COLLECTION, r"\bgc\b.{0,40}(?:pause|overhead|ms|stop)|stop-the-world|garbage collect|full gc"),
    (
        SymptomKind.CPU,
        r"cpu (?:pressure|saturat\w*|throttl\w*|pegged|usage)|load average|server overloaded|"
        r"overloaded, shedding|shedding load",
    ),
    (
        SymptomKind.THROTTLED,
        r"\b429\b|rate.?limit|throttl|too many requests|over (?:the )?(?:rate )?limit|over_limit|"
        r"quota (?:exceeded|exhausted)|slow ?down",
    ),
    (
        SymptomKind.LOCKS,
        r"deadlock|lock (?:wait|timeout|contention)|waiting for .{0,20}lock|could not obtain lock|"
        r"(?:global|table|exclusive) lock|mutex|blocked by",
    ),
    (
        SymptomKind.SCHEMA,
        r"(?:column|relation|table|field) [\"'`]?[\w.]+[\"'`]? (?:does not|doesn't) exist|unknown column|"
        r"undefined (?:column|table)|"
        r"no such (?:column|table)|schema (?:mismatch|version|drift|incompatib)|"
        r"violates (?:not-null|check|foreign|unique)|"
        r"missing column|migration (?:failed|error)|incompatible schema",
    ),
    (
        SymptomKind.DECODING,
        r"unmarshal|deseriali[sz]\w*|seriali[sz]ation|json(?:decode|parse|mapping|syntax)|"
        r"unexpected token|invalid character|"
        r"parse error|(?:cannot|could not|can't|unable to|failed to) (?:parse|decode)|decode error|unknown field|"
        r"unexpected end of (?:json|file|input|stream|data)|"
        r"missing (?:required )?field|malformed|"
        r"invalid (?:json|payload|enum|wire)|protobuf|avro",
    ),
    (
        SymptomKind.BAD_DATA,
        r"poison|dead.?letter|\bdlq\b|corrupt|invalid (?:record|row|value|amount|data)|"
        r"bad (?:record|row|data)|constraint",
    ),
    (
        SymptomKind.CRASH,
        r"\bpanic\b|panicked|nil pointer|null ?pointer|nullreference|segmentation fault|segfault|sigsegv|"
        r"core dumped|"
        r"unhandled (?:exception|rejection)|fatal error|stack ?overflow|index out of (?:range|bounds)|nil map|"
        r"(?:type|attribute|key|index|reference|runtime|assertion)error|undefined is not|"
        r"cannot read propert|classcast|nosuchmethod|nomethoderror",
    ),
    (
        SymptomKind.RESTARTS,
        r"crashloop|back-?off restarting|restarting (?:failed )?(?:container|pod|worker|process)|"
        r"\brestarted\b|liveness probe|readiness probe|evict(?:ed|ing)",
    ),
    (
        SymptomKind.CACHE_MISSES,
        r"cache (?:miss|expired|evict\w*|stampede|invalidat\w*)|read-through|cache.{0,20}(?:cold|flush)|"
        r"stampede|thundering herd",
    ),
    (SymptomKind.RETRIES, r"\bretry|\bretries|\bretrying|retry storm|retry_count|attempt \d+ ?(?:/|of) ?\d+"),
    (
        SymptomKind.CANCELLED,
        r"context cancell?ed|cancell?ed by (?:the )?client|client (?:closed|disconnected|cancell?ed)|"
        r"\b499\b|request aborted",
    ),
    (
        SymptomKind.TIMEOUTS,
        r"time[d]?[- ]?out|timeout|deadline ?exceeded|exceeded (?:the )?deadline|etimedout|"
        r"exceeded \S{1,12} ?ms|budget exceeded|took too long",
    ),
    (
        SymptomKind.SLOW_QUERIES,
        r"slow (?:query|queries|statement)|statement timeout|seq(?:uential)? scan|full (?:table )?scan|"
        r"query (?:exceeded|took|duration)|missing index|"
        r"select .{0,120}took",
    ),
    (
        SymptomKind.QUEUE,
        r"queue (?:is )?(?:full|depth|saturated|backlog|length)|request queued|queue saturated|backlog|"
        r"watermark .{0,40}behind|falling behind|fell behind|(?:data|features|records|events) .{0,40}too old|"
        r"oldest message|message age|consumer lag|lag growing|partitions? behind|backpressure|queue_wait",
    ),
    (SymptomKind.LATENCY, r"\bslow\b|latency|waiting for .{0,20}lock|slower|slow request|response time|degraded"),
    (
        SymptomKind.CLIENT_ERRORS,
        r"\b4(?:00|04|09|22)\b|validation (?:failed|error)|bad request|not found|unprocessable|rejecting malformed",
    ),
    (
        SymptomKind.ERRORS,
        r"\b50[0-4]\b|\b5xx\b|internal (?:server )?error|service unavailable|bad gateway|"
        r"upstream (?:error|failed|unavailable)|"
        r"\bfail(?:ed|ure|ing)\b|\berror\b|unavailable|connection refused|econnrefused",
    ),
)

_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)


def symptoms_of_text(text: str) -> frozenset[SymptomKind]:
    """Return the kinds of symptom that a line names; none for a line about ordinary work."""
    line = text[:_LONGEST]
    return frozenset(kind for kind, pattern in _COMPILED if pattern.search(line))


_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)


def named_in(text: str, names: Iterable[str]) -> frozenset[str]:
    """Return which of `names` (services, databases, nodes, hosts) the text names as whole words.

    A name may be followed by a port, a path or a pod's ending, as in "cart-7f9c" or "payments.svc:8443".
    """
    known = {name.lower(): name for name in names if name}
    found = set()
    for match in _NAME.finditer(text[:_LONGEST]):
        word = match.group().lower()
        for candidate in _beginnings(word):
            if candidate in known:
                found.add(known[candidate])
                break
    return frozenset(found)


def _beginnings(word: str) -> Iterable[str]:
    """Yield a word and what is left of it when endings after "-" or "." are taken away, longest first."""
    yield word
    for place in range(len(word) - 1, 0, -1):
        if word[place] in "-.":
            yield word[:place]
