"""What explains no incident: logging, metrics, imports, moved code, code written in another way that does the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workers.diagnosis.changes.text.patches import Block, really_changed, same
from workers.diagnosis.changes.text.words import word_set

_TELEMETRY = re.compile(
    r"\b_?(?:log|logger|logging|slog|zap|zerolog|logrus|console|winston|pino|Log|LOG|LOGGER|"
    r"Logger|Rails\.logger|tracing|NSLog|klog|glog)\s*(?:\.|->|::)\w+|"
    r"\b(?:error_log|info!|debug!|warn!|error!|trace!|println!|print|puts|fmt\.Print\w*|System\.out\.print\w*)\s*\(|"
    r"@(?:Timed|Counted|Metered|WithSpan|NewSpan)\b|prometheus|statsd|\bmetrics?\.|"
    r"Metrics\.|MeterRegistry|micrometer|\.(?:Inc|inc|"
    r"increment|Observe|observe|labels|WithLabelValues|record)\(|"
    r"\bspan\.|Span\(|SetAttributes?|set_attribute|setAttribute\(|attribute\.(?:String|Int|"
    r"Bool)|tracer\.|otel\.|opentelemetry|"
    r"(?:New)?(?:Counter|Histogram|Gauge|Summary)(?:Vec|Opts)?\b|MustRegister|sentry_sdk|"
    r"datadog|newrelic|\bMDC\.|structlog"
)
_IMPORT = re.compile(
    r"^\s*(?:import\b|from\s+[\w.]+\s+import|package\s+\w|using\s+[A-Z][\w.]*;|#include|"
    r"require(?:_relative)?\s+['\"]|use\s+[\w:\\]+|"
    r"const\s+\{?[\w, ]+\}?\s*=\s*require\(|(?:[\w.]+\s+)?\"[\w./-]+\"\s*$|export\s+\*|"
    r"export\s+\{.*\}\s+from|\)\s*$|module\s+[\w./]+$)"
)
_NOTHING = re.compile(r"^[\s{}()\[\];,]*(?:else|end|do|then|begin|pass|fi|done)?[\s{}()\[\];,:]*$")
_DESCRIBES = re.compile(
    r"^\s*-?\s*[\"']?(?:description|summary|title|example|comment|tooltip)[\"']?\s*:", re.IGNORECASE
)
_SENTENCE = re.compile(
    r"(?P<quote>[\"'])(?!(?:SELECT|INSERT|UPDATE|DELETE|ALTER|CREATE|DROP|WITH|SET|GRANT|GET|POST|PUT|PATCH)\b)"
    r"[A-Z][a-z]*[.,!?:]?(?: [A-Za-z0-9'\u2019\u00c0-\u024f-]+[.,!?:;…]*){2,}(?P=quote)"
)
"""At least three words that begin with a capital letter, and nothing that a machine would read."""

_BETWEEN_TAGS = re.compile(r">[^<>{}%$]*<")

_WORD = re.compile(r"[A-Za-z_$][\w$]*|\d[\w.]*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[<>=!]=|&&|\|\||[+*/%<>!?-]")
_SYNTAX = word_set(
    """
    func function def fn fun return if else elif var let const val new public private protected
    static final async await self this int string str bool void in of for while range type struct
    class end then do nil null None err error e ex = > < ! - and or not try except catch finally
    throw throws raise switch case break continue
    """
)
_ERROR_TALK = re.compile(
    r"^(?:err|errors?|exception|httpexception|http|bad_?request|badrequest|status\w*|"
    r"write\w*error\w*|respond\w*|error_?response|fail\w*|"
    r"handle\w*error\w*|abort\w*|w|writer|response|\"(?:bad request|invalid[^\"]*|"
    r"error[^\"]*)\"|[45]\d\d|wrap\w*|errorf|as|is|"
    r"internal\w*|bad\w*|not_?found|unprocessable\w*|json_?response|raise\w*|rescue\w*|on_?error)$",
    re.IGNORECASE,
)
_DECODES = re.compile(
    r"^(?:\w*(?:decode|unmarshal|bind|parse)\w*|newdecoder|json|body|shouldbindjson|"
    r"deserialize|readvalue|objectmapper)$",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"\b(?:func|def|function|fun|fn|class|struct|interface)\s+(?:\([^)]*\)\s*)?(\w+)|"
    r"\b(\w+)(?:\s*,\s*\w+)*\s*:=|\b(?:const|let|var|val|final|auto|"
    r"my)\s+(?:\w+\s+)?(\w+)\s*=|"
    r"^\s*(\w+)\s*=\s|(?:private|public|protected|static)\s+[\w<>\[\], ]+?\s(\w+)\s*\("
)


def why_inert(blocks: Sequence[Block]) -> str:
    """Return why the code of the blocks does what it did before; empty if that cannot be said.

    blocks: those of files that run in production.
    """
    removed, added = _commit_lines(blocks)
    if any(_is_reordered(block) for block in blocks) or _has_swapped_words(removed, added):
        return ""
    if not removed and not added:
        return "only moves code, or changes its layout and comments"
    rest_removed, rest_added = list(_without_telemetry(removed)), list(_without_telemetry(added))
    if not rest_removed and not rest_added:
        return "only changes logging, metrics, traces or imports"
    lost, gained = _difference(rest_removed, rest_added)
    names = _defined((*rest_removed, *rest_added))
    lost, gained = lost - names, gained - names
    if rest_removed and not lost and not gained:
        return "only writes the same code in another way"
    if rest_removed and not _meaning(lost) and not _meaning(gained):
        return "only rewrites how a request is decoded and errors are answered"
    return ""


def changes_only_sentences(blocks: Sequence[Block]) -> bool:
    """Whether the lines are the same but for sentences in quotation marks, which people read and no machine does."""
    removed, added = _commit_lines(blocks)
    return bool(removed) and sorted(map(_without_sentences, removed)) == sorted(map(_without_sentences, added))


def _commit_lines(blocks: Sequence[Block]) -> tuple[list[str], list[str]]:
    """Return the lines of a commit that are not just moved, within a file or between files."""
    return really_changed(
        [line for block in blocks for line in block.removed if not _NOTHING.match(line)],
        [line for block in blocks for line in block.added if not _NOTHING.match(line)],
    )


def _is_reordered(block: Block) -> bool:
    """Whether statements of one block now run in another order: a commit before a publish is not one behind it."""
    old = [same(line) for line in block.old if _acts(line)]
    new = [same(line) for line in block.new if _acts(line)]
    both = set(old) & set(new)
    first, second = [line for line in old if line in both], [line for line in new if line in both]
    return len(first) == len(second) and first != second


def _acts(line: str) -> bool:
    return not _NOTHING.match(line) and not _IMPORT.match(line) and not _TELEMETRY.search(line)


def _has_swapped_words(removed: Sequence[str], added: Sequence[str]) -> bool:
    """Whether a line keeps its words in another order, as in `a - b` and `b - a`."""
    new = {tuple(sorted(_WORD.findall(line))): tuple(_WORD.findall(line)) for line in added}
    return any(
        new.get(tuple(sorted(words)), words) != words for words in (tuple(_WORD.findall(line)) for line in removed)
    )


def _without_telemetry(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines that are neither imports nor part of a statement that logs or measures."""
    open_brackets = 0
    for line in lines:
        if open_brackets > 0:
            open_brackets += line.count("(") - line.count(")")
            continue
        if _TELEMETRY.search(line):
            open_brackets = max(0, line.count("(") - line.count(")"))
        elif not _IMPORT.match(line) and not _DESCRIBES.match(line) and not _NOTHING.match(line):
            yield line


