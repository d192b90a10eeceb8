"""The `argux keys` group: create, list and revoke API keys."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands.frame import echo, fail, open_services, plain_errors

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
    from storage import keys as stored

    if not name.strip():
        fail("The key needs a name: whose it is, such as shop or grafana.")
    if role not in stored.ROLES:
        fail(f"--role must be one of {', '.join(stored.ROLES)}, not {role}.")
    services = open_services()
    with plain_errors(), services.sessions.begin() as session:
        secret = stored.create_key(session, name, role=role, now=services.clock())
    echo(secret)
    echo(f"Keep it now: it is not shown again. {_ALLOWS[role]}", err=True)


@keys.command("list")
def list_keys() -> None:
    """List keys: never their secrets."""
    from storage import keys as stored

    with plain_errors(), open_services().readers() as session:
        rows = stored.list_keys(session)
    for key in rows:
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in use"
        echo(f"{key.name:<24} {key.role:<9} {key.prefix}…  made {key.created_at:%Y-%m-%d}  {state}")
    if not rows:
        echo("There are no keys yet. Make one with `argux keys create NAME`.")


@keys.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """Shut a key; running web processes let it in for some seconds more."""
    from storage import keys as stored

    services = open_services()
    with plain_errors(), services.sessions.begin() as session:
        stored.revoke_key(session, name, now=services.clock())
    echo(f"The key {name} is revoked.")
