"""Stack traces whose lines come one by one are one record; what stands beside them is not drawn in."""

from __future__ import annotations

import pytest

from detection.types import LogRecord
from integrations.inbound.lines.open_trace import MOST_LINES
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.lines.understanding import understand
from integrations.inbound.reading.bounds import TEXT_LIMIT

TRACES = {
    "Python, chained": """\
Traceback (most recent call last):
  File "/srv/lamps.py", line 12, in light
    return wicks[name]
           ~~~~~^^^^^^
KeyError: 'wick-2'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/lamps.py", line 14, in light
    raise LampOut("no wick") from None
lamps.errors.LampOut: no wick""",
    "Python, exception group": """\
  + Exception Group Traceback (most recent call last):
  |   File "/srv/lamps.py", line 3, in <module>
  |     raise ExceptionGroup("many", errors)
  | ExceptionGroup: many (1 sub-exception)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +------------------------------------""",
    "Python, printed by a logger": """\
ERROR:lamps:lighting failed
Traceback (most recent call last):
  File "/srv/lamps.py", line 3, in <module>
    1/0
ZeroDivisionError: division by zero""",
    "Python, of a thread": """\
Exception in thread Thread-1 (light):
Traceback (most recent call last):
  File "/srv/lamps.py", line 3, in light
socket.timeout: timed out""",
    "Python, of a task": """\
Task exception was never retrieved
future: <Task finished name='Task-2' exception=KeyError('wick')>
Traceback (most recent call last):
  File "/srv/lamps.py", line 3, in light
KeyError: 'wick'""",
    "Java": """\
Exception in thread "lamp-1" java.lang.IllegalStateException: no wick
	at com.example.Lamp.light(Lamp.java:12)
	Suppressed: java.io.IOException: closed
		at com.example.Io.close(Io.java:3)
Caused by: java.io.IOException: closed
	at com.example.Io.read(Io.java:9)
	... 2 more""",
    "Java, printed by a logger": """\
2026-02-07 12:00:00.123 ERROR 1 --- [main] c.e.Lamp : lighting failed
java.lang.IllegalStateException: no wick
	at com.example.Lamp.light(Lamp.java:12)
	... 12 common frames omitted""",
    "Kotlin": """\
kotlin.UninitializedPropertyAccessException: lateinit property wick has not been initialized
	at LampKt.light(Lamp.kt:3)""",
    "Node, uncaught": """\
/srv/lamps.js:12
    throw new TypeError("wick is undefined");
    ^

TypeError: wick is undefined
    at light (/srv/lamps.js:12:11)
    at node:internal/main/run_main_module:28:49 {
  code: 'ERR_WICK',
  [cause]: Error: inner
      at wick (/srv/wick.js:1:2)
}

Node.js v20.1.0""",
    "Node, logged": """\
Error: connect ECONNREFUSED 127.0.0.1:5432
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1494:16) {
  errno: -111,
  syscall: 'connect'
}""",
    "Go": """\
panic: runtime error: index out of range [5] with length 3 [recovered]
	panic: again
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48]

goroutine 1 [running]:
main.light({0xc000, 0x1}, 0x5)
	/srv/lamps.go:12 +0x1d
main.(*Lamp).run(...)
	/srv/lamps.go:20
created by net/http.(*Server).Serve in goroutine 1
	/usr/lib/go/src/net/http/server.go:3086 +0x5cb
exit status 2""",
    "Ruby": """\
/srv/lamps.rb:12:in `light': undefined method `wick' for nil:NilClass (NoMethodError)
	from /srv/lamps.rb:20:in `run'
	from /srv/lamps.rb:25:in `<main>'""",
    "Rails": """\
ActionView::Template::Error (undefined method 'wick' for nil):
    1: <p>
    2: <%= wick %>

app/views/lamp.erb:2:in 'light'
app/controllers/lamps.rb:3:in 'index'""",
    "PHP": """\
PHP Fatal error:  Uncaught RuntimeException: no wick in /srv/lamps.php:12
Stack trace:
#0 /srv/lamps.php(20): Lamp->light()
#1 {main}
  thrown in /srv/lamps.php on line 12""",
    ".NET": """\
Unhandled exception. System.InvalidOperationException: no wick
 ---> System.IO.IOException: closed
   at Lamps.Io.Read() in /srv/Io.cs:line 9
   --- End of inner exception stack trace ---
   at Program.Main()""",
    ".NET, printed by a logger": """\
fail: Lamps.Worker[0]
      lighting failed
      System.Exception: no wick
         at Lamps.Worker.Run() in /srv/Worker.cs:line 3""",
    "Rust": """\
thread 'main' panicked at src/lamps.rs:12:5:
index out of bounds: the len is 3 but the index is 5
stack backtrace:
   0: rust_begin_unwind
             at /rustc/x/library/std/src/panicking.rs:645:5
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.""",
    "Rust, before 1.73": """\
thread 'tokio-runtime-worker' panicked at 'no wick', src/lamps.rs:12:5
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace""",
    "C++": """\
terminate called after throwing an instance of 'std::runtime_error'
  what():  no wick
Aborted (core dumped)""",
    "Elixir": """\
** (RuntimeError) no wick
    (lamps 0.1.0) lib/lamps.ex:12: Lamps.light/1
    (stdlib 4.0) gen_server.erl:1: :gen_server.try/3""",
    "Elixir, a server": """\
12:00:00.123 [error] GenServer #PID<0.123.0> terminating
** (RuntimeError) no wick
    (lamps 0.1.0) lib/lamps.ex:12: Lamps.light/1
Last message: :light
State: %{wick: nil}""",
    "Erlang": """\
=CRASH REPORT==== 7-Feb-2026::12:00:00.123 ===
  crasher:
    initial call: lamps:init/1
    exception error: no wick""",
    "Dart": """\
Unhandled exception:
Bad state: no wick
#0      light (file:///srv/lamps.dart:3:5)
#1      main (file:///srv/lamps.dart:7:3)""",
    "Java, a message of several lines": """\
org.example.LampCreationException: Error creating lamp 'wick':
Invocation of light failed; nested exception is below
	at org.example.Lamp.light(Lamp.java:1)
Caused by: org.example.NoWick: none left
in the drawer
	at org.example.Drawer.open(Drawer.java:3)
	... 3 more""",
    "Java, a class that no rule names": """\
com.example.lamps.LampOut: lamp 7 is out
	at com.example.Lamps.light(Lamps.java:12)
	at com.example.Lamps.main(Lamps.java:1)""",
    "Spring, a blank line before the exception": """\
2026-02-07T12:00:00.000Z ERROR 1 --- [exec-1] o.a.Servlet    : Servlet.service() threw exception

java.lang.IllegalStateException: no wick
	at com.example.Lamp.light(Lamp.java:1) ~[!/:0.0.1]""",
    "Node, words before the error": """\
Lighting failed: Error: no wick
    at light (/srv/lamps.js:3:9)
    at async main (file:///srv/main.mjs:9:3)""",
    "Node, a cause within a cause": """\
Error: lighting failed
    at light (/srv/lamps.js:3:9) {
  [cause]: TypeError: fetch failed
      at Object.fetch (node:internal/deps/undici/undici:11372:11) {
    cause: Error: connect ECONNREFUSED 127.0.0.1:3000
        at TCPConnectWrap.afterConnect (node:net:1494:16) {
      errno: -111,
      port: 3000
    }
  }
}""",
    "Node, several errors": """\
AggregateError [ECONNREFUSED]:
    at internalConnectMultiple (node:net:1114:18) {
  [errors]: [
    Error: connect ECONNREFUSED ::1:5432
        at createConnectionError (node:net:1634:14) {
      errno: -111
    },
    Error: connect ECONNREFUSED 127.0.0.1:5432
        at createConnectionError (node:net:1634:14)
  ]
}""",
    "Node, a message of several lines": """\
LampKnownRequestError:
Invalid `lamp.light()` invocation:


Unique constraint failed on the fields: (`wick`)
    at handle (/srv/node_modules/lamps/library.js:121:7268) {
  code: 'P2002'
}""",
    "Node, out of memory": """\
<--- Last few GCs --->

[1:0x5] 12345 ms: Mark-sweep 2047 (2082) -> 2046 MB

FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
 1: 0xb090e0 node::Abort() [node]
 2: 0xa1b70e  [node]""",
    "Firefox": """\
TypeError: can't access property "wick", lamp is undefined
light@https://lamps.example/app.js:12:5
@https://lamps.example/app.js:20:1""",
    "Python, a file that cannot be read": """\
  File "/srv/lamps.py", line 3
    def light(:
              ^
SyntaxError: invalid syntax""",
    "Python, of SQLAlchemy": """\
Traceback (most recent call last):
  File "/srv/lamps.py", line 3, in light
sqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) duplicate key
DETAIL:  Key (id)=(7) already exists.

[SQL: INSERT INTO lamp (id) VALUES (%(id)s)]
[parameters: {'id': 7}]
(Background on this error at: https://sqlalche.me/e/20/gkpj)""",
    "Python, of pydantic": """\
Traceback (most recent call last):
  File "/srv/lamps.py", line 3, in light
pydantic_core._pydantic_core.ValidationError: 2 validation errors for Lamp
wick
  Field required [type=missing, input_value={}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.1/v/missing
oil
  Field required [type=missing, input_value={}, input_type=dict]""",
    "Python, of loguru": """\
2026-02-07 12:00:00.123 | ERROR    | lamps:light:12 - lighting failed
Traceback (most recent call last):

> File "/srv/lamps.py", line 12, in <module>
    light()
    └ <function light at 0x7f>

ZeroDivisionError: division by zero""",
    "Ruby, the newest call last": """\
Traceback (most recent call last):
	1: from /srv/lamps.rb:5:in `<main>'
/srv/lamps.rb:3:in `light': undefined method `wick' for nil (NoMethodError)""",
    "Go, zap in development": """\
2026-02-07T12:00:00.000Z	ERROR	lamps/main.go:12	lighting failed	{"lamp": 3}
main.light
	/srv/lamps/main.go:12
runtime.main
	/usr/local/go/src/runtime/proc.go:250""",
    "Go, klog": """\
E0207 12:00:00.000000       1 runtime.go:79] Observed a panic: no wick
goroutine 34 [running]:
main.light({0x1, 0x2})
	/srv/lamps/main.go:75 +0x99""",
    "Rust, anyhow": """\
Error: could not read the lamps

Caused by:
    0: open /etc/lamps
    1: No such file or directory (os error 2)""",
    "PHP, Laravel": """\
[2026-02-07 12:00:00] production.ERROR: no wick {"exception":"[object] (LampError(code: 0): no wick at /srv/a.php:12)
[stacktrace]
#0 /srv/vendor/lamps.php(255): light()
#1 {main}
"}""",
    "Elixir, Phoenix": """\
12:00:00.123 request_id=F1 [error] #PID<0.500.0> running LampWeb.Endpoint (stream id 1) terminated
Server: localhost:4000 (http)
Request: GET /lamps
** (exit) an exception was raised:
    ** (RuntimeError) no wick
        (lamps 0.1.0) lib/lamp_web/c.ex:3: LampWeb.C.light/2""",
    "Erlang, a process": """\
=ERROR REPORT==== 7-Feb-2026::12:00:00.123456 ===
Error in process <0.84.0> with exit value:
{badarith,[{lamps,light,1,[{file,"lamps.erl"},{line,3}]}]}""",
    "Swift": """\
Lamps/Wick.swift:600: Fatal error: Index out of range
Current stack trace:
0    libswiftCore.so                    0x00007f1234567890 _swift_stdlib_reportFatalErrorInFile + 112""",
    "Dart, asynchronous": """\
Unhandled exception:
Bad state: no wick
#0      List.first (dart:core-patch/growable_array.dart:343:5)
<asynchronous suspension>
#1      light (file:///srv/lamps.dart:3:5)""",
    "Flutter": """\
══╡ EXCEPTION CAUGHT BY WIDGETS LIBRARY ╞══════════════════════════
The following assertion was thrown building Lamp:
no wick

#0      light (package:lamps/lamps.dart:3:5)
═══════════════════════════════════════════════════════════════════""",
    "Perl": """\
no wick at /srv/lamps.pl line 3.
	main::light(7) called at /srv/lamps.pl line 9""",
    "Haskell": """\
lamps: Prelude.head: empty list
CallStack (from HasCallStack):
  error, called at libraries/base/GHC/List.hs:1646:3 in base:GHC.List""",
    "Clojure": """\
Execution error (ArithmeticException) at lamps/light (REPL:1).
Divide by zero""",
    "R": """\
Error in light(3) : object 'wick' not found
Calls: main -> light
Execution halted""",
    "Lua in nginx": """\
2026/02/07 12:00:00 [error] 7#7: *1 lua entry thread aborted: runtime error: /srv/lamps.lua:3: no wick
stack traceback:
coroutine 0:
	/srv/lamps.lua: in function <lamps.lua:1>, client: 10.0.0.1, server: lamps""",
    "Julia": """\
ERROR: LoadError: DomainError with -1.0:
a lamp was called with a negative argument
Stacktrace:
 [1] light(x::Float64)
   @ Lamps ./lamps.jl:33""",
    "OCaml": """\
Fatal error: exception Not_found
Raised at Stdlib__List.find in file "list.ml", line 1
Called from Lamps.light in file "lamps.ml", line 3, characters 4-9""",
    "C++, a sanitizer": """\
=================================================================
==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x60 at pc 0x4
READ of size 4 at 0x60 thread T0
    #0 0x4 in light /srv/lamps.c:5:10

0x60 is located 0 bytes inside of 4-byte region [0x60,0x64)
freed by thread T0 here:
    #0 0x4 in free
SUMMARY: AddressSanitizer: heap-use-after-free /srv/lamps.c:5:10 in light
==12==ABORTING""",
    "C++, a debugger": """\
Program received signal SIGSEGV, Segmentation fault.
0x000055 in light () at lamps.c:3
3	  *wick = 1;
#0  0x000055 in light () at lamps.c:3""",
    "C++, glog": """\
F20260207 12:00:00.000000    12 lamps.cc:3] Check failed: wick != 1
*** Check failure stack trace: ***
    @     0x7f1234  google::LogMessage::Fail()""",
    "Linux": """\
BUG: kernel NULL pointer dereference, address: 0000000000000000
#PF: supervisor read access in kernel mode
Oops: 0000 [#1] SMP PTI
RIP: 0010:light+0x12/0x30 [lamps]
Call Trace:
 <TASK>
 wick+0x1/0x2
 </TASK>""",
    "PowerShell": """\
Get-Lamp : Cannot find lamp 7 because it does not exist.
At line:1 char:1
+ Get-Lamp 7
    + CategoryInfo          : ObjectNotFound: (7:String) [Get-Lamp], LampNotFoundException""",
    "Android, each line with its head": """\
E/AndroidRuntime( 1234): FATAL EXCEPTION: main
E/AndroidRuntime( 1234): Process: com.example.lamps, PID: 1234
E/AndroidRuntime( 1234): java.lang.NullPointerException: no wick
E/AndroidRuntime( 1234): 	at com.example.Lamp.light(Lamp.java:1)""",
    "Ruby, each line with its head": """\
F, [2026-02-07T12:00:00.000000 #1] FATAL -- : [a1b2] LampController::RoutingError (No route matches "/x"):
F, [2026-02-07T12:00:00.000001 #1] FATAL -- : [a1b2] \x20
F, [2026-02-07T12:00:00.000002 #1] FATAL -- : [a1b2] app/lamps.rb:3:in `light'""",
    "Docker Compose, each line with its head": """\
web-1  | Traceback (most recent call last):
web-1  |   File "/srv/lamps.py", line 3, in light
web-1  | KeyError: 'wick'""",
}


