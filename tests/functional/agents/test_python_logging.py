"""Python's own logging and structlog, set up as in docs/connecting.md."""

from __future__ import annotations

import logging
import logging.handlers
import re
import time
from pathlib import Path

import structlog

from detection.types import LogRecord
from integrations.inbound.monitoring.plain_line import line_record
from tests.functional.agents.conftest import PAGE, Records, recipe
from tests.functional.web import Web


def test_pythons_logging_through_syslog_arrives_with_its_service_and_its_level(web: Web, records_of: Records) -> None:
    service = "python-logging"
    setup = recipe(
        "Python's logging",
        **{"YOUR-ADDRESS": "127.0.0.1", "5514": web.environment["SYSLOG_PORT"], "shop": service},
    )
    logger, since = logging.Logger("payments"), time.time() - 1
    # The recipe adds the handler to the root logger; here to one that no other test has.
    mine = setup.replace("logging.getLogger()", "logger")
    names: dict[str, object] = {"logging": logging, "logger": logger}
    exec(mine, names)
    logger.error("payment %d refused: Größe", 17)
    logger.warning("stock is low")
    for handler in logger.handlers:
        handler.close()

    refused, low = sorted(records_of(service, 2), key=lambda record: record.severity)
    assert (refused.severity, refused.body) == ("ERROR", "payment 17 refused: Größe")
    assert (low.severity, low.body) == ("WARN", "stock is low")
    assert since < low.happened_at < time.time() + 1


def test_what_structlog_writes_is_read_by_its_fields(tmp_path: Path) -> None:
    section = PAGE.read_text().partition("## Python's logging\n")[2].partition("\n## ")[0]
    _, setup = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    file, since = tmp_path / "shop.log", time.time() - 1
    before = structlog.get_config()
    try:
        with file.open("w") as stream:
            exec(setup, {"structlog": structlog})
            logger = structlog.wrap_logger(structlog.PrintLogger(stream))
            logger.error("payment refused", order=17)
            logger.info("payment taken")
    finally:
        structlog.configure(**before)

    records = [read(line) for line in file.read_text().splitlines()]
    assert [(one.severity, one.body) for one in records] == [("ERROR", "payment refused"), ("INFO", "payment taken")]
    assert records[0].attributes["order"] == 17
    assert all(since < one.happened_at < time.time() + 1 for one in records)


def read(line: str) -> LogRecord:
    return line_record(line, "r1", "shop", now=time.time())
