"""The `argux limits` group: add, list and remove metric limits."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.frame import echo, open_services, open_to_change, plain_errors

limits = typer.Typer(help="Levels that metrics must not reach.", no_args_is_help=True)


@limits.command("add")
def add_limit(
    name: Annotated[str, typer.Argument(help="The metric, such as queue.depth.")],
    limit: Annotated[float, typer.Argument(help="The level, in the metric's own unit.")],
    service: Annotated[str | None, typer.Option(help="Of one service alone; otherwise of every one.")] = None,
    below: Annotated[bool, typer.Option("--below", help="It must not fall to it, instead of not rise to it.")] = False,
    horizon: Annotated[str, typer.Option(help="How far ahead to look: 45m, 6h, 3d.")] = "6h",
) -> None:
    """Watch a limit; the same metric, service and direction again moves it."""
    from bot.commands.limits import add

    with plain_errors():
        echo(add(open_to_change(), name, limit, service=service, above=not below, horizon=horizon))


@limits.command("list")
def list_limits() -> None:
    """List the limits that people set, and those that come with Argux."""
    from bot.commands.limits import list_text

    with plain_errors():
        echo(list_text(open_services()))


@limits.command("remove")
def remove_limit(limit: Annotated[int, typer.Argument(help="Its number, as the list shows it.")]) -> None:
    """Watch a limit no more."""
    from bot.commands.limits import remove

    with plain_errors():
        echo(remove(open_to_change(), limit))
