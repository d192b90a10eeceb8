"""The `argux` command line. Each command imports what it needs when it runs, so that `argux` starts fast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.backtest.reading.options import DateOrder, DecimalMark, ReadingOptions
from bot.commands.frame import echo, fail, open_services, plain_errors, read_settings
from bot.commands.groups import audit, jobs, keys, limits, logs, maintenance, patterns
from bot.commands.loading import loading

if TYPE_CHECKING:
    import httpx

app = typer.Typer(
    name="argux",
    help="The on-call teammate that lives in Slack and Teams.",
    epilog="To begin: `argux up` runs everything, and `argux doctor` says what is connected and how to mend the rest.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.keys, name="keys")
app.add_typer(audit.audit, name="audit")
app.add_typer(jobs.jobs, name="jobs")
app.add_typer(limits.limits, name="limits")
app.add_typer(patterns.patterns, name="patterns")
app.add_typer(logs.logs, name="logs")
app.add_typer(maintenance.maintenance, name="maintenance")


def main() -> None:
    """Run the `argux` command line."""
    app()


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        echo(f"argux {version('argux')}")
        raise typer.Exit


@app.callback()
def _any_command(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """The on-call teammate that lives in Slack and Teams."""


@app.command()
def up() -> None:
    """Run everything together: migrations, web, worker, scheduler and, without REDIS_URL, a broker of its own."""
    from bot.commands.up import run_together

    settings = read_settings()
    with plain_errors():
        code = run_together(settings)
    raise typer.Exit(code)


IsSupervised = Annotated[bool, typer.Option("--supervised", hidden=True, help="`argux up` has warned already.")]


@app.command()
def web(supervised: IsSupervised = False) -> None:
    """Run the web process: doors, API, health, Slack."""
    with loading():
        from bot.web.serving import serve

    with plain_errors():
        serve(open_services(), is_warned=supervised)


@app.command()
def worker(supervised: IsSupervised = False) -> None:
    """Run the worker process: everything that takes time."""
    with loading():
        from bot.setup.warnings import warn_of_settings
        from workers.running.worker import run_worker

    services = open_services()
    if not supervised:
        warn_of_settings(services.settings)
    with plain_errors():
        run_worker(services)


@app.command()
def scheduler() -> None:
    """Run the scheduler process: detection ticks and the outbox's relay."""
    with loading():
        from workers.running.scheduler import run_scheduler

    with plain_errors():
        run_scheduler(open_services())


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from storage.database.session import migrate as upgrade

    settings = read_settings()
    with plain_errors():
        upgrade(settings.database_url)
    echo("The database is at the newest schema.")


@app.command()
def doctor() -> None:
    """Check every system that is set, one line each, and say how to mend what fails; then the exit code is 1."""
    from bot.doctor import Health, checks, examine, settings_check

    services = open_services()
    outcomes = examine([settings_check(services), *checks(services)])
    for outcome in outcomes:
        echo(outcome.line())
    if any(outcome.health is Health.FAILED for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def doors(
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every two seconds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As GET /api/doors answers.")] = False,
) -> None:
    """Show what came in during the last hour, per sender: taken, refused and why, and what was understood of it."""
    from bot.commands import doors as shown_doors
    from bot.terminal import PlainConsole
    from workers.running.scheduler import stop_on_signals

    services = open_services()
    with plain_errors():
        if as_json:
            echo(shown_doors.json_text(services))
        elif watch:
            shown_doors.watch(services, PlainConsole(), stop_on_signals())
        else:
            shown_doors.show(services, PlainConsole())


@app.command("triage")
def show_triage() -> None:
    """Show which alerts of other monitors fire, who is told about them, and why."""
    from bot.commands import triage

    with plain_errors():
        echo(triage.list_text(open_services()))


@app.command()
def tail(
    files: Annotated[list[Path], typer.Argument(help="Log files; one that is not there yet is waited for.")],
    service: Annotated[str | None, typer.Option(help="Who writes them; otherwise each file's own name.")] = None,
    to: Annotated[str | None, typer.Option(help="Address of another machine's Argux; otherwise this one's.")] = None,
    key: Annotated[str | None, typer.Option(envvar="ARGUX_KEY", help="An API key of that Argux.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin new files at their first line.")] = False,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times that name none, such as Europe/Berlin; otherwise this machine's.")
    ] = None,
) -> None:
    """Follow log files, through rotation and restarts, until told to stop."""
    from bot.commands.tail import follow, http_sink, store_sink, zones_of
    from workers.running.scheduler import stop_on_signals

    settings = read_settings()
    with plain_errors():
        sink = store_sink(open_services()) if to is None else http_sink(_http_client(to, key))
        state_directory = settings.argux_data_dir / "tail"
        follow(
            files,
            sink,
            stop_on_signals(),
            state_directory=state_directory,
            service=service,
            from_start=from_start,
            zones=zones_of(timezone, settings.timezone),
        )


