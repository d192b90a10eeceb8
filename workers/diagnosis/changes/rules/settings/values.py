"""Values that are no numbers and change: switches, addresses, keys of caches, levels of logs, TLS, credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.patches import Block, changed_lines, same
from workers.diagnosis.changes.text.settings import changed_settings
from workers.diagnosis.changes.text.words import word_set, words_of

_SWITCH = re.compile(r"\b(true|false|yes|no|on|off|enabled?|disabled?)\b", re.IGNORECASE)
_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|`([^`]*)`")
_LEVEL = re.compile(r"\b(trace|debug|verbose|info|warn(?:ing)?|error)\b", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\w+://|^(?:[\w-]+\.)+(?:com|net|org|io|dev|cloud|internal|local|svc|app|co|eu|us|uk|"
    r"de)(?::\d+)?(?:/|$)|^\d{1,3}(?:\.\d{1,3}){3}|:\d{2,5}$|"
    r"^[a-z]{2}-[a-z]+-\d[a-z]?$|^arn:|\.svc\b|\.internal\b"
)
_STORED = re.compile(r"(?:s3|gs|gcs|az|abfss?|hdfs|file)://", re.IGNORECASE)
"""What lies in a store: another file or model is no other way to a service."""

_ADDRESS_WORDS = word_set(
    """
    host hosts hostname url uri endpoint addr address port region zone upstream server servers
    broker brokers bootstrap topic queue bucket dsn nameserver dns resolver domain origin cidr
    ingress egress proxy target targetport containerport namespace selector subnet vpc proxypass
    servername clusterip externalname
    """
)
_TLS_WORDS = word_set(
    """
    tls ssl certificate cert verify minversion cipher ciphers cafile certfile keyfile mtls
    insecureskipverify truststore keystore insecure x509 peer
    """
)
_SECRET_WORDS = word_set(
    """
    secret secretname token password credential credentials apikey api_key scope scopes role rolearn
    iam permission permissions policy serviceaccount serviceaccountname audience issuer clientid
    signing jwks
    """
)
_FLAG_WORDS = word_set(
    """
    flag flags feature features enable enabled disable disabled toggle experiment rollout variation
    use is default active
    """
)
_START_WORDS = word_set(
    """
    cmd entrypoint command args user workdir expose runasuser runasnonroot readonlyrootfilesystem
    readonly
    """
)
_CONFIGURATION = re.compile(
    r"\.(?:ya?ml|toml|json|env|properties|conf|cfg|ini|tf|hcl|tfvars)$|(?:^|/)(?:Dockerfile|\.env)[\w.-]*$"
)
_CIPHER = re.compile(r"TLS_\w+_WITH_\w+|ssl_ciphers|CipherSuites|ECDHE[-_]\w+")
_CACHE_KEY = re.compile(r"cache.{0,40}key|key.{0,40}cache|cache_?prefix|\bcacheKey\b|key_?prefix|vary\b", re.IGNORECASE)
_KEY_BUILT = re.compile(r"\b\w*[kK]ey\s*(?::=|=)\s*\S|\b\w*[kK]ey\w*\(")
_CACHE_NEAR = re.compile(r"cache|redis|memcache", re.IGNORECASE)
_GRANT = re.compile(
    r"\b(?:s3|sqs|sns|dynamodb|kms|secretsmanager|iam|ec2|logs|ecr|lambda):[A-Z]\w+|"
    r"\bgrant\s+\w+|\broles/[\w.]+|secretKeyRef|\bscope[s]?\b|verbs:|permissions?:",
    re.IGNORECASE,
)
_NETWORK_RULE = re.compile(
    r"kind:\s*NetworkPolicy|cidr_blocks|ipBlock|\bdeny\s+all|security_group|PeerAuthentication|AuthorizationPolicy",
    re.IGNORECASE,
)


def value_effects(block: Block) -> list[Effect]:
    """Return the effects of the plain values that the block sets otherwise than before."""
    found = [*_switches(block), *_settings(block), *_strings(block), *_rights(block)]
    kept: dict[tuple[EffectKind, str], Effect] = {}
    for item in found:
        key = (item.kind, item.line)
        if key not in kept or kept[key].strength < item.strength:
            kept[key] = item
    switched = {item.line for item in found if item.kind is EffectKind.FLAG}
    return [
        item
        for item in kept.values()
        if item.kind is EffectKind.FLAG or item.line not in switched or item.strength > 0.3
    ]


def _pairs(block: Block, masked: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield removed and added lines that are equal but for what the pattern matches."""
    removed, added = changed_lines(block)
    waiting = list(added)
    for line in removed:
        if masked.search(line):
            shape = same(masked.sub("·", line))
            partner = next((text for text in waiting if same(masked.sub("·", text)) == shape), None)
            if partner is not None:
                waiting.remove(partner)
                yield line, partner