def records(lines: list[str], name: str = "a", *, apart: float = 0.001) -> list[LogRecord]:
    understood = [understand(line) for line in lines]
    return [
        LogRecord(f"{name}{place}", "lamps", None, 1000 + place * apart, found.severity, found.body)
        for place, found in enumerate(understood)
    ]


def joined(lines: list[str]) -> list[LogRecord]:
    return join_traces(records(lines), [None] * len(lines)).records


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_is_one_grave_record_and_its_neighbours_stay(name: str) -> None:
    trace = TRACES[name]
    found = joined(["INFO lamp 1 lit", "lamp 2 lit", *trace.split("\n"), "INFO lamp 3 lit", "order 7 taken"])
    assert [record.body for record in found] == [
        "INFO lamp 1 lit",
        "lamp 2 lit",
        trace,
        "INFO lamp 3 lit",
        "order 7 taken",
    ]
    assert found[2].severity in ("ERROR", "FATAL")


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("other", ["Java", "Go", "Python, chained", "Node, uncaught"])
def test_traces_of_two_sources_are_not_mixed_and_two_of_one_source_stay_two(name: str, other: str) -> None:
    one, two = TRACES[name].split("\n"), TRACES[other].split("\n")
    both: list[tuple[LogRecord, str]] = []
    firsts, seconds = records(one), records(two, "b")
    for place in range(max(len(one), len(two))):
        both += [(record, "one") for record in firsts[place : place + 1]]
        both += [(record, "two") for record in seconds[place : place + 1]]
    found = join_traces([record for record, _ in both], [source for _, source in both]).records
    assert sorted(record.body for record in found) == sorted([TRACES[name], TRACES[other]])
    assert [record.body for record in joined([*one, *two])] == [TRACES[name], TRACES[other]]


