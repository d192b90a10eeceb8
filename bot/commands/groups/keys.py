"""The `argux keys` group: create, list and revoke API keys."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.frame import echo, fail, open_services, open_to_change, plain_errors

keys = typer.Typer(help="API keys for the HTTP doors.", no_args_is_help=True)

_ALLOWS = {
    "ingest": "It may only send data; `--role operator` makes a key for the API.",
    "operator": "It may do everything: give it to no application that only sends data.",
}


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Whose key it is, such as shop or grafana.")],
    role: Annotated[str, typer.Option(help="ingest may only send data; operator may do all.")] = "ingest",
) -> None:
    """Make a key and show it, once."""
    from bot.commands.keys import create
    from storage import keys as stored

    if not name.strip():
        fail("The key needs a name: whose it is, such as shop or grafana.")
    if role not in stored.ROLES:
        fail(f"--role must be one of {', '.join(stored.ROLES)}, not {role}.")
    with plain_errors():
        services = open_to_change()
        with services.sessions.begin() as session:
            secret = create(services, session, name, role)
    echo(secret)
    echo(f"Keep it now: it is not shown again. {_ALLOWS[role]}", err=True)


@keys.command("list")
def list_keys() -> None:
    """List keys: never their secrets."""
    from bot.commands.keys import list_text

    with plain_errors():
        echo(list_text(open_services()))


@keys.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """Shut a key; running web processes let it in for some seconds more."""
    from bot.commands.keys import revoke

    with plain_errors():
        services = open_to_change()
        with services.sessions.begin() as session:
            revoke(services, session, name)
    echo(f"The key {name} is revoked.")
