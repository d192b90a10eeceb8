"""Which calls leave the process: queries to a database and requests to another service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workers.diagnosis.changes.text.words import word_set, words_of

_SQL = re.compile(
    r"\b(?:select\b.+\bfrom\b|insert\s+into\b|update\s+[\w.\"`]+\s+set\b|delete\s+from\b)|[\"'`]\s*select\s",
    re.IGNORECASE,
)
_CHAIN = re.compile(
    r"((?:[A-Za-z_$@][\w$]*(?:\([^()]*\)|\[[^\[\]]*\])?[!?]?(?:\.|->|::|\?\.|"
    r"&\.))+)([A-Za-z_]\w*)[!?]?\s*(?:<[^<>()]*>|\[\w+\])?\("
)
_RUBY_CHAIN = re.compile(
    r"\b([A-Z]\w+)\.(find|find_by|where|exists|count|first|create|update|find_each|"
    r"pluck)\b(?!\()"
)
_PLAIN = re.compile(
    r"(?<![\w.])(fetch|urlopen|curl_exec|mysqli_query|pg_query|file_get_contents|http_get|call_api|wget)\s*\("
)
_AWAITED = re.compile(r"\bawait\s+([\w.]*?)([A-Za-z_]\w*)\s*(?:<[^<>()]*>)?\(|([\w.]+?)(\w+)\([^()]*\)\.await\b")

_STORES = word_set(
    """
    db database conn connection cursor cur session sess tx txn transaction repo repository dao orm
    objects prisma knex sequelize mongo mongoose collection jdbc entitymanager em sql stmt statement
    redis rdb memcache memcached dynamo dynamodb table queries store datastore model engine pg pdo
    mysql postgres sqlx pgx elastic es records
    """
)
_SERVICES = word_set(
    """
    client clients svc service services api gateway stub grpc http https requests httpx axios rest
    webclient remote provider sdk upstream rpc producer publisher kafka sqs sns s3 bucket smtp
    mailer stripe lambda soap feign blob
    """
)
_CACHES = word_set("cache caches redis rdb memcache memcached")
_READS = word_set(
    """
    query queryrow exec execute get find fetch load lookup list select first one all count scan
    search read resolve retrieve save insert update delete create put upsert post patch send call
    invoke request publish charge do ask submit exists aggregate head propagate enrich check verify
    validate authorize reserve hget mget raw where filter push emit
    """
)
_HARMLESS = word_set(
    """
    close rollback commit next err error string header headers builder build config configure new
    with set timeout register unmarshal marshal encode decode print printf println info debug warn
    log fatal add append len format background todo value withtimeout withcancel sprintf errorf
    handle use method url path param params status json body parse inc observe labels span tracer
    start options getenv env settings context validatestruct isvalid getlogger getheader getheaders
    getname getid getbean getclass getinstance setup
    """
)


@dataclass(frozen=True, slots=True)
class CostlyCall:
    """A call that leaves the process. name: its function; is_query: to a store of data; is_cache: to a cache."""

    name: str
    receiver: str
    is_query: bool
    is_cache: bool = False

    @property
    def key(self) -> str:
        """What two spellings of one call share."""
        return f"{self.receiver}.{self.name}".lower()


def costly_calls(text: str) -> Iterator[CostlyCall]:
    """Yield the calls in a line that leave the process, by the names of what is called and of what it is called on."""
    has_sql = bool(_SQL.search(text))
    seen = set()
    for match in _CHAIN.finditer(text):
        call = _judged(match[1], match[2], text[match.end() : match.end() + 40], has_sql)
        if call is not None and call.key not in seen:
            seen.add(call.key)
            yield call
    for match in _RUBY_CHAIN.finditer(text):
        yield CostlyCall(match[2], match[1], True)
    for match in _PLAIN.finditer(text):
        yield CostlyCall(match[1], "", "query" in match[1])
    if not seen:
        for match in _AWAITED.finditer(text):
            receiver, name = (match[1] or match[3] or "").strip("."), match[2] or match[4]
            if not words_of(name) & (_HARMLESS | {"sleep", "gather", "delay", "all"}):
                yield CostlyCall(name, receiver.rpartition(".")[2], False)
                seen.add(name)
    if has_sql and not seen:
        yield CostlyCall("sql", " ".join(text.split())[:80], True)


def _judged(chain: str, name: str, arguments: str, has_sql: bool) -> CostlyCall | None:
    links = [
        link for link in re.split(r"\.|->|::|\?\.|&\.", re.sub(r"\([^()]*\)|\[[^\[\]]*\]|[!?]", "", chain)) if link
    ]
    if not links:
        return None
    owner = words_of(" ".join(links[-3:])) - {"self", "this"}
    verb = words_of(name)
    if (
        name.lower() in _HARMLESS
        or (verb & _HARMLESS and not verb & _READS)
        or owner & {"log", "logger", "metrics", "span"}
    ):
        return None
    does_input = bool(verb & _READS)
    with_context = bool(
        re.match(r"\s*(?:\w*ctx\b|context\b|r\.Context\(\)|c\.Context\(\)|cancellationToken)", arguments, re.I)
    )
    if owner & {"buf", "buffer", "buffers", "bytes"}:
        return None
    is_store = bool(owner & _STORES) or bool(
        re.search(r"(?:^|\.)(?:query|exec|execute|find_?by|find_?one)", name, re.I)
    )
    is_store = is_store or bool(
        re.fullmatch(r"(?:find_?(?:unique|many|first|all)\w*|get_or_404|queryrow\w*)", name, re.I)
    )
    is_model = links[-1][:1].isupper() and len(links) == 1 and name in ("find", "find_by", "where", "create", "objects")
    if does_input and (is_store or is_model or (has_sql and "query" in name.lower())):
        return CostlyCall(name, links[-1], True, bool(owner & _CACHES))
    if does_input and (owner & _SERVICES or with_context):
        return CostlyCall(name, links[-1], False, bool(owner & _CACHES))
    if (
        with_context
        and not verb & _HARMLESS
        and name[:1].isupper()
        and links[0] not in ("context", "log", "slog", "otel")
    ):
        return CostlyCall(name, links[-1], False, bool(owner & _CACHES))
    return None
