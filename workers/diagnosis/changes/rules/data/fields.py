"""The form of data between services: names and types of fields, how strictly and in what form they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.effects import Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.text.patches import Block, changed_lines

_FIELD = re.compile(
    r"(?:json|xml|bson|yaml|db|form|mapstructure|avro|query|header):\"(?P<tag>[\w-]+)|"
    r"@(?:JsonProperty|SerializedName|JsonAlias|Column|Field|XmlElement|SerialName|"
    r"JsonPropertyName)\(\s*(?:\w+\s*=\s*)?\"(?P<java>[\w-]+)\"|"
    r"\[JsonProperty(?:Name)?\(\"(?P<cs>[\w-]+)\"\)|\brename\s*=\s*\"(?P<rs>\w+)\"|\balias\s*=\s*[\"'](?P<py>\w+)|"
    r"(?P<key>[\"'][A-Za-z_]\w*[\"'])\s*(?::|=>)\s|\[(?P<item>[\"'][A-Za-z_]\w*[\"'])\]|"
    r"\.get(?:String|Int|Long|Double|Boolean|_\w+)?\(\s*(?P<got>[\"'][A-Za-z_]\w*[\"'])"
)
_PROTO = re.compile(r"^\s*(?:(?:optional|repeated|required)\s+)?([\w.<>, ]+?)\s+(\w+)\s*=\s*(\d+)\s*(?:\[.*\])?;")
_STRICT = re.compile(
    r"DisallowUnknownFields|FAIL_ON_UNKNOWN_PROPERTIES|additionalProperties[\"']?\s*:\s*false|deny_unknown_fields|"
    r"extra\s*=\s*[\"']forbid|\.strict\(\)|StrictMode|\brequired\b(?!\s*=\s*false)|@NotNull|"
    r"@NotBlank|@Valid\b|MissingMemberHandling",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"omitempty|Content-Type|Content-Encoding|charset|encoding\s*=|\.(?:en|"
    r"de)code\(\s*[\"']|protobuf|msgpack|avro|pickle|"
    r"base64|gzip|DateTimeFormat|strftime|strptime|ObjectMapper|ISO8601|UseNumber|parseInt|parseFloat|"
    r"Serializer|Deserializer|unmarshal|toISOString|isoformat|fromisoformat",
    re.IGNORECASE,
)
_TYPED = re.compile(
    r"^\s*(?:(?:public|private|protected|readonly|final|val|var|let|"
    r"pub)\s+)*(\w+)\s*[:\s]\s*\*?([A-Za-z][\w.<>\[\]]*)\s*(?:`|=|;|,|$)|"
    r"^\s*(?:(?:public|private|protected|final|static|readonly)\s+)+([A-Za-z][\w.<>\[\]?]*)\s+(\w+)\s*(?:;|=|\{)"
)
_TYPES = re.compile(
    r"^(?:u?int\w*|i\d+|u\d+|f\d+|float\w*|double|string|str|String|bool\w*|Boolean|Integer|"
    r"Long|long|Double|Decimal|BigDecimal|decimal|number|"
    r"time\.Time|datetime|Date|Instant|UUID|uuid|Option<.+>|Optional\[?.*|any|bytes|\[\].+|list\[.+|List<.+>)$"
)


def field_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return the changes of fields and of how data is read and written."""
    old = [name for block in blocks for line in changed_lines(block)[0] for name in _names(line)]
    new = [name for block in blocks for line in changed_lines(block)[1] for name in _names(line)]
    gone, come = set(old) - set(new), set(new) - set(old)
    found: list[Effect] = []
    for block in blocks:
        removed, added = changed_lines(block)
        found += _renames(block, removed, added, gone, come)
        found += _messages(block, removed, added)
        found += _types(block, removed, added)
        found += _reading(block, removed, added)
    return found


def _names(line: str) -> list[str]:
    return [next(text for text in match.groupdict().values() if text).strip("\"'") for match in _FIELD.finditer(line)]


def _renames(
    block: Block, removed: Sequence[str], added: Sequence[str], gone: set[str], come: set[str]
) -> Iterator[Effect]:
    for line in removed:
        lost = next((name for name in _names(line) if name in gone), None)
        if lost is None:
            continue
        similar = next((name for text in added for name in _names(text) if name in come), None)
        if similar is not None:
            yield effect(
                EffectKind.FIELD_RENAMED,
                block.path,
                line,
                0.75,
                name=lost,
                before=lost,
                after=similar,
                beside=(block.heading, *added[:3]),
            )
        elif added and any(sign == " " for sign, _ in block.lines):
            yield effect(
                EffectKind.FIELD_RENAMED, block.path, line, 0.4, name=lost, before=lost, beside=(block.heading,)
            )
        return


def _messages(block: Block, removed: Sequence[str], added: Sequence[str]) -> Iterator[Effect]:
    """Compare the fields of protocol buffers: their numbers and types are what is on the wire."""
    if not block.path.endswith(".proto"):
        return
    new = {match[2]: match for line in added if (match := _PROTO.match(line))}
    numbers = {match[3]: match[2] for match in new.values()}
    for line in removed:
        match = _PROTO.match(line)
        if not match:
            continue
        other = new.get(match[2])
        if other is None:
            renamed = numbers.get(match[3])
            strength = 0.4 if renamed else 0.6
            yield effect(
                EffectKind.FIELD_RENAMED, block.path, line, strength, name=match[2], before=match[2], after=renamed
            )
        elif other[3] != match[3] or other[1] != match[1]:
            yield effect(
                EffectKind.DECODING,
                block.path,
                other.group(),
                0.85,
                name=match[2],
                before=line.strip(),
                after=other.group().strip(),
            )


def _types(block: Block, removed: Sequence[str], added: Sequence[str]) -> Iterator[Effect]:
    """Find fields that keep their name and get another type."""
    new = dict(filter(None, map(_typed, added)))
    for name, kind in filter(None, map(_typed, removed)):
        if name in new and new[name] != kind:
            line = next(line for line in added if _typed(line) == (name, new[name]))
            yield effect(
                EffectKind.DECODING,
                block.path,
                line,
                0.5,
                name=name,
                before=kind,
                after=new[name],
                beside=(block.heading,),
            )
            return


def _typed(line: str) -> tuple[str, str] | None:
    match = _TYPED.match(line)
    if not match:
        return None
    name, kind = (match[1], match[2]) if match[1] else (match[4], match[3])
    return (name, kind) if _TYPES.match(kind) and name not in ("return", "var", "let", "const") else None


def _reading(block: Block, removed: Sequence[str], added: Sequence[str]) -> Iterator[Effect]:
    strict = next((line for line in added if _STRICT.search(line)), None)
    if strict and not any(_STRICT.search(line) for line in removed) and not block.path.endswith(".sql"):
        yield effect(EffectKind.DECODING, block.path, strict, 0.5, beside=(block.heading,))
        return
    before = {match.lower() for line in removed for match in _FORM.findall(line)}
    after = {match.lower() for line in added for match in _FORM.findall(line)}
    line = next((line for line in (*added, *removed) if _FORM.search(line)), None)
    if line and removed and before != after:
        yield effect(EffectKind.DECODING, block.path, line, 0.35 if before and after else 0.2, beside=(block.heading,))