@app.command()
def backtest(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE …", help="CSV of timestamp,value or of timestamp,entries,conversions; - is stdin."
        ),
    ],
    chart: Annotated[
        Path | None, typer.Option("--chart", help="Where the picture of one file goes; else NAME.backtest.png.")
    ] = None,
    column: Annotated[str, typer.Option(help="The column of the metric, where there are several.")] = "",
    by: Annotated[str, typer.Option(help="The column that tells series apart, such as host.")] = "",
    dates: Annotated[DateOrder | None, typer.Option(help="How 02/07/2026 is read.")] = None,
    decimal: Annotated[DecimalMark | None, typer.Option(help="What separates the decimals of a number.")] = None,
    zone: Annotated[str, typer.Option(help="Of times without one, such as Europe/Berlin; else UTC.")] = "",
) -> None:
    """Show what would have fired on the history of metrics or funnels, with a chart."""
    from bot.backtest.command import name_of, run
    from bot.terminal import PlainConsole

    if chart is not None and len(files) > 1:
        fail("--chart names the picture of one file; leave it out, and each has NAME.backtest.png.")
    options, console, settings = ReadingOptions(column, by, dates, decimal, zone), PlainConsole(), read_settings()
    codes = []
    for file in files:
        if len(files) > 1:
            console.print(f"{file}:" if file is files[0] else f"\n{file}:", markup=False, highlight=False)
        picture = chart or Path(f"{name_of(file)}.backtest.png")
        codes.append(run(file, chart=picture, console=console, settings=settings, options=options))
    raise typer.Exit(max(codes))


@app.command("investigate")
def investigate_folders(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER …", help="Exported incidents.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a folder.")] = False,
    is_learnt: Annotated[
        bool, typer.Option("--learn", help="Let each truth.json count for how sure Argux may be: see calibration.")
    ] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the answers to a page, too.")] = None,
) -> None:
    """Say what an exported incident's cause is: would Argux have found your last outages?"""
    with loading():
        from bot.investigate.command import run
        from bot.logs import configure_logging
        from bot.terminal import PlainConsole

    services = open_services() if is_learnt else None
    configure_logging("ERROR")
    console, problems = PlainConsole(), PlainConsole(stderr=True)
    with plain_errors():
        code = run(folders, as_json=as_json, console=console, problems=problems, html=html, learn_in=services)
    raise typer.Exit(code)


@app.command()
def diagnose(
    incident: Annotated[int, typer.Argument(help="The incident's number.")],
    is_replay: Annotated[
        bool, typer.Option("--replay", help="Weigh the stored evidence again: is the answer the same? 1 if not.")
    ] = False,
) -> None:
    """Print the latest diagnosis of an incident."""
    from bot.commands.diagnose import run_replay, show
    from bot.terminal import PlainConsole

    services, code = open_services(), 0
    with plain_errors():
        if is_replay:
            code = run_replay(services, incident, PlainConsole())
        else:
            show(services, incident, PlainConsole())
    raise typer.Exit(code)


@app.command()
def calibration(
    chart: Annotated[Path | None, typer.Option("--chart", metavar="FILE", help="Draw the curve into this PNG.")] = None,
) -> None:
    """Show how often answers of each confidence were right, and by which curve a confidence is said."""
    from bot.commands.calibration import run
    from bot.terminal import PlainConsole

    services = open_services()
    with plain_errors():
        run(services, PlainConsole(), chart=chart)


