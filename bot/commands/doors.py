"""What `argux doors` prints: what came in during the last hour, per sender, and what Argux understood of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from bot.reception.arrivals.door_words import door_words
from bot.reception.arrivals.glance import Understood
from bot.reception.arrivals.hints import hints, offset_text, remedy
from bot.reception.arrivals.reading import Refusal, Report, read_reports, sender_name
from bot.terminal import shown
from storage.keys import list_keys
from workers.services import Services
from workers.words.text import counted

REFRESH_SECONDS = 2.0
TABLE_WIDTH = 72
"""A narrower terminal, such as a phone's, shows the same numbers in lines instead of a table."""

SERVICES_SHOWN = 6

WATCHED = 3
"""How many senders are watched in detail: of more, what came last would be out of sight."""

EXAMPLE = """curl {address}/api/events -H 'X-API-Key: argux_…' -H 'Content-Type: application/json' \\
  -d '{{"event": "hello", "properties": {{"user_id": "me", "timestamp": "'$(date -u +%FT%TZ)'"}}}}'"""
"""What a newcomer can send at once."""


def show(services: Services, console: Console, *, most: int | None = None) -> None:
    """Print the reports, or how to begin where nothing came in. most: how many in detail, those that sent last."""
    with services.readers() as session:
        reports = read_reports(services, session)
        keys = [key.name for key in list_keys(session) if key.revoked_at is None]
    zone = services.settings.timezone
    if not reports:
        _print_how_to_begin(services, keys, console)
        return
    console.print(f"What came in during the last hour, until {services.clock().astimezone(zone):%H:%M:%S %Z}:")
    if console.width >= TABLE_WIDTH:
        console.print(_table(reports))
    detailed = reports if most is None else sorted(reports, key=lambda report: -report.last_at)[:most]
    for report in detailed:
        console.print()
        _print_report(report, zone, console)
    if len(detailed) < len(reports):
        rest = counted(len(reports) - len(detailed), "more sender")
        console.print(f"\n{rest}, in detail without --watch.")


def json_text(services: Services) -> str:
    """Return what GET /api/doors answers."""
    from bot.api.doors import doors_out

    return doors_out(services).model_dump_json(indent=2)


def watch(services: Services, console: Console, stop: threading.Event) -> None:
    """Show the reports again every two seconds, until told to stop: in detail those that sent last, to fit a screen."""
    while not stop.is_set():
        console.clear()
        show(services, console, most=WATCHED)
        stop.wait(REFRESH_SECONDS)


def _print_how_to_begin(services: Services, keys: Sequence[str], console: Console) -> None:
    settings = services.settings
    address = f"http://{settings.argux_host}:{settings.argux_port}"
    key = f"the key of {', '.join(keys[:5])}" if keys else "a key, which `argux keys create shop` makes"
    console.print(
        f"Nothing has come in during the last hour. Point a sender at {address} with {key}. docs/connecting.md has a "
        "recipe for each sender; this one needs no more than curl:"
    )
    # Not wrapped, so that it can be copied.
    console.print(f"\n{EXAMPLE.format(address=address)}\n", soft_wrap=True)
    console.print(
        "Is something sending already? Then it does not reach this Argux: look at its address, and at what it logs."
    )


def _table(reports: Sequence[Report]) -> Table:
    table = Table("sender · door", box=None, padding=(0, 1, 0, 0))
    for name in ("records", "refused", "late", "again", "unnamed", "clock"):
        table.add_column(name, justify="right")
    for report in reports:
        counts = (report.records, report.refused.total(), report.late, report.duplicates, report.unnamed)
        clock = offset_text(report.clock_offset_seconds)
        table.add_row(shown(_heading(report)), *(f"{count:,}" for count in counts), clock)
    return table


def _heading(report: Report) -> str:
    return f"{sender_name(report)} · {report.door}"


def _print_report(report: Report, zone: ZoneInfo, console: Console) -> None:
    path = door_words(report.door).path
    console.print(shown(f"{_heading(report)} ({path}), last at {_clock(report.last_at, zone)}"), style="bold")
    _print_inside(console, 2, _counts(report))
    if services := _services(report):
        _print_inside(console, 2, services)
    for one in report.latest:
        _print_inside(console, 4, _understood(one, zone))
    for refusal, times in _last_refusals(report.refusals):
        _print_inside(console, 4, _refusal(refusal, times, zone))
    for hint in hints(report):
        _print_inside(console, 2, f"→ {hint}")


def _print_inside(console: Console, indent: int, text: str) -> None:
    console.print(Padding(shown(text), (0, 0, 0, indent), expand=False))


def _counts(report: Report) -> str:
    parts = [counted(report.records, "record")]
    parts += [f"{report.duplicates:,} again"] if report.duplicates else []
    parts += [f"{report.late:,} late"] if report.late else []
    parts += [f"{report.unnamed:,} of no known service"] if report.unnamed else []
    if report.refused:
        reasons = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in report.refused.most_common())
        parts.append(f"refused: {reasons}")
    if report.clock_offset_seconds is not None:
        parts.append(f"clock: {offset_text(report.clock_offset_seconds)}")
    return " · ".join(parts)


def _services(report: Report) -> str:
    """Return the services with most records, such as "services: shop 1,200, cart 40 and 3 more"."""
    most = report.services.most_common(SERVICES_SHOWN)
    rest = len(report.services) - len(most)
    names = ", ".join(f"{name} {count:,}" for name, count in most)
    return f"services: {names}{f' and {rest:,} more' if rest else ''}" if names else ""


def _understood(one: Understood, zone: ZoneInfo) -> str:
    parts = (one.kind, _clock(one.happened_at, zone), one.service, one.severity, one.words)
    return " ".join(part for part in parts if part)


def _last_refusals(refusals: Sequence[Refusal]) -> Sequence[tuple[Refusal, int]]:
    """Return the last refusals, each with how often it stands there: a sender repeats its mistake."""
    times = Counter((one.reason, one.message) for one in refusals)
    latest = {(one.reason, one.message): one for one in refusals}
    return sorted(((one, times[what]) for what, one in latest.items()), key=lambda found: found[0].at)


def _refusal(one: Refusal, times: int, zone: ZoneInfo) -> str:
    mend = remedy(one.reason, one.message)
    what = f"refused {_clock(one.at, zone)}{f', {times} times' if times > 1 else ''} {one.reason.replace('_', ' ')}"
    return f"{what}: {one.message.rstrip('.')}{f'. To mend it: {mend}' if mend else ''}."


def _clock(seconds: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(seconds, zone):%H:%M:%S}"