def _without_sentences(line: str) -> str:
    """Return the line with each sentence in quotation marks or between tags left empty; queries and formats stay."""
    text = _SENTENCE.sub('""', " ".join(line.split()))
    return _BETWEEN_TAGS.sub("><", text) if text.startswith("<") else text


def is_telemetry(line: str) -> bool:
    """Whether a line only logs, counts or traces."""
    return bool(_TELEMETRY.search(line))


def _words(lines: Sequence[str]) -> set[str]:
    return {word for line in lines for word in _WORD.findall(line)} - _SYNTAX


def _difference(removed: Sequence[str], added: Sequence[str]) -> tuple[set[str], set[str]]:
    old, new = _words(removed), _words(added)
    return old - new, new - old


def _defined(lines: Sequence[str]) -> set[str]:
    """Return the names that the lines give to functions and variables: another name does nothing else."""
    return {name for line in lines for groups in _DEFINED.findall(line) for name in groups if name}


def _meaning(words: set[str]) -> set[str]:
    """Return the words that are neither about decoding a request nor about answering errors."""
    return {
        word
        for word in words
        if (not _ERROR_TALK.match(word) and not _DECODES.match(word) and not word[:1].isupper())
        or (
            word[:1].isupper()
            and not re.match(
                r"(?:Status|Error|Err|Decode|Decoder|NewDecoder|Body|Bind|Unmarshal|Http|HTTP|Bad|"
                r"Internal|Write|Header|JSON|Request)\w*$",
                word,
            )
        )
    }


def only_renames(blocks: Sequence[Block]) -> bool:
    """Whether each removed line has an added one that differs in one name alone, the same everywhere."""
    removed, added = _commit_lines(blocks)
    if not removed or len(removed) != len(added):
        return False
    renamed: dict[str, str] = {}
    for old, new in zip(removed, added, strict=True):
        one, other = _WORD.findall(old), _WORD.findall(new)
        if len(one) != len(other) or same(_WORD.sub("·", old)) != same(_WORD.sub("·", new)):
            return False
        for word, now in zip(one, other, strict=True):
            if word != now and (
                not word[:1].isalpha() or not now[:1].isalpha() or renamed.setdefault(word, now) != now
            ):
                return False
    return len(renamed) == 1 and set(renamed) <= _defined(removed)
