"""The `argux maintenance` group: start, list and end maintenance windows, in which no message is sent."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.frame import echo, open_services, open_to_change, plain_errors

maintenance = typer.Typer(help="Windows in which incidents are recorded and nobody is told.", no_args_is_help=True)


@maintenance.command("start")
def start_maintenance(
    service: Annotated[str, typer.Argument(help='A service or a funnel, by its name, or "everything".')],
    length: Annotated[str | None, typer.Option("--for", help="How long: 45m, 2h, 1h30m, 2d.")] = None,
    until: Annotated[str | None, typer.Option(help="Its end instead: 2026-02-07 23:00, in the team's time.")] = None,
    begins: Annotated[str | None, typer.Option("--from", help="Its beginning; now, where it is left out.")] = None,
    reason: Annotated[str, typer.Option(help="What is done meanwhile.")] = "",
) -> None:
    """Start a window, now or later."""
    from bot.commands.maintenance import start

    with plain_errors():
        echo(start(open_to_change(), service, length=length, until=until, begins=begins, reason=reason))


@maintenance.command("list")
def list_maintenance(past: Annotated[bool, typer.Option("--past", help="Those that are over, too.")] = False) -> None:
    """List the windows that run or are to come."""
    from bot.commands.maintenance import list_text

    with plain_errors():
        echo(list_text(open_services(), past=past))


@maintenance.command("end")
def end_maintenance(
    window: Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="Its number, as the list shows it.")],
) -> None:
    """End a window now, or call one off; what it kept quiet and still goes on is told."""
    from bot.commands.maintenance import end

    with plain_errors():
        echo(end(open_to_change(), window))
