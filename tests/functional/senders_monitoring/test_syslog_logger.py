"""util-linux's `logger` over UDP, and over TCP with both kinds of framing."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from detection.types import LogRecord
from tests.functional.senders_monitoring.conftest import missing
from tests.functional.stack import eventually
from tests.functional.web import Web


def log(web: Web, *arguments: str, lines: str | None = None) -> None:
    binary = shutil.which("logger")
    if binary is None:
        missing("logger", "apt-get install bsdutils")
    command = [str(binary), "--server", "127.0.0.1", "--port", web.environment["SYSLOG_PORT"], *arguments]
    subprocess.run(command, input=lines, text=True, check=True, timeout=60)


def records_of(web: Web, service: str, count: int) -> list[LogRecord]:
    def found() -> list[LogRecord] | None:
        records = [record for record in web.logs() if record.service == service]
        return records if len(records) >= count else None

    return eventually(found, seconds=60, what=f"{count} messages of {service}")


@pytest.mark.parametrize(
    ("service", "transport"),
    [
        ("udp-modern", ["--udp", "--rfc5424"]),
        ("tcp-modern", ["--tcp", "--rfc5424"]),
        ("tcp-octets", ["--tcp", "--rfc5424", "--octet-count"]),
        ("udp-bsd", ["--udp", "--rfc3164"]),
        ("tcp-bsd", ["--tcp", "--rfc3164"]),
    ],
)
def test_a_message_of_logger_is_stored_with_its_level_and_its_program(
    web: Web, service: str, transport: list[str]
) -> None:
    since = time.time() - 1
    log(web, *transport, "--tag", service, "--priority", "user.err", "payment refused: Größe 5")

    [record] = records_of(web, service, 1)
    assert (record.severity, record.body) == ("ERROR", "payment refused: Größe 5")
    assert record.attributes["facility"] == 1
    assert since < record.happened_at < time.time() + 1


def test_structured_data_becomes_attributes(web: Web) -> None:
    log(
        web, "--tcp", "--rfc5424", "--tag", "structured", "--msgid", "pay",
        "--sd-id", "shop@32473", "--sd-param", 'order="17"', "refused",
    )  # fmt: skip

    [record] = records_of(web, "structured", 1)
    assert record.attributes["message_id"] == "pay"
    structured_data = record.attributes["structured_data"]
    assert isinstance(structured_data, dict)
    assert structured_data["shop@32473"] == {"order": "17"}


def test_many_lines_over_one_connection_all_arrive_and_equal_lines_are_all_kept(web: Web) -> None:
    lines = "".join(f"line {number % 250}\n" for number in range(500))
    log(web, "--tcp", "--rfc5424", "--tag", "many", lines=lines)

    records = records_of(web, "many", 500)
    assert len(records) == 500
    assert sorted(record.body for record in records) == sorted(lines.splitlines())