@pytest.mark.parametrize(
    "lines",
    [
        ["ERROR lamp 3 is out", "  see the manual"],
        ["ERROR lamp 3 is out", "TypeError: wick is undefined"],
        ["2026-02-07 12:00:00 ERROR lamp 3 is out", "TypeError: wick is undefined"],
        ["KeyError: 'wick'", "ERROR lamp 3 is out"],
        ["Traceback (most recent call last):", "INFO: lamp 3 lit"],
        ["Traceback (most recent call last):", "lamps: lit"],
        ["panic: no wick", "INFO lamp 3 lit", "main.main()"],
        ["Unhandled rejection TypeError: wick", "2026-02-07 12:00:00 lamp 3 lit"],
        ["thread 'main' panicked at src/lamps.rs:1:1:", "2026-02-07T12:00:00Z  INFO lamps: lit"],
        ["INFO lamp 1 lit", "\tat the harbour", "   at the pier"],
        ["lamps:", "  at noon (north)", "  from wall:3", "#1 lamp", "#2 lamp"],
        ["Error: no oil", "lamp 3 lit", "lamp 4 lit"],
        ["KeyError: 'wick'", "  first try", "  second try", "done"],
        ["Stack trace is off", "lamp 3 lit"],
        ["{", '  "lamp": 3,', "}"],
        ["SELECT wick", "  FROM lamp", "  WHERE id = 3"],
    ],
)
def test_lines_that_are_no_part_of_a_trace_stay_records_of_their_own(lines: list[str]) -> None:
    assert [record.body for record in joined(lines)] == lines


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("after", ["  an indented message", "lamp 7 lit", "12 lamps lit", "* done", "[lamp] lit"])
def test_a_line_after_a_trace_that_is_no_part_of_it_is_not_swallowed(name: str, after: str) -> None:
    found = joined(["before it all", *TRACES[name].split("\n"), after])
    assert [record.body for record in found] == ["before it all", TRACES[name].rstrip(), after]


