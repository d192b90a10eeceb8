"""rsyslog and syslog-ng hand on what programs of their machine log, as docs/connecting.md sets them up."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.agents.conftest import Records, UnpackedAgent, recipe
from tests.functional.web import Web

BASE_OF_RSYSLOG = """
global(workDirectory="{directory}" parser.escapeControlCharactersOnReceive="off")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{socket}" CreatePath="on")
"""
"""What stands in Debian's rsyslog.conf, with a socket of this test's own."""

BASE_OF_SYSLOG_NG = """
@version: 3.35
source s_src {{ unix-dgram("{socket}"); }};
"""


def started_rsyslog(web: Web, directory: Path, framing: str) -> Iterator[UnpackedAgent]:
    directory.mkdir()
    agent = UnpackedAgent("rsyslogd", directory)
    ours = recipe(
        "rsyslog", **{"YOUR-ADDRESS": "127.0.0.1", "5514": web.environment["SYSLOG_PORT"], "octet-counted": framing}
    )
    agent.configuration.write_text(BASE_OF_RSYSLOG.format(directory=directory, socket=agent.socket) + ours)
    [modules] = agent.root.glob("usr/lib/*-linux-gnu/rsyslog")
    with agent.running("-n", "-f", str(agent.configuration), "-i", str(directory / "pid"), "-M", str(modules)):
        yield agent


@pytest.fixture(scope="module")
def rsyslog(web: Web, agent_directory: Path) -> Iterator[UnpackedAgent]:
    yield from started_rsyslog(web, agent_directory / "counted", "octet-counted")


@pytest.fixture(scope="module")
def rsyslog_by_lines(web: Web, agent_directory: Path) -> Iterator[UnpackedAgent]:
    yield from started_rsyslog(web, agent_directory / "lines", "traditional")


@pytest.fixture(scope="module")
def syslog_ng(web: Web, agent_directory: Path) -> Iterator[UnpackedAgent]:
    directory = agent_directory / "ng"
    directory.mkdir()
    agent = UnpackedAgent("syslog-ng", directory)
    ours = recipe("syslog-ng", **{"YOUR-ADDRESS": "127.0.0.1", "5514": web.environment["SYSLOG_PORT"]})
    agent.configuration.write_text(BASE_OF_SYSLOG_NG.format(socket=agent.socket) + ours)
    [modules] = (agent.root / "usr/lib/syslog-ng").glob("[0-9]*")
    with agent.running(
        "--foreground", "--no-caps", f"--cfgfile={agent.configuration}", f"--module-path={modules}",
        f"--persist-file={directory / 'persist'}", f"--pidfile={directory / 'pid'}", f"--control={directory / 'ctl'}",
    ):  # fmt: skip
        yield agent


AGENTS = ["rsyslog", "rsyslog_by_lines", "syslog_ng"]


@pytest.mark.parametrize("name", AGENTS)
def test_a_programs_message_arrives_with_its_service_severity_time_and_host(
    request: pytest.FixtureRequest, records_of: Records, name: str
) -> None:
    agent: UnpackedAgent = request.getfixturevalue(name)
    service, since = f"till-{name.replace('_', '-')}", time.time() - 1
    agent.log("card refused: Größe 5", service=service, priority="user.err")
    agent.log("card taken", service=service, priority="daemon.info")

    refused, taken = sorted(records_of(service, 2), key=lambda record: record.happened_at)
    assert (refused.severity, refused.body.strip()) == ("ERROR", "card refused: Größe 5")
    assert (taken.severity, taken.body.strip()) == ("INFO", "card taken")
    assert all(since < record.happened_at < time.time() + 1 for record in (refused, taken))
    assert refused.attributes["host"] in (socket.gethostname(), socket.gethostname().partition(".")[0])


@pytest.mark.parametrize("name", AGENTS)
def test_a_message_that_begins_with_a_number_loses_nothing(
    request: pytest.FixtureRequest, records_of: Records, name: str
) -> None:
    agent: UnpackedAgent = request.getfixturevalue(name)
    service = f"numbers-{name.replace('_', '-')}"
    for words in ("500 errors in a row", "12", "end"):
        agent.log(words, service=service, priority="user.warning")
    assert sorted(record.body.strip() for record in records_of(service, 3)) == ["12", "500 errors in a row", "end"]


@pytest.mark.parametrize("name", ["rsyslog", "syslog_ng"])
def test_a_message_of_several_lines_stays_one(request: pytest.FixtureRequest, records_of: Records, name: str) -> None:
    agent: UnpackedAgent = request.getfixturevalue(name)
    service = f"lines-{name.replace('_', '-')}"
    agent.say(f"<11>{service}: it failed\n  at shop.py:7\n  at till.py:9")
    agent.say(f"<14>{service}: and goes on")
    failed, goes_on = sorted(records_of(service, 2), key=lambda record: record.severity)
    assert failed.body.split() == ["it", "failed", "at", "shop.py:7", "at", "till.py:9"]
    assert goes_on.body.strip() == "and goes on"


def test_argux_doors_shows_what_came_of_it(web: Web, rsyslog: UnpackedAgent, records_of: Records) -> None:
    rsyslog.log("look at me", service="shown", priority="user.crit")
    records_of("shown", 1)
    senders = web.api.get("/api/doors").raise_for_status().json()["senders"]
    [report] = [one for one in senders if one["door"] == "syslog"]
    assert report["services"]["shown"] == 1
    assert report["clock_offset_seconds"] is not None
    assert report["refused"].get("malformed", 0) == 0