def _switches(block: Block) -> Iterator[Effect]:
    yield from _cache_keys(block)
    for old, new in _pairs(block, _LEVEL):
        if re.search(r"level|verbosity", new, re.IGNORECASE):
            before, after = _LEVEL.findall(old)[-1], _LEVEL.findall(new)[-1]
            strength = 0.45 if re.fullmatch("trace|debug|verbose", after, re.IGNORECASE) else 0.1
            yield effect(EffectKind.LOG_LEVEL, block.path, new, strength, name="level", before=before, after=after)
    for old, new in _pairs(block, _SWITCH):
        before, after = _SWITCH.findall(old), _SWITCH.findall(new)
        turned = next(
            ((one, other) for one, other in zip(before, after, strict=False) if one.lower() != other.lower()), None
        )
        if turned is None:
            continue
        words = words_of(f"{new} {block.heading}") | words_of(block.path)
        kind, strength = EffectKind.FLAG, 0.55 if words & _FLAG_WORDS else 0.4
        if words_of(new) & _TLS_WORDS:
            kind = EffectKind.TLS
        elif words_of(new) & {"debug", "verbose"}:
            kind, strength = EffectKind.LOG_LEVEL, 0.35
        literal = _STRING.search(new)
        name = next((text for text in literal.groups() if text), "") if literal else ""
        key = re.match(r"\s*-?\s*[\"']?([\w.-]+)", new)
        yield effect(
            kind,
            block.path,
            new,
            strength,
            name=name if name and not _SWITCH.fullmatch(name) else key[1] if key else "",
            before=turned[0],
            after=turned[1],
            beside=(block.heading, *block.new[:8]),
        )


def _cache_keys(block: Block) -> Iterator[Effect]:
    """Find keys of a cache that are built otherwise: what the old version stored is not found any more."""
    removed, added = changed_lines(block)
    old = next((line for line in removed if _KEY_BUILT.search(line)), None)
    new = next((line for line in added if _KEY_BUILT.search(line)), None)
    if old and new and any(_CACHE_NEAR.search(line) for line in (*block.new, block.path)):
        strings = _texts(old), _texts(new)
        if strings[0] != strings[1] or words_of(old) != words_of(new):
            yield effect(
                EffectKind.CACHE_KEY,
                block.path,
                new,
                0.55,
                before=old.strip(),
                after=new.strip(),
                beside=(block.heading,),
            )


def _settings(block: Block) -> Iterator[Effect]:
    for change in changed_settings(block):
        setting = change.shown
        if setting.quantity is not None and not words_of(setting.name) & {"port", "listen", "tls", "ssl"}:
            continue
        words = words_of(f"{setting.name} {setting.owner}") | {setting.key}
        judged = _judge(words, setting.value, setting.line)
        if "path" in words and any("Probe" in line for line in block.new):
            judged = EffectKind.PROBE, 0.6
        if judged is None:
            continue
        kind, strength = judged
        if (change.old is None or change.new is None) and not _is_literal(setting.value, block.path):
            continue
        if change.old is None:
            strength *= 0.4
        elif change.new is None:
            strength *= 0.8
        yield effect(
            kind,
            block.path,
            setting.line,
            strength,
            name=setting.name,
            before=change.old.value if change.old else None,
            after=change.new.value if change.new else None,
            beside=(block.heading, setting.owner),
        )