def test_traces_of_two_processes_in_one_stream_are_told_apart_by_what_stands_before_each_line() -> None:
    one = [f"web-1  | {line}" for line in TRACES["Java"].split("\n")]
    two = [f"web-2  | {line}" for line in TRACES["Java"].split("\n")]
    mixed = [line for pair in zip(one, two, strict=True) for line in pair]
    assert [record.body for record in joined(mixed)] == ["\n".join(one), "\n".join(two)]


def test_a_stack_below_a_warning_keeps_the_level_of_the_warning() -> None:
    lines = ["2026-02-07T12:00:00.000Z\tWARN\tlamps/main.go:12\tslow", "main.light", "\t/srv/lamps/main.go:12"]
    [record] = joined(lines)
    assert (record.severity, record.body) == ("WARN", "\n".join(lines))


def test_the_rest_of_a_trace_whose_beginning_came_before_is_one_record_and_no_second_error() -> None:
    lines = ["\tat com.example.Lamp.light(Lamp.java:12)", "\tat com.example.Lamp.main(Lamp.java:1)", "\t... 2 more"]
    [record] = joined(lines)
    assert (record.severity, record.body) == ("INFO", "\n".join(lines))


def test_an_error_that_no_logger_printed_with_the_trace_stays_a_record_of_its_own() -> None:
    found = joined(["ERROR lamp 3 is out", *TRACES["Java"].split("\n")])
    assert [record.body for record in found] == ["ERROR lamp 3 is out", TRACES["Java"]]


