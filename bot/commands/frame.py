"""What every command does alike: read the settings, open the services, tell a person what went wrong in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from workers.services import Services
    from workers.settings import Settings


def read_settings() -> Settings:
    """Read the settings and begin to log; a wrong one ends the command with its name and what is wrong."""
    from pydantic import ValidationError

    from bot.logs import configure_logging
    from workers.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        fail("\n".join(_wrong(each["loc"], each["msg"]) for each in error.errors()))
    configure_logging(settings.log_level)
    return settings


def _wrong(setting: Sequence[int | str], message: str) -> str:
    """Name the setting as the environment does; pydantic's own way of beginning a sentence is left out."""
    return f"{'.'.join(str(part) for part in setting).upper()}: {message.removeprefix('Value error, ')}"


def open_services() -> Services:
    """Everything wired by the settings."""
    from workers.services import Services

    return Services(read_settings())


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a person can mend is told in one line; anything else keeps its traceback."""
    try:
        yield
    except Exception as error:
        message = _told(error)
        if message is None:
            raise
        fail(message)


def _told(error: Exception) -> str | None:
    """What to say of an error that a person can mend; looked up only now, because it loads the database's parts."""
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from bot.commands.logs_work import CommandError
    from storage.errors import StorageError
    from workers.errors import WorkerError

    if isinstance(error, (StorageError, WorkerError, CommandError)):
        return str(error)
    if isinstance(error, UnicodeEncodeError):
        # Python keeps the bytes of an argument that is not UTF-8 as half pairs, which no database takes.
        return f"{str(error.object)[:100]!r} is not UTF-8; write it so."
    if isinstance(error, (OperationalError, ProgrammingError)):
        return (
            "The database does not answer, or its schema is older than this Argux. "
            "Check DATABASE_URL, then run `argux migrate`."
        )
    return None


def fail(message: str) -> NoReturn:
    """Say it to the person and end the command with exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
