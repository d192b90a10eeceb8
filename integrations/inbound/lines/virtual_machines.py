"""The languages of the JVM, .NET, JavaScript, Erlang's machine and Flutter: what they print when they fail."""

from __future__ import annotations

from integrations.inbound.lines.language import Language, compiled

_CLASS = r"(?:[A-Za-z_$][\w$]*[.\\:]{1,2})*[A-Z][\w$]*"
_RAISED = (
    rf"(?:{_CLASS}+(?:(?<=.Error)|(?<=.Exception)|(?<=.Throwable)|(?<=.ExceptionGroup))|KeyboardInterrupt|SystemExit)"
)
_MESSAGE = (
    r"(?=$|\s*:(?:\s|$)|\s+\[|\s\(0x[0-9a-fA-F]+\):)(?!:\s*(?:\d+(?:\.\d+)?%?|none|nil|no|false)\s*$"
    r"|:\s*(?:0|no)\s+(?:errors?|failures?|issues?)\b)"
)

JAVA_NODE_DOTNET = Language(
    "ERROR",
    compiled(
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
    compiled(
        r"""
        \s+at\s\S+\( | \s*--->\s | \s*-{3}\sEnd\ of\s | \s*\[CIRCULAR\ REFERENCE | \s+\[cause\]:? | \s+\[errors\]:?
        | $ | Node\.js\sv\d | \#\d+\s
        """
    ),
    leads_to_any=compiled(r"(?:Execution|Syntax)\ error\ \("),
)

NODE_MEMORY = Language(
    "FATAL",
    compiled(r"<---\ Last\ few\ GCs|FATAL\ ERROR:\ .*(?:JavaScript\ heap|Allocation\ failed)"),
    compiled(r"$|\[\d+:0x|<---\s|FATAL\ ERROR:\s|-{5}\sNative"),
)

ANDROID = Language(
    "FATAL",
    compiled(r"FATAL\ EXCEPTION:\s"),
    compiled(r"(?:Process|PID):\s"),
    hands_over=JAVA_NODE_DOTNET,
)

NODE_SOURCE = Language(
    "ERROR",
    compiled(r"(?:(?:file://|/|[A-Z]:\\)\S{1,300}\.[cm]?[jt]sx?|node:[\w/]{1,100}):\d+$"),
    compiled(r"\s+\S|throw\s|$"),
    leads_to_any=compiled(r".*\d$"),
    hands_over=JAVA_NODE_DOTNET,
)

DOTNET_CONSOLE = Language("ERROR", compiled(r"(?:fail|crit):\ [\w.+`]+\[\d+\]\s*$"), compiled(r"\s{6}"))

ELIXIR_ERLANG = Language(
    "ERROR",
    compiled(
        r"""
        (?:\*\*\s\((?:[A-Z]|exit|stop|throw) | \#PID\S+\srunning\s.*\sterminated$
          | (?:GenServer|Agent|State\smachine|Ranch\slistener|Task\s\#PID)\s?\S+(?:\s\S+)?\sterminating
          | Process\s\#PID\S+\sraised | CRASH\sREPORT\sProcess | \*\*\sGeneric\sserver\s)
        """
    ),
    compiled(
        r"\s+(?:\(\w+\s[\d.]+\S*\)\s|\S+\.exs?:\d+|:?\w[\w.:]*[./]\w+[/(]|\*\*\s)|\*\*\s|\#PID|"
        r"(?:Last\smessage|State|Function|Args|Initial\sCall|Ancestors|Queue|Client|Server|Request)\b.*|$"
    ),
)

ERLANG_REPORT = Language(
    "ERROR",
    compiled(r"=(?:ERROR|CRASH|SUPERVISOR)\sREPORT===="),
    compiled(r"\s+[\w\s]+:(?:\s|$)|\s{4,}in\s|Error\sin\sprocess|[{\[(].*[}\])],?$|\*\*\s"),
    ends=compiled(r"\s*$"),
)

FLUTTER = Language("ERROR", compiled(r"═+╡\ EXCEPTION\ CAUGHT\ BY\ "), compiled(r"[^═]|$"), ends=compiled(r"═{10,}$"))
