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
patterns = typer.Typer(help="Named patterns of log lines.", no_args_is_help=True)
logs = typer.Typer(help="What log lines say.", no_args_is_help=True)
maintenance = typer.Typer(help="Windows in which incidents are recorded and nobody is told.", no_args_is_help=True)
limits = typer.Typer(help="Levels that metrics must not reach.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(audit, name="audit")
app.add_typer(limits, name="limits")
app.add_typer(patterns, name="patterns")
app.add_typer(logs, name="logs")
app.add_typer(maintenance, name="maintenance")


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
    file: Annotated[Path, typer.Argument(help="A CSV of timestamp,value or of timestamp,entries,conversions.")],
    chart: Annotated[
        Path | None, typer.Option("--chart", help="Where the picture goes; else NAME.backtest.png.")
    ] = None,
) -> None:
    """Show what would have fired on the history of a metric or a funnel, with a chart."""
    from rich.console import Console

    from bot.backtest import run

    raise typer.Exit(run(file, chart=chart or Path(f"{file.stem}.backtest.png"), console=Console()))


@app.command("experiment")
def compare_variants(
    funnel: Annotated[str, typer.Argument(help="The funnel's number or name.")],
    name: Annotated[str, typer.Argument(metavar="PROPERTY", help="What tells the variants apart, such as variant.")],
    a: Annotated[str, typer.Argument(metavar="A", help="The value to compare with, such as control.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The value that may do better or worse.")],
    days: Annotated[int, typer.Option(min=1, max=35, help="How far back entries count.")] = 14,
) -> None:
    """Compare two variants of a property over a funnel, with an exact test."""
    from rich.console import Console

    from bot.errors import MalformedError
    from bot.experiment_command import run

    try:
        with _plain_errors():
            run(_services(), funnel, name, a, b, days=days, console=Console())
    except MalformedError as error:
        _fail(error.message)


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


@maintenance.command("start")
def start_maintenance(
    service: Annotated[str, typer.Argument(help='A service or a funnel, by its name, or "everything".')],
    length: Annotated[str | None, typer.Option("--for", help="How long: 45m, 2h, 1h30m, 2d.")] = None,
    until: Annotated[str | None, typer.Option(help="Its end instead: 2026-02-07 23:00, in the team's time.")] = None,
    begins: Annotated[str | None, typer.Option("--from", help="Its beginning; now, where it is left out.")] = None,
    reason: Annotated[str, typer.Option(help="What is done meanwhile.")] = "",
) -> None:
    """Start a window, now or later."""
    from bot.maintenance_commands import start

    with _plain_errors():
        typer.echo(start(_services(), service, length=length, until=until, begins=begins, reason=reason))


@maintenance.command("list")
def list_maintenance(past: Annotated[bool, typer.Option("--past", help="Those that are over, too.")] = False) -> None:
    """List the windows that run or are to come."""
    from bot.maintenance_commands import listed

    with _plain_errors():
        typer.echo(listed(_services(), past=past))


@maintenance.command("end")
def end_maintenance(
    window: Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="Its number, as the list shows it.")],
) -> None:
    """End a window now, or call one off; what it kept quiet and still goes on is told."""
    from bot.maintenance_commands import end

    with _plain_errors():
        typer.echo(end(_services(), window))


@patterns.command("add")
def add_pattern(
    name: Annotated[str, typer.Argument(help="What to call it, such as payment-declined.")],
    regex: Annotated[str, typer.Argument(help="A regular expression in RE2's syntax, found anywhere in a line.")],
    severity: Annotated[str, typer.Option(help="How bad an incident it opens: sev1 (the worst) to sev4.")] = "sev3",
    description: Annotated[str, typer.Option(help="What such a line means.")] = "",
) -> None:
    """Watch for a pattern in every line that comes in from now on."""
    from bot import log_commands

    services = _services()
    with _plain_errors(), services.sessions.begin() as session:
        log_commands.add(session, name, regex, severity, description, services.clock())
    typer.echo(f"Watching for {name}.")


@patterns.command("list")
def list_patterns() -> None:
    """List the built-in patterns and your own."""
    from rich.console import Console

    from bot import log_commands

    with _plain_errors(), _services().readers() as session:
        log_commands.show_all(session, Console())


@patterns.command("test")
def try_pattern(
    pattern: Annotated[str, typer.Argument(help="The name of a pattern, or a regular expression.")],
    subject: Annotated[str | None, typer.Argument(help="A file or a text; otherwise what comes in.")] = None,
) -> None:
    """Show which lines a pattern matches; exit code 1 when there is none."""
    from rich.console import Console

    from bot import log_commands

    with _plain_errors(), _services().readers() as session:
        code = log_commands.try_out(session, pattern, subject, Console())
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
    from workers.log_patterns import remove_pattern as remove

    with _plain_errors(), _services().sessions.begin() as session:
        remove(session, name)
    typer.echo(f"{name} is removed.")


@logs.command("diff")
def diff_logs(
    before: Annotated[str, typer.Option(help="START/END, such as 2026-02-07T11:00:00Z/2026-02-07T12:00:00Z.")],
    after: Annotated[str, typer.Option(help="START/END of the window to compare with it.")],
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
) -> None:
    """Show what the logs say in one window that they did not in another."""
    from rich.console import Console

    from bot import log_commands

    with _plain_errors():
        log_commands.diff(_services(), before, after, service, Console())


def _switch_pattern(name: str, *, enabled: bool) -> None:
    from workers.log_patterns import switch_pattern

    services = _services()
    with _plain_errors(), services.sessions.begin() as session:
        switch_pattern(session, name, enabled=enabled, by="the command line", now=services.clock())
    typer.echo(f"{name} is {'on' if enabled else 'off'}.")


@limits.command("add")
def add_limit(
    name: Annotated[str, typer.Argument(help="The metric, such as queue.depth.")],
    limit: Annotated[float, typer.Argument(help="The level, in the metric's own unit.")],
    service: Annotated[str | None, typer.Option(help="Of one service alone; otherwise of every one.")] = None,
    below: Annotated[bool, typer.Option("--below", help="It must not fall to it, instead of not rise to it.")] = False,
    horizon: Annotated[str, typer.Option(help="How far ahead to look: 45m, 6h, 3d.")] = "6h",
) -> None:
    """Watch a limit; the same metric, service and direction again moves it."""
    from bot.limit_commands import add

    with _plain_errors():
        typer.echo(add(_services(), name, limit, service=service, above=not below, horizon=horizon))


@limits.command("list")
def list_limits() -> None:
    """List the limits that people set, and those that come with Argux."""
    from bot.limit_commands import listed

    with _plain_errors():
        typer.echo(listed(_services()))


@limits.command("remove")
def remove_limit(limit: Annotated[int, typer.Argument(help="Its number, as the list shows it.")]) -> None:
    """Watch a limit no more."""
    from bot.limit_commands import remove

    with _plain_errors():
        typer.echo(remove(_services(), limit))


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

    from bot.log_commands import CommandError
    from storage.errors import StorageError
    from workers.errors import WorkerError

    if isinstance(error, (StorageError, WorkerError, CommandError)):
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