def _is_literal(value: str, path: str) -> bool:
    """Whether a value is written out; the name of a variable that code passes on says nothing new."""
    return bool(_STRING.search(value) or _SWITCH.fullmatch(value) or re.match(r"[\d-]", value)) or bool(
        _CONFIGURATION.search(path)
    )


def _judge(words: frozenset[str], value: str, line: str) -> tuple[EffectKind, float] | None:
    """Return what a value is about and how strong a change of it is; None if no rule knows."""
    plain = value.strip("\"'")
    if _CACHE_KEY.search(line):
        return EffectKind.CACHE_KEY, 0.6
    if words & {"level", "loglevel", "verbosity"} and _LEVEL.search(value):
        return EffectKind.LOG_LEVEL, 0.45 if re.search("trace|debug|verbose", value, re.IGNORECASE) else 0.1
    if words & _TLS_WORDS and not words & {"cipher", "ciphers", "suites"}:
        return EffectKind.TLS, 0.6
    if words & {"cipher", "ciphers", "suites"}:
        return EffectKind.TLS, 0.2
    if words & _SECRET_WORDS and not _ADDRESS.search(plain):
        return EffectKind.SECRET, 0.6
    if words & {"instanceclass", "instancetype", "machinetype", "nodetype"}:
        return EffectKind.RESOURCES, 0.5
    if words & {"groupid", "consumergroup"}:
        return EffectKind.ROUTING, 0.5
    if words & {"schedule", "cron"}:
        return EffectKind.INTERVAL, 0.45
    if _STORED.match(plain):
        return EffectKind.LOGIC, 0.25
    if words & _ADDRESS_WORDS or (_ADDRESS.search(plain) and not words & {"image", "from", "version"}):
        return EffectKind.ROUTING, 0.65
    if words & _START_WORDS:
        return EffectKind.START_UP, 0.45
    if words & _FLAG_WORDS and _SWITCH.fullmatch(plain):
        return EffectKind.FLAG, 0.5
    if words & {"strategy", "policy", "isolation", "consistency", "algorithm", "mode", "engine", "provider", "driver"}:
        return EffectKind.FLAG, 0.4
    return None


def _strings(block: Block) -> Iterator[Effect]:
    """Judge strings within lines that are otherwise equal."""
    for old, new in _pairs(block, _STRING):
        for before, after in zip(_texts(old), _texts(new), strict=False):
            if before == after:
                continue
            words = words_of(_STRING.sub(" ", new))
            judged = _judge(words, after, new)
            if judged is None and (re.search(r"%[YmdHMS]|yyyy|MM[-/]dd|HH:mm", before)):
                judged = EffectKind.DECODING, 0.55
            if judged is not None and (judged[0] is not EffectKind.START_UP or _CONFIGURATION.search(block.path)):
                yield effect(
                    judged[0],
                    block.path,
                    new,
                    judged[1],
                    name=next(iter(re.findall(r"[A-Za-z_]\w+", new)), ""),
                    before=before,
                    after=after,
                    beside=(block.heading,),
                )


def _texts(line: str) -> Sequence[str]:
    return [next((text for text in groups if text), "") for groups in _STRING.findall(line)]


def _rights(block: Block) -> Iterator[Effect]:
    """Find rights and credentials that are gone, and rules that close a network."""
    removed, added = changed_lines(block)
    gone = next((line for line in removed if _GRANT.search(line)), None)
    if gone and sum(len(_GRANT.findall(line)) for line in added) < sum(len(_GRANT.findall(line)) for line in removed):
        yield effect(EffectKind.SECRET, block.path, gone, 0.7, beside=(block.heading,))
    ciphers = [set(_CIPHER.findall("\n".join(lines))) for lines in (removed, added)]
    if ciphers[0] - ciphers[1]:
        line = next(line for line in removed if _CIPHER.search(line))
        yield effect(EffectKind.TLS, block.path, line, 0.2, name="cipher suites", beside=(block.heading,))
    rule = next((line for line in (*added, *removed) if _NETWORK_RULE.search(line)), None)
    if rule:
        yield effect(EffectKind.ROUTING, block.path, rule, 0.6, beside=(block.heading, *added[:8]))
