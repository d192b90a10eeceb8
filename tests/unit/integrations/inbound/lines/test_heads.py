"""The level at the head of a plain line, in the forms that loggers of all kinds write, and lines that only look so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.inbound.lines.heads import level_of

WITH_A_LEVEL = {
    "bare words": """
        ERROR|ERR lamp 3 is out
        FATAL|EMERG boiler over pressure
        FATAL|2026-02-07 12:00:00 CRIT no lamp left
        WARN|WRN lamp 3 flickers
        ERROR|SEVERE: lamp 3 is out
        DEBUG|DBG lamp 3 polled
        TRACE|VRB lamp 3 polled
        FATAL|DPANIC lamp 3 is out
        ERROR|*** ERROR *** lamp 3 is out
        ERROR|❌ ERROR: lamp 3 is out
        FATAL|CRITICAL - lamp 3 is out
    """,
    "words before a colon": """
        ERROR|error: could not compile `lamp`
        ERROR|Error: Cannot find module 'lamp'
        ERROR|error: no such lamp
        FATAL|fatal: not a git repository
        WARN|Warning: low oil
        ERROR|level:error lamp 3 is out
        ERROR|Internal error: lamp table is full
        ERROR|Error opening lamp.conf
    """,
    "Python": """
        ERROR|2026-02-07 12:00:00,123 - lamps - ERROR - lamp 3 is out
        ERROR|ERROR:root:lamp 3 is out
        WARN|WARNING:django.request:Not Found: /lamps/9
        ERROR|[2026-02-07 12:00:00 +0000] [12] [ERROR] lamp 3 is out
        ERROR|[2026-02-07 12:00:00,123: ERROR/ForkPoolWorker-1] Task lamps.light[a-b] raised
        ERROR|[2026-02-07T12:00:00.123+0000] {lamps.py:12} ERROR - lamp 3 is out
        ERROR|2026-02-07 12:00:00.123 | ERROR    | lamps:light:12 - lamp 3 is out
        ERROR|2026-02-07 12:00:00 [lamps.core] ERROR: lamp 3 is out
        INFO|INFO:     127.0.0.1:5000 - "GET /error HTTP/1.1" 500
    """,
    "Java and .NET": """
        ERROR|2026-02-07 12:00:00.123 ERROR 1 --- [           main] c.e.Lamps : lamp 3 is out
        ERROR|12:00:00.123 [http-nio-8080-exec-1] ERROR com.example.Lamps - lamp 3 is out
        ERROR|[2026-02-07 12:00:00,123] ERROR [Controller id=0] lamp 3 is out (kafka.controller)
        ERROR|12:00:00,123 ERROR [org.jboss.as] (MSC service thread 1-1) lamp 3 is out
        ERROR|07-Feb-2026 12:00:00.123 SEVERE [main] org.apache.Lamps.light lamp 3 is out
        ERROR|2026-02-07 12:00:00,123 main ERROR Unable to locate appender
        ERROR|[12:00:00 ERR] lamp 3 is out
        FATAL|2026-02-07 12:00:00.123 +00:00 [FTL] lamp 3 is out
        ERROR|2026-02-07 12:00:00.1234|ERROR|Lamps|lamp 3 is out
        ERROR|fail: Lamps.Worker[13]
        FATAL|crit: Lamps.Worker[13]
    """,
    "Go, Rust, Ruby, PHP, Erlang": """
        ERROR|E0207 12:00:00.000000       1 lamps.go:33] lamp 3 is out
        FATAL|F20260207 12:00:00.123456 12 lamps.cc:12] lamp 3 is out
        ERROR|E260207 12:00:00.123456 1 lamps/x.go:1 ⋮ [n1] lamp 3 is out
        ERROR|2026-02-07T12:00:00.000Z	error	lamps/x.go:1	lamp 3 is out	{"a":1}
        ERROR|8:00PM ERR lamp 3 is out
        ERROR|ERRO[0000] lamp 3 is out
        WARN|WARN [02-07|12:00:00.000] lamp 3 flickers
        ERROR|EROR[02-07|12:00:00] lamp 3 is out
        ERROR|2026-02-07 12:00:00.123 E | lamps: lamp 3 is out
        ERROR|[2026-02-07T12:00:00Z ERROR lamps] lamp 3 is out
        WARN|2026-02-07T12:00:00.000000Z  WARN lamps::wick: lamp 3 flickers
        ERROR|E, [2026-02-07T12:00:00.123456 #12] ERROR -- : lamp 3 is out
        FATAL|[07-Feb-2026 12:00:00 UTC] PHP Fatal error:  lamp 3 is out
        WARN|PHP Warning:  fopen(lamp): failed
        ERROR|[2026-02-07 12:00:00] production.ERROR: lamp 3 is out {"id":3}
        ERROR|=ERROR REPORT==== 7-Feb-2026::12:00:00 ===
        ERROR|12:00:00.123 [error] lamp 3 is out
    """,
    "servers and databases": """
        ERROR|2026/02/07 12:00:00 [error] 12#0: *1 open() "/error" failed
        FATAL|2026/02/07 12:00:00 [emerg] 12#0: bind() failed
        ERROR|[Sat Feb 07 12:00:00.123456 2026] [proxy_fcgi:error] [pid 1:tid 2] lamp 3 is out
        ERROR|2026-02-07 12:00:00.123 UTC [12] app@lamps ERROR:  relation "lamp" does not exist
        FATAL|2026-02-07 12:00:00.123 CET [12] FATAL:  the database system is starting up
        INFO|2026-02-07 12:00:00.123 UTC [12] LOG:  checkpoint complete
        ERROR|2026-02-07T12:00:00.123456Z 0 [ERROR] [MY-010123] [Server] lamp 3 is out
        INFO|2026-02-07T12:00:00.123456Z 0 [Note] [MY-010123] [Server] error log opened
        WARN|1:M 07 Feb 2026 12:00:00.123 # Can't save in background
        INFO|1:M 07 Feb 2026 12:00:00.123 * Background saving started
        ERROR|2026-02-07T12:00:00.123+0000 E NETWORK  [conn1] lamp 3 is out
        FATAL|[ALERT] 038/120000 (1) : Starting proxy lamps failed
        INFO|2026-02-07 12:00:00.123 UTC [12] STATEMENT:  INSERT INTO lamp VALUES ('ERROR: out')
        INFO|2026-02-07 12:00:00.123 UTC [12] DETAIL:  error: lamp 3 is out
        WARN|12:M 07 Feb 12:00:00.123 # Can't save in background
        WARN|[12] 07 Feb 12:00:00.123 # Can't save in background
        ERROR|ORA-01017: invalid username/password; logon denied
        ERROR|Errors in file /u01/trace/lamps_ora_12.trc  (incident=3):
        ERROR|SQLSTATE[HY000] [2002] Connection refused
        ERROR|2026-02-07 12:00:00.12 Logon       Error: 18456, Severity: 14, State: 8.
        FATAL|NOTICE: PHP message: PHP Fatal error:  Uncaught LampError: out in /srv/lamps.php:3
        WARN|2026/02/07 12:00:00 [error] 7#7: *1 FastCGI sent in stderr: "PHP message: PHP Warning:  lamp 3 flickers"
        ERROR|[07-Feb-2026 12:00:00] WARNING: [pool www] child 7 said into stderr: "ERROR: lamp 3 is out"
        WARN|[07-Feb-2026 12:00:00] WARNING: [pool www] child 7 said into stderr: "lamp 3 is out"
    """,
    "systems": """
        ERROR|E/LampService( 123): lamp 3 is out
        ERROR|02-07 12:00:00.123  1234  5678 E LampManager: lamp 3 is out
        ERROR|Feb  7 12:00:00 tower sshd[12]: error: PAM: Authentication failure
        ERROR|2026-02-07T12:00:00.000000000Z stderr F ERROR lamp 3 is out
        ERROR|web-1  | ERROR lamp 3 is out
        ERROR|[12:34:0207/120000.123456:ERROR:lamps.cc(12)] lamp 3 is out
        ERROR|npm ERR! code E404
        ERROR|<3>lamp 3 is out
        FATAL|<130>Feb  7 12:00:00 tower lamps: lamp 3 is out
        INFO|<14>Feb  7 12:00:00 tower lamps: lamp 3 is lit
        INFO|<11>INFO lamp 3 is lit
        WARN|<14>[warn] lamp 3 flickers
        WARN|%LAMP-4-FLICKER: lamp 3 flickers
        ERROR|[E] lamp 3 is out
        WARN|Warning! lamp 3 flickers
        ERROR|Error 404: no lamp
        ERROR|error[E0308]: mismatched wicks
        ERROR|lamps.c:3:5: error: expected ';'
        INFO|2026-02-07 INFO3 Lamp #0 lit
        ERROR|2026-02-07 ERROR2 Lamp #0 out
        ERROR|Zigbee2MQTT:error lamp 3 is out
        ERROR|[2026-02-07 12:00:00] error: 	z2m: lamp 3 is out
        ERROR|E (1234) wifi: lamp 3 is out
        ERROR|[E 260207 12:00:00 web:1] lamp 3 is out
        WARN|[W 2026-02-07 12:00:00.123 LampApp] lamp 3 flickers
        ERROR|[ERROR:flutter/runtime/lamps.cc(12)] lamp 3 is out
        ERROR|[12:00:00] [Lamp thread/ERROR]: lamp 3 is out
        ERROR|[2026-02-07T12:00:00,123][ERROR][o.e.b.Lamps  ] [node-1] lamp 3 is out
        WARN|Feb  7 12:00:00 tower postfix/smtpd[12]: warning: lamp 3 flickers
        WARN|npm WARN deprecated lamp@1
        INFO|2026-02-07T12:00:00.000Z	a1b2c3d4-1111-2222-3333-444455556666	INFO	error budget is left
        WARN|02-07 12:00:00.123 W/LampService( 123): lamp 3 flickers
        ERROR|[FAILED] Failed to start lamps.service.
        ERROR|Feb  7 12:00:00 tower kernel: [   12.345678] EXT4-fs error (device sda1): lamp 3 is out
        ERROR|E: Unable to locate package lamp
        ERROR|make[1]: *** [Makefile:3: lamps] Error 1
        ERROR|### ERROR: lamp 3 is out
        WARN|####<Feb 7, 2026 12:00:00 PM UTC> <Warning> <Lamps> <tower> lamp 3 flickers
    """,
}

WITHOUT_A_LEVEL = """
    Error budget report generated
    Error handling middleware registered
    Error reporting is enabled
    errors=0 warnings=0
    errors: 0
    error: 0
    error: null
    Error: none
    validation error: 0.31
    no error found
    3 ERROR responses in the last minute
    GET /error HTTP/1.1 500
    127.0.0.1 - - [07/Feb/2026:12:00:00 +0000] "GET /error?level=error HTTP/1.1" 500 12 "-" "curl"
    TRACE / HTTP/1.1
    Processing finished with ERROR
    retry after ERROR response
    lamp lit without error
    Information desk opened
    panic button installed
    Fatal attraction added to the list
    Critical section entered
    critical path computed
    Warning lights tested
    alert rules loaded
    notice period ends
    ERROR_CODE=5 set
    error_count: 5
    2026-02-07 12:00:00 error rate is 3%
    2026-02-07 12:00:00 alert manager started
    http://lamps.example/error: visited
    /api/error 200
    ERROR-404 page rendered
    ErrorHandler registered
    Debugging enabled
    E1 cable plugged
    I, robot
    [error handling module] started
    {"level": 3}
    <0.123.0> lamp lit
    <html>error</html>
    Errors were found
    Error: 0 errors
    ERROR: no failures found
    ERROR count: 0
    error: <nil>
    error: undefined
    error: success
    ORA-00000: normal, successful completion
""".strip().splitlines()


def cases() -> list[tuple[str, str]]:
    lines = [line.strip() for block in WITH_A_LEVEL.values() for line in block.strip().splitlines()]
    return [(line.partition("|")[2], line.partition("|")[0]) for line in lines]


@pytest.mark.parametrize(("line", "severity"), cases())
def test_the_level_at_the_head_of_a_line_is_found(line: str, severity: str) -> None:
    assert (level_of(line) or "INFO") == severity


@pytest.mark.parametrize(
    ("record", "severity"),
    [
        ("Feb 07, 2026 12:00:00 PM com.example.Lamps light\nSEVERE: lamp 3 is out", "ERROR"),
        ("Feb 7, 2026 12:00:00 PM com.example.Lamps light\nFINE: lamp 3 polled", "DEBUG"),
        ("Feb 07, 2026 12:00:00 PM com.example.Lamps light\nINFO: no ERROR yet", "INFO"),
        ("lamp 3 is lit\nERROR is only a word here", "INFO"),
    ],
)
def test_the_level_of_a_record_with_a_line_of_its_own_for_the_time_stands_below(record: str, severity: str) -> None:
    assert (level_of(record) or "INFO") == severity


@pytest.mark.parametrize("line", [line.strip() for line in WITHOUT_A_LEVEL])
def test_a_level_word_that_a_message_merely_says_is_no_level(line: str) -> None:
    assert level_of(line) is None


@given(st.text(alphabet="ERO ar:[]|-.(){}<>=0127\t/", max_size=400))
def test_any_line_is_judged_without_failing(line: str) -> None:
    assert level_of(line) in {None, "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
