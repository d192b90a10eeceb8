"""Go, Rust, C++, Swift, OCaml and the kernel: what they print when they fail."""

from __future__ import annotations

from integrations.inbound.lines.language import Language, compiled

GO = Language(
    "FATAL",
    compiled(
        r"""
        (?:panic:\s | fatal\ error:\s | goroutine\s\d+(?:\sgp=\S+)?(?:\sm=\S+)?(?:\smp=\S+)?\s\[
          | SIG(?:SEGV|ABRT|BUS|FPE|ILL|QUIT):\s | unexpected\ fault\ address)
        """
    ),
    compiled(
        r"""
        goroutine\s\d+ | $ | \t\S | \s+\S+\.(?:go|s):\d+ | (?:created\ by|exit\ status|runtime:|runtime\ stack:)\s?
        | [\w./*()\-\[\]·{},~%]+\(.*\)$ | \[signal\s | \[recovered\] | \.\.\.additional\ frames
        | (?:PC|SP|r[a-z0-9]{1,2}|rip|rflags|[cfg]s)[=\s]
        """
    ),
)

GO_SERVER = Language("ERROR", compiled(r"http2?:\spanic\sserving\s"), GO.goes_on)

GO_RECOVERED = Language(
    "ERROR",
    compiled(r"(?:\[Recovery\]\s)?(?:\d[\d/:.\ -]+\s)?panic\ recovered:"),
    compiled(r"$|\t|[A-Z]{3,7}\s\S+\sHTTP/|[\w-]+:\s|runtime\ error:|/\S+\.(?:go|s):\d+"),
    leads_to_any=compiled(r".*recovered:$"),
)

GO_STACK = Language("ERROR", compiled(r"(?!)"), compiled(r"\t\S+\.(?:go|s):\d+|[\w./*()\-]+\.[\w.()*\[\]{}·…]+$"))

RUST = Language(
    "FATAL",
    compiled(r"thread\s'[^'\n]*'\s(?:\(\d+\)\s)?(?:panicked\sat\s|has\soverflowed)|thread\s\d+\spanic:"),
    compiled(r"note:\s|stack\ backtrace:|\s+\d+:\s|\s+at\s|$"),
    leads_to_any=compiled(r".*:\s*$"),
)

CPLUSPLUS = Language(
    "FATAL",
    compiled(
        r"""
        (?:terminate\scalled\s | Fatal\sPython\serror: | terminating\s(?:due\sto|with)\suncaught\s | libc\+\+abi:\s
          | \*{3}\s(?:stack\ssmashing|buffer\soverflow|Aborted|SIG|Error\sin)
          | Segmentation\sfault | Aborted\s\(core | (?:double\sfree|free\(\):|malloc\(\):|corrupted\ssize)
          | (?:Program|Thread\s\d+\s.{1,80})\s(?:received|terminated\ with)\ssignal\sSIG
          | \S+:\s\S+:\d+:\s.*Assertion\s.*failed | Assertion\sfailed: | (?:Bus\serror|Illegal\sinstruction)\s?\(core)
        """
    ),
    compiled(r"\s+what\(\):|Aborted|(?:Current\s)?[Tt]hread\s0x|\s*\#\d+\s|$|\s+(?:PC|@)\s"),
)

SANITIZER = Language(
    "ERROR",
    compiled(
        r"""
        ==\d+==\s?ERROR:\s | WARNING:\s(?:ThreadSanitizer|MemorySanitizer|DATA\ RACE)
        | \S+:\d+:\d+:\sruntime\serror:\s
        | ==\d+==\s(?:Invalid\s(?:read|write|free)|Conditional\sjump|Process\sterminating)
        """
    ),
    compiled(
        r"""
        \s+(?:\#\d+\s|[\w:~<>.]+\(.*\)|/\S+:\d+|(?:Write|Read|Previous|Location|Mutex)\s)
        |={2}\d+={2}|SUMMARY:\s|$|={10,}$|=>0x|0x[0-9a-f]+\sis\s|(?:READ|WRITE|Read|Write|Previous)\s.*\b(?:of|by)\s
        |(?:freed|previously\sallocated|allocated)\sby\s|Shadow\s|Thread\sT\d|Goroutine\s\d|HINT:\s|\w+\sleak\sof\s
        |Address\s0x|Hint:\s|Addressable:
        """
    ),
)

SWIFT = Language(
    "FATAL",
    compiled(
        r"(?:\S+\.swift:\d+:\s)?(?:Fatal\serror|Precondition\sfailed|Assertion\sfailed):\s(?!Uncaught\s|exception\s)"
    ),
    compiled(r"$|💣|Thread\s\d+.*crashed:|Registers:|Images\s\("),
)

OCAML = Language("FATAL", compiled(r"Fatal\serror:\sexception\s"), compiled(r"$"))

LINUX = Language(
    "FATAL",
    compiled(r"BUG:\s(?:unable|kernel)\s | Oops:\ [0-9a-f]{4} | Kernel\ panic\ - | general\sprotection\sfault"),
    compiled(
        r"""
        $ | \#PF:|Oops:|R[A-Z0-9]{2}:|Call\ Trace:|PGD\s|CPU:|Code:|CR2:|Hardware\sname:
        |Modules\slinked|FS:|Tainted|---\[
        | \s*</?\w+>$ | \s*\??\s?[\w.]+\+0x[0-9a-f]+/0x | Kernel\ panic
        """
    ),
)
