"""What programs print when they fail: exceptions, stack traces, panics, in the common languages.

Each language has a form for the line that a trace begins with, and a form for the lines that belong to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLASS = r"(?:[A-Za-z_$][\w$]*[.\\:]{1,2})*[A-Z][\w$]*"
_RAISED = (
    rf"(?:{_CLASS}+(?:(?<=.Error)|(?<=.Exception)|(?<=.Throwable)|(?<=.ExceptionGroup))|KeyboardInterrupt|SystemExit)"
)
_MESSAGE = r"(?=$|\s*:(?:\s|$)|\s+\[|\s\(0x[0-9a-fA-F]+\):)(?!:\s*(?:\d+(?:\.\d+)?%?|none|nil|no|false)\s*$)"


@dataclass(frozen=True, slots=True)
class Language:
    """How traces of one language look. severity: of a trace.

    begins: the first line. goes_on: a line that belongs to the trace above it. leads_to_any: a first line after which
    one line may say anything. ends: a line after others that closes the trace, unless a line `resumes` it.
    hands_over: how the trace goes on from a line that begins one of this language.
    """

    severity: str
    begins: re.Pattern[str]
    goes_on: re.Pattern[str]
    leads_to_any: re.Pattern[str] | None = None
    ends: re.Pattern[str] | None = None
    resumes: re.Pattern[str] | None = None
    hands_over: Language | None = None


def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.X)


PYTHON = Language(
    "ERROR",
    _compiled(r"(?:[\w.:\s-]{0,60}?)(?:\|\s)*Traceback\ \(most\ recent\ call\ last\):"),
    _compiled(r"[ \t]|$"),
    ends=_compiled(r"(?!(?:INFO|WARN|WARNING|DEBUG|ERROR|CRITICAL|NOTICE|FATAL|TRACE|info|warn|warning|debug|error)\b)"
                   r"(?:(?:[A-Za-z_]\w*\.)+\w+|[A-Z]\w*)(?::\s|:?$)"),
    resumes=_compiled(
        r"(?:During\ handling\ of\ the\ above\ exception|The\ above\ exception\ was\ the\ direct\ cause)\b"
    ),
)  # fmt: skip

PYTHON_GROUP = Language(
    "ERROR",
    _compiled(r"\s*\+\ Exception\ Group\ Traceback\ \(most\ recent\ call\ last\):"),
    _compiled(r"\s+[|+]"),
)

PYTHON_ANNOUNCED = Language(
    "ERROR",
    _compiled(
        r"""
        Exception\ in\ (?:thread|callback)\ [^"] | Exception\ ignored\ in:\s
        | (?:Task|Future)\ exception\ was\ never\ retrieved
        """
    ),
    _compiled(r"future:\ |handle:\ "),
    hands_over=PYTHON,
)

JAVA_NODE_DOTNET = Language(
    "ERROR",
    _compiled(
        rf"""
        (?:
          Exception\ in\ thread\ "
          | Uncaught\s(?:exception\b|\(in\ promise\)|{_RAISED}\b)
          | Unhandled\s(?:promise\s)?(?:[Rr]ejection|[Ee]xception)\b
          | \(node:\d+\)\s(?:UnhandledPromiseRejection|\[?DEP\d*)?(?:Uncaught|Unhandled)
          | (?:\(node:\d+\)\s)?UnhandledPromiseRejection
          | \[?UnhandledPromiseRejection
          | An\ unhandled\ exception\s
          | Caused\ by:\s
          | (?:Execution|Syntax)\ error\ \(\w+\)\ at
          | (?:{_RAISED}|Error|Exception){_MESSAGE}
        )
        """
    ),
    _compiled(
        r"""
        \s+at\s | \s*\.{3}\s\d+\s(?:more|common|lines) | \s*(?:Caused\ by|Suppressed|Wrapped\ by):\s | \s*--->\s
        | \s*-{3}\sEnd\ of\s | \s+\^+\s*$ | \s*\[CIRCULAR\ REFERENCE | \s+\[cause\]:? | \s+\[errors\]:? | \s+\w+:\s.*,?$
        | [}\]],?\s*$ | $ | Node\.js\sv\d | \s+-{2,3}\s | \#\d+\s | \t
        """
    ),
)

NODE_SOURCE = Language(
    "ERROR",
    _compiled(r"(?:(?:file://|/|[A-Z]:\\)\S{1,300}\.[cm]?[jt]sx?|node:[\w/]{1,100}):\d+$"),
    _compiled(r"\s+\S|throw\s|$"),
    leads_to_any=_compiled(r".*\d$"),
    hands_over=JAVA_NODE_DOTNET,
)

GO = Language(
    "FATAL",
    _compiled(
        r"""
        (?:panic:\s | fatal\ error:\s | goroutine\s\d+(?:\sgp=\S+)?(?:\sm=\S+)?(?:\smp=\S+)?\s\[
          | SIG(?:SEGV|ABRT|BUS|FPE|ILL|QUIT):\s | unexpected\ fault\ address)
        """
    ),
    _compiled(
        r"""
        goroutine\s\d+ | $ | \t\S | \s+\S+\.(?:go|s):\d+ | (?:created\ by|exit\ status|runtime:|runtime\ stack:)\s?
        | [\w./*()\-\[\]·{},~%]+\(.*\)$ | \[signal\s | \[recovered\] | \.\.\.additional\ frames
        | (?:PC|SP|r[a-z0-9]{1,2}|rip|rflags|[cfg]s)[=\s]
        """
    ),
)

GO_SERVER = Language("ERROR", _compiled(r"http2?:\spanic\sserving\s"), GO.goes_on)

RUST = Language(
    "FATAL",
    _compiled(r"thread\s'[^'\n]*'\s(?:\(\d+\)\s)?(?:panicked\sat\s|has\soverflowed)|thread\s\d+\spanic:"),
    _compiled(r"note:\s|stack\ backtrace:|\s+\d+:\s|\s+at\s|\s+\S|$"),
    leads_to_any=_compiled(r".*:\s*$"),
)

RUBY = Language(
    "ERROR",
    _compiled(
        r"""
        (?:\S+\.(?:rb|erb|ru|rake):\d+:in\s.*\((?:[A-Z]\w*(?:::)?)+\)\s*$
          | \S+\.(?:rb|erb|ru|rake):\d+:in\s.*:\s.*(?:Error|Exception)\b
          | (?:[A-Z]\w*::)*[A-Z]\w*(?:Error|Exception)\s\(.*\):?\s*$
          | (?:[A-Z]\w*::)+[A-Z]\w*\s\(.*\):\s*$)
        """
    ),
    _compiled(r"\s+\S|\S+\.(?:rb|erb|ru|rake)(?::\d+|\s\()|\S+\s\([\d.]+\)\s\S+\.rb:\d+|Caused\ by|$"),
)

PHP = Language(
    "FATAL",
    _compiled(
        r"""
        (?:(?:PHP\s)?Fatal\serror:\s+Uncaught\s | (?:PHP\s)?Uncaught\s\w | exception\s'[\w\\]+'\swith\smessage\s)
        """
    ),
    _compiled(r"""\[?[Ss]tack\s?trace\]?:? | \#\d+\s | \s+thrown\sin\s | \s*Next\s | "\}\s*$ | $ | \s+\S"""),
)

CPLUSPLUS = Language(
    "FATAL",
    _compiled(
        r"""
        (?:terminate\scalled\s | Fatal\sPython\serror: | terminating\s(?:due\sto|with)\suncaught\s | libc\+\+abi:\s
          | ==\d+==\s?ERROR:\s | \*{3}\s(?:stack\ssmashing|buffer\soverflow|Aborted|SIG|Error\sin)
          | Segmentation\sfault | Aborted\s\(core | (?:double\sfree|free\(\):|malloc\(\):|corrupted\ssize)
          | \S+:\s\S+:\d+:\s.*Assertion\s.*failed | Assertion\sfailed: | (?:Bus\serror|Illegal\sinstruction)\s?\(core)
        """
    ),
    _compiled(r"\s+what\(\):|Aborted|\s*\#\d+\s|\s+\S|={2}\d+={2}|SUMMARY:\s|$"),
)

ELIXIR_ERLANG = Language(
    "ERROR",
    _compiled(
        r"""
        (?:\*\*\s\((?:[A-Z]|exit|stop|throw) | =(?:ERROR|CRASH|SUPERVISOR)\sREPORT====
          | (?:GenServer|Agent|State\smachine|Ranch\slistener|Task\s\#PID)\s?\S+(?:\s\S+)?\sterminating
          | Process\s\#PID\S+\sraised | CRASH\sREPORT\sProcess | \*\*\sGeneric\sserver\s)
        """
    ),
    _compiled(r"\s+\S|\*\*\s|\#PID|(?:Last\smessage|State|Function|Args|Initial\sCall|Ancestors|Queue|Client)\b.*|$"),
)

DART_SWIFT_AND_OTHERS = Language(
    "ERROR",
    _compiled(
        r"""(?:Unhandled\ [Ee]xception:\s*$
          | \S+\[\d+\]:\ segfault\ at\s
          | lua\S*:\s\S+:\d+: | Stack\ overflow\.\s*$ | Kernel\ panic\ -
          | Out\sof\smemory:\s[Kk]ill
          | BUG:\sunable | Oops:\ [0-9a-f]{4} | \#\s?A\sfatal\serror\shas\sbeen\sdetected)"""
    ),
    _compiled(r"\#\d+\s|\s+\S|$|stack\straceback:|Call\sTrace:|\#"),
    leads_to_any=_compiled(r".*:\s*$"),
)

DOTNET_CONSOLE = Language("ERROR", _compiled(r"(?:fail|crit):\ [\w.+`]+\[\d+\]\s*$"), _compiled(r"\s{6}"))

LANGUAGES = (
    PYTHON, PYTHON_GROUP, PYTHON_ANNOUNCED, GO, GO_SERVER, RUST, RUBY, PHP, CPLUSPLUS, ELIXIR_ERLANG,
    DART_SWIFT_AND_OTHERS, JAVA_NODE_DOTNET, NODE_SOURCE, DOTNET_CONSOLE,
)  # fmt: skip
