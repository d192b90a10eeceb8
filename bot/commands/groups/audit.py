"""The `argux audit` group: verify the audit chain."""

from __future__ import annotations

import typer

from bot.commands.frame import echo, fail, open_services, plain_errors

audit = typer.Typer(help="The audit chain.", no_args_is_help=True)


@audit.command("verify")
def verify_audit() -> None:
    """Walk the audit chain; exit code 1 when it is broken."""
    from storage import audit as chain

    services = open_services()
    with plain_errors(), services.readers() as session:
        report = chain.verify(session, key=services.audit_key)
        lost = chain.unrecorded_approvals(session)
    if not report.ok:
        fail(f"The chain is broken at entry {report.broken_at}; the {report.length} before it hold.")
    if lost:
        which = ", ".join(str(proposal_id) for proposal_id in lost)
        fail(f"The chain has lost its end: it says nothing of the approval of proposal {which}.")
    entries = "entry" if report.length == 1 else "entries"
    echo(f"The chain holds: {report.length} {entries}, the last is {report.head or 'none'}.")
    echo("Keep this line elsewhere: an end that is cut off shows only against it.", err=True)
