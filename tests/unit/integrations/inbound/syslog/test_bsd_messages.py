"""BSD syslog as servers, libraries and network devices write it: who says it, and no message lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.types import LogRecord
from integrations.inbound.reading.records import FieldError
from integrations.inbound.syslog.message import read_syslog

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC).timestamp()
NOON = "Feb  7 11:59:00"


def read(text: str) -> LogRecord:
    return read_syslog(text.encode(), "syslog:1", now=NOW)


@pytest.mark.parametrize(
    ("written", "seconds_ago"),
    [
        ("2026-02-07T11:59:00.250000+00:00", 59.75),
        ("2026-02-07T11:59:00Z", 60),
        ("2026-02-07T13:59:00+0200", 60),
        ("2026-02-07 06:59:00,500 -05:00", 59.5),
        ("2026-02-07T11:59:00", 0),
        ("Feb  7 06:59:00", 0),
        ("Feb  7 2026 11:59:00", 0),
        ("2026 Feb  7 11:59:00.123", 0),
        ("Sat Feb  7 11:59:00 2026", 0),
        ("1999-02-07T11:59:00Z", 0),
    ],
)
@pytest.mark.parametrize("host", ["dairy ", "10.1.2.3 ", "2001:db8::7 ", "fe80::1%eth0 ", ""])
def test_a_time_with_its_zone_counts_and_any_other_becomes_the_time_of_arrival(
    written: str, seconds_ago: float, host: str
) -> None:
    record = read(f"<27>{written} {host}churn[88]: butter stuck")
    assert (record.service, record.severity, record.body) == ("churn", "ERROR", "butter stuck")
    assert record.happened_at == NOW - seconds_ago
    assert record.attributes.get("host", "") == host.strip()
    assert record.attributes["process"] == "88"


@pytest.mark.parametrize(
    ("text", "service", "host"),
    [
        ("<189>88012: *Feb  7 11:59:00.123: %SYS-5-CONFIG_I: Configured", "SYS", None),
        ("<187>88013: .Feb  7 11:59:00.120 CET: %LINK-3-UPDOWN: Interface is down", "LINK", None),
        ("<189>88014: edge-1: *Feb  7 11:59:00.123 UTC: %BGP-5-ADJCHANGE: neighbor down", "BGP", "edge-1"),
        ("<189>88014: 004711: Feb  7 2026 11:59:00 CET: %OSPF-5-ADJCHG: Process 1", "OSPF", None),
        ("<189>88015: 1w2d: %PORT_SECURITY-2-PSECURE_VIOLATION: Security violation", "PORT_SECURITY", None),
        ("<189>88016: 00:00:46: %LINEPROTO-5-UPDOWN: Line protocol up", "LINEPROTO", None),
        ("<189>88017: %SEC-6-IPACCESSLOGP: list 10 denied", "SEC", None),
        ("<189>: 2026 Feb  7 11:59:00 UTC: %ETHPORT-5-IF_UP: Interface up", "ETHPORT", None),
        ("<189>: 2026 Feb  7 11:59:00.123 n9k %VPC-4-ROLE: Role change", "VPC", "n9k"),
        ("<166>Feb  7 2026 11:59:00 wall : %ASA-6-302013: Built inbound", "ASA", "wall"),
        ("<166>:Feb  7 11:59:00 UTC: %ASA-session-6-302014: Teardown", "ASA", None),
        ("<166>%FTD-6-430003: EventPriority: Low", "FTD", None),
        ("<189>Feb  7 11:59:00 10.0.0.9 88018: *Feb  7 11:59:00: %SYS-5-RESTART: System restarted", "SYS", "10.0.0.9"),
        ("<134>wlc: *spam: Feb  7 11:59:00.123: #CAPWAP-3-ECHO: Did not receive", "CAPWAP", "wlc"),
    ],
)
def test_a_network_device_is_named_by_its_part_and_never_by_its_counter(
    text: str, service: str, host: str | None
) -> None:
    record = read(text)
    assert record.service == service
    assert record.attributes.get("host") == host
    assert record.body.startswith(("%", "#"))
    assert "8801" not in record.body
    assert "4711" not in record.body


@pytest.mark.parametrize(
    ("text", "service", "body"),
    [
        (f"<30>{NOON} mx mgd[12]: UI_COMMIT: done", "mgd", "UI_COMMIT: done"),
        (f"<30>{NOON} ap rpd[1]: %DAEMON-5-RPD_X: y", "rpd", "%DAEMON-5-RPD_X: y"),
        ("<190>88: rt RP/0/RP0/CPU0:Feb  7 11:59:00.1 UTC: bgp[7]: %ROUTING-BGP-5-ADJ : Up", "bgp", "%ROUTING-BGP-5"),
        (f"<190>{NOON} 10.0.0.3 00076 ports: port 1 on-line", "ports", "port 1 on-line"),
        (f"<30>{NOON} board firewall,info input: in:ether1", "firewall", "firewall,info input"),
        ("<30>dhcp,info lease deassigned", "dhcp", "dhcp,info lease deassigned"),
        (f"<134>{NOON} f CEF:0|Vendor|Gate Keeper|1|2|drop|3|src=1", "Gate Keeper", "CEF:0|Vendor"),
        (f"<134>{NOON} f LEEF:2.0|Vendor|Sieve|1|2|", "Sieve", "LEEF:2.0|"),
        ("<166>2026-02-07T11:59:00.1Z esx Vpxa: info vpxa[2]: x", "Vpxa", "info vpxa[2]: x"),
        (f"<13>{NOON} Message forwarded from aix: cron[12]: x", "cron", "x"),
        (f"<13>{NOON} lb notice tmm[5]: 0107 x", "tmm", "0107 x"),
        (f'<30>{NOON} ("U7,f09fc2abcdef,v4.0.1") hostapd: x', "hostapd", "x"),
        ("<14>Mini 7483c04f9d75,USW_FLEX-1.8.6.694: NETDEV: Setup done", "NETDEV", "Setup done"),
        (f"<14>{NOON} Attic 7483c04f9d75,U6-6.6.55: hostapd[7]: x", "hostapd", "x"),
        (f"<189>{NOON} core %%01IFNET/4/LINK_STATE(l)[1]:down", "IFNET", "%%01IFNET/4/LINK_STATE(l)[1]:down"),
        ("<190>%AAA-I-CONNECT: New connection", "AAA", "%AAA-I-CONNECT: New connection"),
        ("2026-02-07T11:59:00+01:00 fw CEF:0|Check Point|VPN-1|1|", "VPN-1", "CEF:0|"),
        (f"<141>{NOON} 2026 aruba stm[3]: <501093> <NOTI> x", "stm", "<501093> <NOTI> x"),
        (f"<14>{NOON} WIN MSWinEventLog\t1\tSecurity", "MSWinEventLog", "1\tSecurity"),
        (f"<22>{NOON} mail postfix/smtpd[9]: connect", "postfix/smtpd", "connect"),
        (f"<86>{NOON} db sshd(pam_unix)[7]: x", "sshd", "x"),
        (f"<14>{NOON} /usr/local/bin/vat[7]: x", "vat", "x"),
        (f"<30>{NOON} h vat/5790672ab6a0[7]: x", "vat", "x"),
        (f"<14>{NOON} h {'long-' * 20}[web.1]: x", "long-" * 20, "x"),
        ("<14>vat: x", "vat", "x"),
        (f"{NOON} h vat[7]: without a priority", "vat", "without a priority"),
        ("10 <14>vat: x", "vat", "x"),
        ("\ufeff<14>" + NOON + " h vat: \ufeffx", "vat", "\ufeffx"),
        ("<134>1 1770465540.774247467 MX flows src=1.2.3.4", "flows", "flows src=1.2.3.4"),
    ],
)
def test_a_program_is_named_by_its_tag_in_every_form(text: str, service: str, body: str) -> None:
    record = read(text)
    assert record.service == service
    assert record.body.startswith(body)


@pytest.mark.parametrize(
    "text",
    [
        "<11>Error: disk full",
        "<11>ERROR:root:disk full",
        "<11>java.io.IOException: broken pipe",
        "<11>404: not found",
        "<14>payment refused: order 5",
        '<189>date=2026-02-07 time=11:59:00 devname="fw" msg="a: b"',
        "<999>vat: no header follows",
        "<-1>payment refused: order 5",
        "404 pages not found",
        "vat: only text",
        "2026-02-07 11:59:00 ERROR payment refused",
        "2026-02-07 11:59:00 INFO worker: started",
    ],
)
def test_text_without_a_header_is_kept_whole_and_names_no_service(text: str) -> None:
    record = read(text)
    assert record.service == "unknown_service"
    assert record.body == text.removeprefix("<11>").removeprefix("<14>").removeprefix("<189>")


@pytest.mark.parametrize("priority", ["<192>", "<999>", "<-1>", "<>", "<100000>"])
def test_a_priority_that_cannot_be_spoils_no_header(priority: str) -> None:
    record = read(f"{priority}{NOON} dairy churn[88]: butter stuck")
    assert (record.service, record.body, record.attributes["host"]) == ("churn", "butter stuck", "dairy")
    assert "facility" not in record.attributes


@pytest.mark.parametrize(
    "time",
    [
        f"{NOON} CET", f"{NOON} UTC 2026", "07 Feb 2026 11:59:00", "Sat, 07 Feb 2026 11:59:00 +0100",
        "2026/02/07 11:59:00", "02/07/2026:11:59:00 GMT", "7-Feb-2026 11:59:00.120", f"{NOON} 2026 EST",
    ],
)  # fmt: skip
def test_a_time_in_another_form_is_no_part_of_the_message(time: str) -> None:
    record = read(f"<27>{time} dairy churn[88]: butter stuck")
    assert (record.service, record.body, record.attributes["host"]) == ("churn", "butter stuck", "dairy")


@pytest.mark.parametrize(
    ("text", "service", "host", "severity"),
    [
        (f"<13>{NOON} relay <11>{NOON} dairy churn[88]: stuck", "churn", "dairy", "ERROR"),
        (f"<13>{NOON} relay <11>1 2026-02-07T11:59:00Z dairy churn - - - stuck", "churn", "dairy", "ERROR"),
        (f"<11>{NOON} relay {NOON} dairy churn[88]: stuck", "churn", "dairy", "ERROR"),
        (f"<11>{NOON} dairy 2026-02-07T11:59:00.123Z churn[88]: stuck", "churn", "dairy", "ERROR"),
        (f"<14>{NOON} 10.0.0.9 1 1770465540.774247467 MX64 urls src=1.2.3.4", "urls", "MX64", "INFO"),
        (f'<13>{NOON} 10.0.0.9 <188>date=2026-02-07 devname="FG-1" msg="x"', "unknown_service", "10.0.0.9", "WARN"),
    ],
)
def test_a_relays_header_gives_way_to_the_senders(text: str, service: str, host: str, severity: str) -> None:
    record = read(text)
    assert (record.service, record.attributes["host"], record.severity) == (service, host, severity)
    assert "11:59:00" not in record.body


@pytest.mark.parametrize(
    ("rest", "service"),
    [
        ("Cheese Media Server[7]: x", "Cheese Media Server"),
        ("churn::worker[7]: x", "churn::worker"),
        ("churn,vat[7]: x", "churn,vat"),
        ("churn-fpm[pool www][7]: x", "churn-fpm"),
        ("churn-password]: x", "churn-password"),
        ('ASM:unit="x"', "ASM"),
        ("CEF: 0|Vendor|Sieve|1|2|drop|3|", "Sieve"),
        ("%$ VDC-2 %$ %ETHPORT-5-IF_DOWN: x", "ETHPORT"),
        ("[dairy:raid.scan.done:info]: x", "raid"),
        ('{"service":"churn","msg":"x"}', "churn"),
        ("2-PPE-1 : default SSLLOG SSL_HANDSHAKE 7 0 : x", "SSLLOG"),
        ("order failed for user[7]: x", "unknown_service"),
        ("Severity: Informational, MessageID: U1", "unknown_service"),
        ("11:59 vat is full[7]: x", "unknown_service"),
    ],
)
def test_odd_tags_name_the_program_and_ordinary_words_do_not(rest: str, service: str) -> None:
    assert read(f"<14>{NOON} dairy {rest}").service == service


def test_a_device_that_writes_pairs_is_known_by_its_own_name() -> None:
    assert read('<189>date=2026-02-07 time=11:59:00 devname="FG-1" msg="a"').attributes["host"] == "FG-1"
    assert "host" not in read('<189>user said devname="FG-1"').attributes


@pytest.mark.parametrize(
    ("rest", "host"),
    [
        ("h last message repeated 3 times", "h"),
        ("last message repeated 3 times", None),
        ("h 5790672ab6a0[7]: x", "h"),
        ("h 88012: x", "h"),
        ("h error: disk full", "h"),
        ("PA-220 1,2026/02/07 11:59:00,01234,TRAFFIC", "PA-220"),
        ('{"msg": "x"}', None),
    ],
)
def test_what_follows_a_time_without_a_program_is_of_an_unknown_service(rest: str, host: str | None) -> None:
    record = read(f"<14>{NOON} {rest}")
    assert record.service == "unknown_service"
    assert record.attributes.get("host") == host
    assert NOON not in record.body


def test_a_message_keeps_its_lines_and_loses_what_ends_it() -> None:
    record = read(f"<11>{NOON} h vat[7]: Traceback\n  File x\nKeyError: y\r\n\x00")
    assert record.body == "Traceback\n  File x\nKeyError: y"


def test_where_no_host_is_named_the_senders_address_is_kept() -> None:
    assert read_syslog(b"<14>vat: x", "1", now=NOW, sender="10.0.0.9").attributes["sender"] == "10.0.0.9"
    named = read_syslog(f"<14>{NOON} h vat: x".encode(), "1", now=NOW, sender="10.0.0.9")
    assert "sender" not in named.attributes


@given(st.one_of(st.binary(max_size=80), st.from_regex(r"<\d{1,3}>(\d+: )?[*.]?\w{3} \d+ [\d:]+ .*", fullmatch=True)))
def test_any_message_is_stored_or_empty(message: bytes | str) -> None:
    data = message.encode() if isinstance(message, str) else message
    try:
        record = read_syslog(data, "1", now=NOW)
    except FieldError:
        assert not data.decode("utf-8", "replace").strip("\ufeff\r\n\x00 \t")
    else:
        assert record.service
        assert any(character.isalpha() for character in record.service)
