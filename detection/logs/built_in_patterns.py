"""Built-in named patterns: the common failures, in the words of runtimes, libraries and databases."""

from __future__ import annotations

from detection.logs.patterns import NamedPattern
from detection.types import Severity

_MEMORY = (
    r"(?i)\bout of memory\b|\boom[-_ ]?kill|\bOutOfMemory(?:Error|Exception)?\b|\bMemoryError\b|\bENOMEM\b"
    r"|cannot allocate memory|(?:memory|heap|GC overhead) (?:limit|space) exceeded|java heap space|heap out of memory"
    r"|memory allocation (?:of \d+ bytes )?failed|\bbad_alloc\b"
)
_CONNECTION = (
    r"(?i)connection (?:was )?(?:refused|reset|aborted|closed unexpectedly|timed out|timeout)|connect timed out"
    r"|\bE(?:CONN(?:REFUSED|RESET|ABORTED)|TIMEDOUT|HOSTUNREACH|NETUNREACH|PIPE)\b|broken pipe|no route to host"
    r"|network is unreachable|(?:failed|unable) to connect|could not connect|name or service not known"
    r"|temporary failure in name resolution|\bENOTFOUND\b|socket hang up|i/o timeout"
    r"|TLS handshake (?:error|failed|timeout)"
)
_DISK = (
    r"(?i)no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b|read-only file ?system"
    r"|\bEROFS\b|input/output error|\bI/O error\b|not enough (?:disk )?space|low disk space"
    # The words after it distinguish a full disk from a "disk full check".
    r"|\b(?:disk|file ?system) (?:is )?full(?:\s*$|\s*[^\w\s-]|\s+-|\s+(?:on|at|in|for|while|when|during|and|error)\b)"
)
_SERVICE_UNAVAILABLE = (
    r"(?i)(?:service|upstream) (?:is )?(?:temporarily |currently )?unavailable|\bServiceUnavailable|bad gateway"
    r"|gateway time-?out"
    # "Resource temporarily unavailable" is EAGAIN: non-blocking code gets it in normal operation and retries.
    r"|(?:^|[^e ]|[^c]e|[^r]ce) ?temporarily unavailable"
    r"|no healthy (?:upstream|backend|host)|upstream (?:timed out|connect error|prematurely closed)"
    r"|circuit[- ]?breaker (?:is )?open|(?:status|code|HTTP/[\d.]+\"?)[\"']?[ =:]{1,3}50[234]\b"
    # The words after it distinguish a status code from a quantity.
    r"|\bHTTP(?: error)?[ =:]{1,3}50[234](?:\s*$|\s*[^\w\s%.]|\.(?:\s|$)"
    r"|\s+(?:service|bad|gateway|error|response|from|for|on|at|in|to|by|after|when|while|and)\b)"
)
_DATABASE = (
    r"(?i)\bdeadlock (?:detected|found)|too many (?:database )?(?:connections|clients)|database is locked"
    r"|could not serialize access|lock wait timeout|(?:statement|query) (?:timeout|timed out)"
    r"|canceling statement due to|\bSQLSTATE\b|\bORA-\d{5}\b|\bSQLException\b"
    r"|(?:Operational|Integrity|Programming|Database)Error\b|duplicate (?:key|entry)|no such table"
    r"|violates (?:unique|foreign key|check|not-null) constraint|relation \"[^\"]*\" does not exist"
    r"|QueuePool limit|connection pool (?:is )?(?:exhausted|full|timed out)"
)

BUILT_IN: tuple[NamedPattern, ...] = (
    NamedPattern("memory", _MEMORY, Severity.SEV2, "A process ran out of memory or was killed for it."),
    NamedPattern("connection", _CONNECTION, Severity.SEV3, "A connection could not be made or broke."),
    NamedPattern("disk", _DISK, Severity.SEV2, "A disk is full, read-only or failing."),
    NamedPattern(
        "service-unavailable", _SERVICE_UNAVAILABLE, Severity.SEV2, "A service that is called does not answer."
    ),
    NamedPattern("database", _DATABASE, Severity.SEV2, "The database refused, timed out or broke a rule of its data."),
)