def test_lines_that_are_seconds_apart_are_not_joined() -> None:
    lines = TRACES["Java"].split("\n")
    assert len(join_traces(records(lines, apart=10.0), [None] * len(lines)).records) == len(lines)


def test_the_id_of_a_trace_is_the_same_when_sent_again_and_another_when_cut_elsewhere() -> None:
    lines = records(TRACES["Java"].split("\n"))
    [whole] = join_traces(lines, [None] * len(lines)).records
    [again] = join_traces(lines, [None] * len(lines)).records
    [shorter] = join_traces(lines[:-1], [None] * (len(lines) - 1)).records
    assert whole.record_id == again.record_id
    assert len({whole.record_id, shorter.record_id, lines[0].record_id}) == 3


def test_a_long_trace_keeps_both_its_ends_and_an_endless_one_is_cut() -> None:
    frames = [f'  File "/srv/lamps.py", line {n}, in light' for n in range(500)]
    [record] = joined(["Traceback (most recent call last):", *frames, "RecursionError: too deep"])
    assert len(record.body) <= TEXT_LIMIT
    assert record.body.startswith("Traceback (most recent call last):")
    assert record.body.endswith("RecursionError: too deep")
    endless = joined(["Traceback (most recent call last):", *["  frame"] * (2 * MOST_LINES)])
    assert len(endless) == MOST_LINES + 2


