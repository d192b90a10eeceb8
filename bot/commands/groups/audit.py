"""The `argux audit` group: verify the audit chain."""

from __future__ import annotations

import typer

from bot.commands.frame import echo, fail, open_services, plain_errors

audit = typer.Typer(help="The audit chain.", no_args_is_help=True)


@audit.command("verify")
def verify_audit() -> None:
    """Walk the audit chain and hold it against the tables; exit code 1 when it is broken or they disagree."""
    from storage import audit as chain
    from storage.audit_tables import disagreements

    services = open_services()
    with plain_errors(), services.snapshots() as session:
        report = chain.verify(session, key=services.audit_key)
        found = disagreements(session) if report.ok else []
    if not report.ok:
        fail(f"The chain is broken at entry {report.broken_at}; the {report.length} before it hold.")
    if found:
        fail("The chain holds, but the tables disagree with it:\n" + "\n".join(f"- {line}" for line in found))
    entries = "entry" if report.length == 1 else "entries"
    echo(f"The chain holds: {report.length} {entries}, the last is {report.head or 'none'}.")
    echo("Keep this line elsewhere: an end that is cut off shows only against it.", err=True)
