"""What all commands share: read the settings, open the services, print expected errors in one line."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

from bot.commands.loading import loading
from integrations.text import visible_lines

if TYPE_CHECKING:
    from workers.services import Services
    from workers.settings import Settings


_FULL = (errno.ENOSPC, errno.EDQUOT)
"""The disk is full, which passes when somebody makes room."""


def read_settings() -> Settings:
    """Read the settings and configure logging. A wrong setting ends the command with its name and what is wrong."""
    from pydantic import ValidationError

    from bot.logs import configure_logging
    from bot.reception.validation_words import setting_errors
    from workers.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        fail("\n".join(setting_errors(error)))
    configure_logging(settings.log_level)
    return settings


def open_services() -> Services:
    """Read the settings and return the services built from them."""
    with loading():
        from workers.services import Services

    return Services(read_settings())


def open_to_change() -> Services:
    """Return the services for a command whose change is recorded in the audit chain.

    Raises CommandError where the chain is written with another key: an entry of this command would break it.
    """
    from bot.commands.errors import CommandError
    from storage import audit

    services = open_services()
    with services.readers() as session:
        if not audit.is_ours(session, key=services.audit_key):
            raise CommandError(
                "The newest entry of the audit chain was written with another AUDIT_KEY, or was changed. Run this with "
                "the AUDIT_KEY or ARGUX_DATA_DIR of the Argux that runs; `argux audit verify` checks the chain."
            )
    return services


@contextmanager
def plain_errors() -> Iterator[None]:
    """End the command with one line for an error that the user can fix; let any other error keep its traceback."""
    try:
        yield
    except Exception as error:
        message = _user_message(error)
        if message is None:
            raise
        fail(message, code=_exit_code(error))


def _user_message(error: Exception) -> str | None:
    """Return the message for an error that the user can fix, else None. Imports here because they load SQLAlchemy."""
    from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

    from bot.commands.errors import CommandError
    from bot.setup.broker import BrokerUnusableError
    from bot.setup.ports import PortUnusableError
    from storage.database.trouble import explained
    from storage.errors import StorageError
    from workers.errors import WorkerError, told_plainly

    if isinstance(error, (StorageError, WorkerError, CommandError, PortUnusableError, BrokerUnusableError)):
        return told_plainly(error)
    if isinstance(error, UnicodeEncodeError):
        # Python keeps the bytes of an argument that is not UTF-8 as lone surrogates, which no database stores.
        return f"{str(error.object)[:100]!r} is not UTF-8; write it so."
    if isinstance(error, OSError) and error.filename is not None:
        return _refused_file(error)
    if isinstance(error, DBAPIError) and (words := explained(error)) is not None:
        return words
    if isinstance(error, (OperationalError, ProgrammingError)):
        return (
            "The database does not answer, or its schema is older than this Argux. "
            "Check DATABASE_URL, then run `argux migrate`."
        )
    return None


def _refused_file(error: OSError) -> str:
    """Return what the system refuses to do with a file or directory, and how to mend it."""
    if error.errno in _FULL:
        return f"The disk is full: {error.filename} cannot be written. Make room there."
    return (
        f"{error.filename}: {error.strerror}. Whoever runs Argux must be able to read and write there; for its own "
        "files, ARGUX_DATA_DIR names another place."
    )


def _exit_code(error: Exception) -> int:
    """Return CANNOT_PASS for what the supervisor must not try again."""
    from bot.commands.supervisor import CANNOT_PASS
    from bot.setup.ports import PortUnusableError

    is_refused = isinstance(error, OSError) and error.filename is not None and error.errno not in _FULL
    return CANNOT_PASS if is_refused or isinstance(error, PortUnusableError) else 1


def echo(text: str, *, err: bool = False) -> None:
    """Print a line or several, with what cannot be seen spelled."""
    typer.echo(visible_lines(text), err=err)


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Print a message to stderr and end the command with this exit code."""
    echo(message, err=True)
    raise typer.Exit(code)


def shorten(text: str, limit: int) -> str:
    """Return the text, cut to `limit` characters with an ellipsis where it is longer."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
