"""The `argux` command. Each command imports what it needs when it runs, so that none pays for another's parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    import httpx

    from workers.services import Services
    from workers.settings import Settings

app = typer.Typer(
    name="argux",
    help="The on-call teammate that lives in Slack and Teams.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys for the HTTP doors.", no_args_is_help=True)
audit = typer.Typer(help="The audit chain.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(audit, name="audit")


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def up() -> None:
    """Run everything together: migrations, web, worker, scheduler and, without REDIS_URL, a broker of its own."""
    from bot.up import run_together

    settings = _settings()
    with _plain_errors():
        code = run_together(settings)
    raise typer.Exit(code)


@app.command()
def web() -> None:
    """Run the web process: doors, API, health, Slack."""
    from bot.serving import serve

    with _plain_errors():
        serve(_services())


@app.command()
def worker() -> None:
    """Run the worker process: everything that takes time."""
    from workers.running import run_worker

    with _plain_errors():
        run_worker(_services())


@app.command()
def scheduler() -> None:
    """Run the scheduler process: detection ticks and the outbox's relay."""
    from workers.scheduler import run_scheduler

    with _plain_errors():
        run_scheduler(_services())


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from storage.session import migrate as upgrade

    settings = _settings()
    with _plain_errors():
        upgrade(settings.database_url)
    typer.echo("The database is at the newest schema.")


@app.command()
def doctor() -> None:
    """Check every system that is set, one line each; exit code 1 when one of them fails."""
    from bot.doctor import Health, checks, examine

    outcomes = examine(checks(_services()))
    for outcome in outcomes:
        typer.echo(outcome.line())
    if any(outcome.health is Health.FAILED for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def tail(
    files: Annotated[list[Path], typer.Argument(help="Log files; one that is not there yet is waited for.")],
    service: Annotated[str | None, typer.Option(help="Who writes them; otherwise each file's own name.")] = None,
    to: Annotated[str | None, typer.Option(help="Address of another machine's Argux; otherwise this one's.")] = None,
    key: Annotated[str | None, typer.Option(envvar="ARGUX_KEY", help="An API key of that Argux.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin new files at their first line.")] = False,
) -> None:
    """Follow log files, through rotation and restarts, until told to stop."""
    from bot.tail import follow, into_the_store, through_the_door
    from workers.scheduler import stop_on_signals

    settings = _settings()
    with _plain_errors():
        sink = into_the_store(_services()) if to is None else through_the_door(_door(to, key))
        state_directory = settings.argux_data_dir / "tail"
        follow(files, sink, stop_on_signals(), state_directory=state_directory, service=service, from_start=from_start)


@app.command()
def backtest(
    file: Annotated[Path, typer.Argument(help="A CSV of timestamp,value.")],
    chart: Annotated[Path | None, typer.Option("--chart", help="Write a PNG of it here.")] = None,
) -> None:
    """Show what would have fired on a metric's own history."""
    from rich.console import Console

    from bot.backtest import run

    raise typer.Exit(run(file, chart=chart, console=Console()))


@app.command()
def query(sql: Annotated[str, typer.Argument(help="Such as: SELECT event, count(*) FROM events GROUP BY 1.")]) -> None:
    """Ask the archive in SQL: what has left the hot store, read by DuckDB."""
    from rich.console import Console
    from rich.table import Table

    from bot.query import QueryError
    from bot.query import query as ask

    settings = _settings()
    try:
        answer = ask(settings.argux_data_dir / "archive", sql)
    except QueryError as error:
        _fail(str(error))
    table = Table(*answer.columns)
    for row in answer.rows:
        table.add_row(*(str(value) for value in row))
    Console().print(table)
    if answer.is_cut:
        typer.echo(f"Only the first {len(answer.rows)} rows are shown: add a LIMIT or ask for less.", err=True)


@app.command()
def demo(
    auto: Annotated[bool, typer.Option("--auto", help="Press the buttons by itself and end.")] = False,
    scenario: Annotated[str, typer.Option(help="bad-deploy or no-fault.")] = "bad-deploy",
) -> None:
    """Run the demo: a shop, a bad deploy, and what Argux makes of it."""
    from bot.demo.cli import run

    raise typer.Exit(run(auto=auto, scenario=scenario))


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Whose key it is, such as shop or grafana.")],
    role: Annotated[str, typer.Option(help="operator may do all; ingest may only send data.")] = "operator",
) -> None:
    """Make a key and show it, once."""
    from storage import keys as stored

    if role not in stored.ROLES:
        _fail(f"--role must be one of {', '.join(stored.ROLES)}, not {role}.")
    services = _services()
    with _plain_errors(), services.sessions.begin() as session:
        secret = stored.create_key(session, name, role=role, now=services.clock())
    typer.echo(secret)
    typer.echo("Keep it now: it is not shown again.", err=True)


