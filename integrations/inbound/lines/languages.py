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
_MESSAGE = r"(?=$|\s*:(?:\s|$)|\s+\[|\s\(0x[0-9a-fA-F]+\):)(?!:\s*(?:\d+(?:\.\d+)?%?|none|nil|no|false)\s*$|:\s*(?:0|no)\s+(?:errors?|failures?|issues?)\b)"


@dataclass(frozen=True, slots=True)
class Language:
    """How traces of one language look, beside what they share (`frames`). severity: of a trace.

    begins: the first line. goes_on: a line that surely belongs to the trace above it. leads_to_any: a first line after
    which one line may say anything. ends: a line after others that closes the trace, unless a line `resumes` it.
    adds: a line that may still follow its end. hands_over: how the trace goes on from a line that begins one of this
    language.
    """

    severity: str
    begins: re.Pattern[str]
    goes_on: re.Pattern[str]
    leads_to_any: re.Pattern[str] | None = None
    ends: re.Pattern[str] | None = None
    resumes: re.Pattern[str] | None = None
    adds: re.Pattern[str] | None = None
    hands_over: Language | None = None


def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.X)


PYTHON = Language(
    "ERROR",
    _compiled(r"(?:[\w.:\s-]{0,60}?)(?:\|\s)*Traceback\ \(most\ recent\ call\ last\):"),
    _compiled(r"[ \t]|$|>\s+File\s|\S+\.nim\(\d+\)\s"),
    ends=_compiled(r"Error:\ unhandled\ exception:|\S+\.rb:\d+:in\s|(?!(?:INFO|WARN|WARNING|DEBUG|ERROR|CRITICAL|NOTICE|FATAL|TRACE|info|warn|warning|debug|error)\b)"
                   r"(?:(?:[A-Za-z_]\w*\.)+\w+|[A-Z]\w*)(?::\s|:?$)"),
    resumes=_compiled(
        r"(?:During\ handling\ of\ the\ above\ exception|The\ above\ exception\ was\ the\ direct\ cause)\b"
    ),
    adds=_compiled(
        r"(?:DETAIL|HINT|CONTEXT|QUERY|LINE\ \d+):\s|\[(?:SQL|parameters|cached\ since.*):?\s"
        r"|\(Background\ on\ this\ error|\s+(?:from\s|[\^~]+$|\S.*\[type=|For\ further\ information\ visit\ )"
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
          | error:\sUncaught\s
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
        \s+at\s\S+\( | \s*--->\s | \s*-{3}\sEnd\ of\s | \s*\[CIRCULAR\ REFERENCE | \s+\[cause\]:? | \s+\[errors\]:?
        | $ | Node\.js\sv\d | \#\d+\s
        """
    ),
    leads_to_any=_compiled(r"(?:Execution|Syntax)\ error\ \("),
)

NODE_MEMORY = Language(
    "FATAL",
    _compiled(r"<---\ Last\ few\ GCs|FATAL\ ERROR:\ .*(?:JavaScript\ heap|Allocation\ failed)"),
    _compiled(r"$|\[\d+:0x|<---\s|FATAL\ ERROR:\s|-{5}\sNative"),
)

ANDROID = Language(
    "FATAL",
    _compiled(r"FATAL\ EXCEPTION:\s"),
    _compiled(r"(?:Process|PID):\s"),
    hands_over=JAVA_NODE_DOTNET,
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
    _compiled(r"note:\s|stack\ backtrace:|\s+\d+:\s|\s+at\s|$"),
    leads_to_any=_compiled(r".*:\s*$"),
)

RUBY = Language(
    "ERROR",
    _compiled(
        r"""
        (?:\S+\.(?:rb|erb|ru|rake):\d+:in\s.*\((?:[A-Z]\w*(?:::)?)+\)\s*$
          | \S+\.(?:rb|erb|ru|rake):\d+:in\s.*:\s.*(?:Error|Exception)\b
          | (?:[A-Z]\w*::)*[A-Z]\w*(?:Error|Exception)\s\(.*\):?\s*$
          | (?:[A-Z]\w*::)+[A-Z]\w*\s\(.*\):\s*$
          | Rack\sapp\s.*:\s\#<)
        """
    ),
    _compiled(r"\S+\.(?:rb|erb|ru|rake)(?::\d+|\s\()|\S+\s\([\d.]+\)\s\S+\.rb:\d+|Caused\ by|$"),
)

PHP = Language(
    "FATAL",
    _compiled(
        r"""
        (?:(?:PHP\s)?Fatal\serror:\s+Uncaught\s | (?:PHP\s)?Uncaught\s\w | (?:NOTICE:\s)?PHP\ message:\sPHP\ Fatal | exception\s'[\w\\]+'\swith\smessage\s)
        """
    ),
    _compiled(r"""\[?[Ss]tack\s?trace\]?:? | \#\d+\s | \s+thrown\sin\s | \s*Next\s | \s+thrown\sin\s | $"""),
)

CPLUSPLUS = Language(
    "FATAL",
    _compiled(
        r"""
        (?:terminate\scalled\s | Fatal\sPython\serror: | terminating\s(?:due\sto|with)\suncaught\s | libc\+\+abi:\s
          | \*{3}\s(?:stack\ssmashing|buffer\soverflow|Aborted|SIG|Error\sin)
          | Segmentation\sfault | Aborted\s\(core | (?:double\sfree|free\(\):|malloc\(\):|corrupted\ssize)
          | (?:Program|Thread\s\d+\s.{1,80})\s(?:received|terminated\ with)\ssignal\sSIG
          | \S+:\s\S+:\d+:\s.*Assertion\s.*failed | Assertion\sfailed: | (?:Bus\serror|Illegal\sinstruction)\s?\(core)
        """
    ),
    _compiled(r"\s+what\(\):|Aborted|(?:Current\s)?[Tt]hread\s0x|\s*\#\d+\s|$|\s+(?:PC|@)\s"),
)

SANITIZER = Language(
    "ERROR",
    _compiled(
        r"""
        ==\d+==\s?ERROR:\s | WARNING:\s(?:ThreadSanitizer|MemorySanitizer|DATA\ RACE)
        | \S+:\d+:\d+:\sruntime\serror:\s | ==\d+==\s(?:Invalid\s(?:read|write|free)|Conditional\sjump|Process\sterminating)
        """
    ),
    _compiled(
        r"""
        \s+(?:\#\d+\s|[\w:~<>.]+\(.*\)|/\S+:\d+|(?:Write|Read|Previous|Location|Mutex)\s)|={2}\d+={2}|SUMMARY:\s|$|={10,}$|=>0x|0x[0-9a-f]+\sis\s|(?:READ|WRITE|Read|Write|Previous)\s.*\b(?:of|by)\s
        |(?:freed|previously\sallocated|allocated)\sby\s|Shadow\s|Thread\sT\d|Goroutine\s\d|HINT:\s|\w+\sleak\sof\s
        |Address\s0x|Hint:\s|Addressable:
        """
    ),
)

ELIXIR_ERLANG = Language(
    "ERROR",
    _compiled(
        r"""
        (?:\*\*\s\((?:[A-Z]|exit|stop|throw) | \#PID\S+\srunning\s.*\sterminated$
          | (?:GenServer|Agent|State\smachine|Ranch\slistener|Task\s\#PID)\s?\S+(?:\s\S+)?\sterminating
          | Process\s\#PID\S+\sraised | CRASH\sREPORT\sProcess | \*\*\sGeneric\sserver\s)
        """
    ),
    _compiled(
        r"\s+(?:\(\w+\s[\d.]+\S*\)\s|\S+\.exs?:\d+|:?\w[\w.:]*[./]\w+[/(]|\*\*\s)|\*\*\s|\#PID|(?:Last\smessage|State|Function|Args|Initial\sCall|Ancestors|Queue|Client|Server|Request)\b.*|$"
    ),
)

ERLANG_REPORT = Language(
    "ERROR",
    _compiled(r"=(?:ERROR|CRASH|SUPERVISOR)\sREPORT===="),
    _compiled(r"\s+[\w\s]+:(?:\s|$)|\s{4,}in\s|Error\sin\sprocess|[{\[(].*[}\])],?$|\*\*\s"),
    ends=_compiled(r"\s*$"),
)

FLUTTER = Language(
    "ERROR", _compiled(r"═+╡\ EXCEPTION\ CAUGHT\ BY\ "), _compiled(r"[^═]|$"), ends=_compiled(r"═{10,}$")
)

GO_RECOVERED = Language(
    "ERROR",
    _compiled(r"(?:\[Recovery\]\s)?(?:\d[\d/:.\ -]+\s)?panic\ recovered:"),
    _compiled(r"$|\t|[A-Z]{3,7}\s\S+\sHTTP/|[\w-]+:\s|runtime\ error:|/\S+\.(?:go|s):\d+"),
    leads_to_any=_compiled(r".*recovered:$"),
)

GO_STACK = Language("ERROR", _compiled(r"(?!)"), _compiled(r"\t\S+\.(?:go|s):\d+|[\w./*()\-]+\.[\w.()*\[\]{}·…]+$"))

OTHER = Language("ERROR", _compiled(r"(?!)"), _compiled(r"$"))
"""A trace of which nothing but its calls is known."""

SWIFT = Language(
    "FATAL",
    _compiled(
        r"(?:\S+\.swift:\d+:\s)?(?:Fatal\serror|Precondition\sfailed|Assertion\sfailed):\s(?!Uncaught\s|exception\s)"
    ),
    _compiled(r"$|💣|Thread\s\d+.*crashed:|Registers:|Images\s\("),
)

OCAML = Language("FATAL", _compiled(r"Fatal\serror:\sexception\s"), _compiled(r"$"))

PERL = Language(
    "ERROR",
    _compiled(
        r"(?!Use\sof\suninit|Argument\s\"|Odd\snumber|Useless\s|Deep\srecur).{1,300}\sat\s\S+\.(?:p[lmh]|t|cgi)\sline\s\d+(?:,\s<\w*>\s\w+\s\d+)?\.$"
    ),
    _compiled(r"\t.*\scalled\sat\s|BEGIN\sfailed|Compilation\sfailed|Execution\sof\s\S+\saborted"),
)

R = Language(
    "ERROR",
    _compiled(r"Error\sin\s.{1,200}\s?:(?:\s|$)"),
    _compiled(r"Calls:\s|Execution\shalted|In\saddition:\s|Backtrace:|Caused\sby\serror|!\s|[ℹ✖•x]\s|▆"),
    leads_to_any=_compiled(r".*:\s*$"),
)

JULIA = Language(
    "ERROR",
    _compiled(r"ERROR:\s(?:LoadError:\s)?[A-Z]\w*(?:Error|Exception)\b"),
    _compiled(r"Stacktrace:|$|in\sexpression\sstarting\sat"),
)

DART_LUA_AND_OTHERS = Language(
    "ERROR",
    _compiled(
        r"""(?:Unhandled\ [Ee]xception:\s*$
          | \S+\[\d+\]:\ segfault\ at\s
          | lua\S*:\s\S+:\d+: | Stack\ overflow\.\s*$
          | Out\sof\smemory:\s[Kk]ill | \#\s?A\sfatal\serror\shas\sbeen\sdetected)"""
    ),
    _compiled(r"$|stack\straceback:|\#|\s+\S+:\d+:\sin\s|\s+\[C\]:"),
    leads_to_any=_compiled(r".*:\s*$"),
)

LINUX = Language(
    "FATAL",
    _compiled(r"BUG:\s(?:unable|kernel)\s | Oops:\ [0-9a-f]{4} | Kernel\ panic\ - | general\sprotection\sfault"),
    _compiled(
        r"""
        $ | \#PF:|Oops:|R[A-Z0-9]{2}:|Call\ Trace:|PGD\s|CPU:|Code:|CR2:|Hardware\sname:|Modules\slinked|FS:|Tainted|---\[
        | \s*</?\w+>$ | \s*\??\s?[\w.]+\+0x[0-9a-f]+/0x | Kernel\ panic
        """
    ),
)

DOTNET_CONSOLE = Language("ERROR", _compiled(r"(?:fail|crit):\ [\w.+`]+\[\d+\]\s*$"), _compiled(r"\s{6}"))

LANGUAGES = (
    PYTHON, PYTHON_GROUP, PYTHON_ANNOUNCED, GO, GO_SERVER, GO_RECOVERED, RUST, RUBY, PHP, OCAML, SWIFT, SANITIZER,
    CPLUSPLUS, ELIXIR_ERLANG, ERLANG_REPORT, FLUTTER, LINUX, DART_LUA_AND_OTHERS, R, JULIA, ANDROID, NODE_MEMORY,
    JAVA_NODE_DOTNET, NODE_SOURCE, DOTNET_CONSOLE, PERL,
)  # fmt: skip
