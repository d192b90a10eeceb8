"""The `argux logs` group: compare log templates of two time windows."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.frame import open_services, plain_errors

logs = typer.Typer(help="What log lines say.", no_args_is_help=True)


@logs.command("diff")
def diff_logs(
    before: Annotated[str, typer.Option(help="START/END, such as 2026-02-07T11:00:00Z/2026-02-07T12:00:00Z.")],
    after: Annotated[str, typer.Option(help="START/END of the window to compare with it.")],
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
) -> None:
    """Show what the logs say in one window that they did not in another."""
    from bot.commands.log_diff import diff
    from bot.terminal import PlainConsole

    with plain_errors():
        diff(open_services(), before, after, service, PlainConsole())
