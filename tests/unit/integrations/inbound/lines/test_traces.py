"""Stack traces whose lines come one by one are one record; what stands beside them is not drawn in."""

from __future__ import annotations

import pytest

from detection.types import LogRecord
from integrations.inbound.lines.traces import MOST_LINES, join_traces
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
    ],
)
def test_lines_that_are_no_part_of_a_trace_stay_records_of_their_own(lines: list[str]) -> None:
    assert [record.body for record in joined(lines)] == lines


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


def test_a_trace_below_the_first_line_of_one_record_makes_it_grave() -> None:
    text = "lighting failed\njava.lang.IllegalStateException: no wick\n\tat com.example.Lamp.light(Lamp.java:12)"
    assert understand(text).severity == "ERROR"
    assert understand("INFO " + text).severity == "INFO"