@keys.command("list")
def list_keys() -> None:
    """List keys: never their secrets."""
    from storage import keys as stored

    with _plain_errors(), _services().readers() as session:
        rows = stored.list_keys(session)
    for key in rows:
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in use"
        typer.echo(f"{key.name:<24} {key.role:<9} {key.prefix}…  made {key.created_at:%Y-%m-%d}  {state}")
    if not rows:
        typer.echo("There are no keys yet. Make one with `argux keys create NAME`.")


@keys.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """Shut a key; running web processes let it in for some seconds more."""
    from storage import keys as stored

    services = _services()
    with _plain_errors(), services.sessions.begin() as session:
        stored.revoke_key(session, name, now=services.clock())
    typer.echo(f"The key {name} is revoked.")


@audit.command("verify")
def verify_audit() -> None:
    """Walk the audit chain; exit code 1 when it is broken."""
    from storage import audit as chain

    services = _services()
    with _plain_errors(), services.readers() as session:
        report = chain.verify(session, key=services.audit_key)
    if not report.ok:
        _fail(f"The chain is broken at entry {report.broken_at}; the {report.length} before it hold.")
    typer.echo(f"The chain holds: {report.length} entries, the last is {report.head}.")


@app.command("incidents")
def list_incidents(
    status: Annotated[str | None, typer.Argument(help="open, acknowledged, mitigating, resolved, false_alarm.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
) -> None:
    """List incidents, newest first."""
    from detection.types import IncidentStatus
    from storage.incidents import list_incidents as stored

    if status is not None and status not in list(IncidentStatus):
        _fail(f"A status is one of {', '.join(IncidentStatus)}, not {status}.")
    with _plain_errors(), _services().readers() as session:
        rows = stored(session, status=IncidentStatus(status) if status else None, limit=limit)
    for row in rows:
        typer.echo(f"#{row.id:<5} {row.severity}  {row.status:<12} {row.opened_at:%Y-%m-%d %H:%M} UTC  {row.title}")
    if not rows:
        typer.echo("No incidents.")


def _door(address: str, key: str | None) -> httpx.Client:
    """The way to another machine's doors."""
    import httpx

    if not key:
        _fail("Give the other Argux's API key in ARGUX_KEY: `argux keys create NAME --role ingest` there makes one.")
    return httpx.Client(base_url=address.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=30)


def _settings() -> Settings:
    """Read the settings and begin to log; a wrong one ends the command with its name and what is wrong."""
    from pydantic import ValidationError

    from bot.logs import configure_logging
    from workers.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        wrong = [f"{'.'.join(str(part) for part in each['loc']).upper()}: {each['msg']}" for each in error.errors()]
        _fail("\n".join(wrong))
    configure_logging(settings.log_level)
    return settings


def _services() -> Services:
    from workers.services import Services

    return Services(_settings())


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What a person can mend is told in one line; anything else keeps its traceback."""
    try:
        yield
    except Exception as error:
        message = _told(error)
        if message is None:
            raise
        _fail(message)


def _told(error: Exception) -> str | None:
    """What to say of an error that a person can mend; looked up only now, because it loads the database's parts."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from storage.errors import StorageError
    from workers.errors import WorkerError

    if isinstance(error, (StorageError, WorkerError)):
        return str(error)
    if isinstance(error, (OperationalError, ProgrammingError)):
        return (
            "The database does not answer, or its schema is older than this Argux. "
            "Check DATABASE_URL, then run `argux migrate`."
        )
    return None


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    main()