def test_a_trace_at_the_end_is_told_to_be_unfinished() -> None:
    lines = records(TRACES["Java"].split("\n"))
    assert join_traces(lines, [None] * len(lines)).is_unfinished
    later = [*lines, *records(["INFO lamp lit"], "b")]
    assert not join_traces(later, [None] * len(later)).is_unfinished


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("LampError: no wick", "ERROR"),
        ("Lamps.Data.LampException (0x80131904): no wick", "ERROR"),
        ("Feb  7 12:00:00 tower kernel: lamps[12]: segfault at 0 ip 0 sp 0 error 4 in lamps", "ERROR"),
        ("Feb  7 12:00:00 tower lamps[12]: LampError: no wick", "ERROR"),
        ("java.lang.NullPointerException: null", "ERROR"),
        ("psycopg2.OperationalError: server closed the connection", "ERROR"),
        ("2026/02/07 12:00:00 http: panic serving 10.0.0.1:5: no wick", "ERROR"),
        ("Uncaught (in promise) TypeError: wick is undefined", "ERROR"),
        ("(node:12) UnhandledPromiseRejectionWarning: Error: no wick", "ERROR"),
        ("Segmentation fault (core dumped)", "FATAL"),
        ("lamps: lamps.c:12: light: Assertion `wick' failed.", "FATAL"),
        ("Caught LampError: recovered", "INFO"),
        ("retrying after TimeoutError: slow", "INFO"),
        ("ReadError: 0", "INFO"),
        ("com.example.Lamp: lit", "INFO"),
        ("ErrorBoundary: mounted", "INFO"),
        ("SIGTERM: shutting down", "INFO"),
        ("\tat com.example.Lamp.light(Lamp.java:12)", "INFO"),
    ],
)
def test_a_line_that_names_an_exception_is_grave_and_one_that_speaks_of_it_is_not(line: str, severity: str) -> None:
    assert understand(line).severity == severity


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_that_comes_as_one_record_is_grave(name: str) -> None:
    assert understand(TRACES[name]).severity in ("ERROR", "FATAL")


def test_a_trace_below_the_first_line_of_one_record_makes_it_grave() -> None:
    text = "lighting failed\njava.lang.IllegalStateException: no wick\n\tat com.example.Lamp.light(Lamp.java:12)"
    assert understand(text).severity == "ERROR"
    assert understand("INFO " + text).severity == "INFO"
