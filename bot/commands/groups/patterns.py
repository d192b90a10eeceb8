"""The `argux patterns` group: add, list, test, switch and remove named log patterns."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.frame import echo, open_services, open_to_change, plain_errors

patterns = typer.Typer(help="Named patterns of log lines.", no_args_is_help=True)


@patterns.command("add")
def add_pattern(
    name: Annotated[str, typer.Argument(help="What to call it, such as payment-declined.")],
    regex: Annotated[str, typer.Argument(help="A regular expression in RE2's syntax, found anywhere in a line.")],
    severity: Annotated[str, typer.Option(help="How bad an incident it opens: sev1 (the worst) to sev4.")] = "sev3",
    description: Annotated[str, typer.Option(help="What such a line means.")] = "",
) -> None:
    """Watch for a pattern in every line that comes in from now on."""
    from bot.commands.patterns import add

    with plain_errors():
        services = open_to_change()
        with services.sessions.begin() as session:
            add(services, session, name, regex, severity, description)
    echo(f"Watching for {name}.")


@patterns.command("list")
def list_patterns() -> None:
    """List the built-in patterns and your own."""
    from bot.commands.patterns import print_all
    from bot.terminal import PlainConsole

    with plain_errors(), open_services().readers() as session:
        print_all(session, PlainConsole())


@patterns.command("test")
def try_pattern(
    pattern: Annotated[str, typer.Argument(help="The name of a pattern, or a regular expression.")],
    subject: Annotated[str | None, typer.Argument(help="A file or a text; otherwise what comes in.")] = None,
) -> None:
    """Show which lines a pattern matches; exit code 1 when there is none."""
    from bot.commands.patterns import print_matches
    from bot.terminal import PlainConsole

    with plain_errors(), open_services().readers() as session:
        code = print_matches(session, pattern, subject, PlainConsole())
    raise typer.Exit(code)


@patterns.command("on")
def turn_pattern_on(name: Annotated[str, typer.Argument(help="The pattern's name.")]) -> None:
    """Look for a pattern again."""
    _switch_pattern(name, enabled=True)


@patterns.command("off")
def turn_pattern_off(name: Annotated[str, typer.Argument(help="The pattern's name; a built-in one too.")]) -> None:
    """Look for a pattern no more, and keep it."""
    _switch_pattern(name, enabled=False)


@patterns.command("remove")
def remove_pattern(name: Annotated[str, typer.Argument(help="The pattern's name.")]) -> None:
    """Forget one of your own patterns."""
    from bot.commands.patterns import remove

    with plain_errors():
        services = open_to_change()
        with services.sessions.begin() as session:
            remove(services, session, name)
    echo(f"{name} is removed.")


def _switch_pattern(name: str, *, enabled: bool) -> None:
    from bot.commands.patterns import switch

    with plain_errors():
        services = open_to_change()
        with services.sessions.begin() as session:
            switch(services, session, name, enabled=enabled)
    echo(f"{name} is {'on' if enabled else 'off'}.")