@app.command("export-incident")
def export_incident(
    incident_id: Annotated[int, typer.Argument(metavar="ID", min=1, help="The incident's number.")],
    to: Annotated[Path | None, typer.Option(help="The folder to write; otherwise incident-ID here.")] = None,
) -> None:
    """Write an incident as the folder that `argux investigate` reads: telemetry, changes and surroundings."""
    from bot.commands.export_incident import run

    with plain_errors():
        run(open_services(), incident_id, to)


@app.command("experiment")
def compare_variants(
    funnel: Annotated[str, typer.Argument(help="The funnel's number or name.")],
    name: Annotated[str, typer.Argument(metavar="PROPERTY", help="What tells the variants apart, such as variant.")],
    a: Annotated[str, typer.Argument(metavar="A", help="The value to compare with, such as control.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The value that may do better or worse.")],
    days: Annotated[int, typer.Option(min=1, max=35, help="How far back entries count.")] = 14,
) -> None:
    """Compare two variants of a property over a funnel, with an exact test."""
    from bot.commands.experiment import run
    from bot.errors import MalformedError
    from bot.terminal import PlainConsole

    try:
        with plain_errors():
            run(open_services(), funnel, name, a, b, days=days, console=PlainConsole())
    except MalformedError as error:
        fail(error.message)


@app.command()
def query(sql: Annotated[str, typer.Argument(help="Such as: SELECT event, count(*) FROM events GROUP BY 1.")]) -> None:
    """Ask the archive in SQL: what has left the hot store, read by DuckDB."""
    from rich.table import Column, Table

    from bot.commands.query import QueryError, is_archive_empty
    from bot.commands.query import query as ask
    from bot.terminal import PlainConsole, shown

    archive = read_settings().argux_data_dir / "archive"
    try:
        answer = ask(archive, sql)
    except QueryError as error:
        fail(str(error))
    table = Table(*(Column(shown(name)) for name in answer.columns))
    for row in answer.rows:
        table.add_row(*map(shown, row))
    PlainConsole().print(table)
    if answer.is_cut:
        echo(f"Only the first {len(answer.rows)} rows are shown: add a LIMIT or ask for less.", err=True)
    if is_archive_empty(archive):
        echo(
            "Nothing has been archived yet: records are when they leave the hot store (docs/retention.md says when).",
            err=True,
        )


@app.command()
def demo(
    auto: Annotated[bool, typer.Option("--auto", help="Press the buttons by itself and end.")] = False,
    scenario: Annotated[
        str, typer.Option(help="bad-deploy, no-fault, cache-ttl, provider-outage or slow-downstream.")
    ] = "bad-deploy",
) -> None:
    """Run the demo: a shop, a bad deploy, and what Argux makes of it."""
    from bot.demo.cli import run

    raise typer.Exit(run(auto=auto, scenario=scenario))


@app.command("incidents")
def list_incidents(
    status: Annotated[str | None, typer.Argument(help="open, acknowledged, mitigating, resolved, false_alarm.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
) -> None:
    """List incidents, newest first."""
    from detection.types import IncidentStatus
    from storage.incidents import list_incidents as stored

    if status is not None and status not in list(IncidentStatus):
        fail(f"A status is one of {', '.join(IncidentStatus)}, not {status}.")
    services = open_services()
    with plain_errors(), services.readers() as session:
        rows = stored(session, status=IncidentStatus(status) if status else None, limit=limit)
    zone = services.settings.timezone
    for row in rows:
        opened = row.opened_at.astimezone(zone)
        echo(f"#{row.id:<5} {row.severity}  {row.status:<12} {opened:%Y-%m-%d %H:%M %Z}  {row.title}")
    if not rows:
        echo("No incidents.")


def _http_client(address: str, key: str | None) -> httpx.Client:
    """Return an HTTP client for the doors of another machine's Argux."""
    import httpx

    if not key:
        fail("Give the other Argux's API key in ARGUX_KEY: `argux keys create NAME` there makes one.")
    return httpx.Client(base_url=address.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=30)


if __name__ == "__main__":
    main()
