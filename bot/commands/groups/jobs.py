"""The `argux jobs` group: list, retry and dismiss the jobs that failed for good."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.frame import echo, open_services, open_to_change, plain_errors

jobs = typer.Typer(help="Jobs that failed for good: retry them, or dismiss them.", no_args_is_help=True)

JobIds = Annotated[list[int] | None, typer.Argument(min=1, max=2**31 - 1, help="Their numbers, as the list shows.")]


@jobs.command("list")
def list_jobs() -> None:
    """List the jobs that failed for good, newest first: what each was to do, and why it failed."""
    from bot.commands.jobs import list_text

    with plain_errors():
        echo(list_text(open_services()))


@jobs.command("retry")
def retry_jobs(
    job: JobIds = None, all_of_them: Annotated[bool, typer.Option("--all", help="Every one.")] = False
) -> None:
    """Try jobs anew, at once and with all their attempts."""
    from bot.commands.jobs import retry

    with plain_errors():
        echo(retry(open_to_change(), job or (), all_of_them=all_of_them))


@jobs.command("dismiss")
def dismiss_jobs(
    job: JobIds = None, all_of_them: Annotated[bool, typer.Option("--all", help="Every one.")] = False
) -> None:
    """Dismiss jobs: they are not done, and are counted no more."""
    from bot.commands.jobs import dismiss

    with plain_errors():
        echo(dismiss(open_to_change(), job or (), all_of_them=all_of_them))
