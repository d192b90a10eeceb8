"""Why the database refused, in words that say how to mend it.

Without addresses, names of files or anything of the driver's own text: it may hold a secret, and these words are also
shown over HTTP.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

NO_ANSWER = "The database does not answer. Check DATABASE_URL, and that the server runs and lets this machine in."
NO_TABLES = "The database has no tables of this version. Run `argux migrate`."
FULL = "The disk that holds the database is full. Make room there; nothing that was stored is lost."
CANNOT_OPEN = (
    "The database's file cannot be opened. Check that its directory (DATABASE_URL) is there, and that the user who "
    "runs Argux may write it."
)
NOT_WRITABLE = (
    "The database's file cannot be written. Let the user who runs Argux write it and its directory (DATABASE_URL)."
)

_SQLITE = {
    sqlite3.SQLITE_CANTOPEN: CANNOT_OPEN,
    sqlite3.SQLITE_READONLY: NOT_WRITABLE,
    sqlite3.SQLITE_PERM: NOT_WRITABLE,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: (
        "The disk refuses to read or write the database. See whether it is full, broken or gone (DATABASE_URL)."
    ),
    sqlite3.SQLITE_NOTADB: (
        "The file that DATABASE_URL names is no SQLite database. Name another one; Argux makes it if it is not there."
    ),
    sqlite3.SQLITE_CORRUPT: "The database's file is damaged. Put its newest backup in its place.",
    sqlite3.SQLITE_BUSY: (
        "The database was locked by another program for too long. End what else has its file open, then try again."
    ),
    sqlite3.SQLITE_LOCKED: "The database is locked by another part of Argux. Try again.",
}

_POSTGRESQL_CODES = {
    "28P01": "The database refuses the password. Check user and password in DATABASE_URL.",
    "28000": (
        "The database does not let this user in from this machine. Check the user in DATABASE_URL, and the server's "
        "pg_hba.conf."
    ),
    "3D000": "The database that DATABASE_URL names is not there. Create it (CREATE DATABASE …), or correct the name.",
    "42501": (
        "The user of DATABASE_URL may not do that in this database. Make it the database's owner, or grant it what it "
        "lacks (GRANT CREATE, USAGE ON SCHEMA public TO …)."
    ),
    "53100": FULL,
    "53300": ("The database has no connection left. Raise its max_connections, or close what else is connected to it."),
    "57P03": "The database is starting or stopping. Try again in a moment.",
    "25006": "The database takes no writes: DATABASE_URL names a standby. Name the primary.",
    "42P01": NO_TABLES,
    "42703": NO_TABLES,
}

# While it connects, the library tells the kind only in words: those of the server and of libpq.
_POSTGRESQL_WORDS = (
    ("password authentication failed", _POSTGRESQL_CODES["28P01"]),
    ("no password supplied", "The database wants a password. Put one into DATABASE_URL: postgresql://USER:PASSWORD@…"),
    ("no pg_hba.conf entry", _POSTGRESQL_CODES["28000"]),
    ("authentication failed", _POSTGRESQL_CODES["28000"]),
    ("role ", "The user that DATABASE_URL names is not there. Create it (CREATE ROLE … LOGIN), or correct the name."),
    ("too many clients", _POSTGRESQL_CODES["53300"]),
    ("connection slots", _POSTGRESQL_CODES["53300"]),
    ("is starting up", _POSTGRESQL_CODES["57P03"]),
    ("is shutting down", _POSTGRESQL_CODES["57P03"]),
    ("in recovery mode", _POSTGRESQL_CODES["57P03"]),
    ("does not support ssl", "The database speaks no TLS. Take sslmode out of DATABASE_URL, or turn TLS on there."),
    ("certificate", "The database's certificate is not trusted here. Check sslmode and sslrootcert in DATABASE_URL."),
    ("resolve host", "No machine is known by the database's host name. Check the host in DATABASE_URL."),
    ("translate host name", "No machine is known by the database's host name. Check the host in DATABASE_URL."),
    ("connection refused", "Nothing listens where the database should. Check host and port in DATABASE_URL, and that "
                           "the server runs."),
    ("no such file or directory", "Nothing listens at the database's socket. Check host and port in DATABASE_URL, and "
                                  "that the server runs."),
    ("timeout expired", "The database's host gives no answer. Check host and port in DATABASE_URL, and the firewalls "
                        "between."),
    ("does not exist", _POSTGRESQL_CODES["3D000"]),
)  # fmt: skip


def explained(error: DBAPIError) -> str | None:
    """Return what is wrong with the database and how to mend it, or None if the error is not of that kind."""
    if isinstance(error.orig, sqlite3.Error):
        return _explained_sqlite(error.orig)
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return _POSTGRESQL_CODES.get(code)
    text = str(error.orig).lower()
    return next((words for part, words in _POSTGRESQL_WORDS if part in text), None)


def _explained_sqlite(error: sqlite3.Error) -> str | None:
    text = str(error)
    if text.startswith(("no such table", "no such column")):
        return NO_TABLES
    # The lowest eight bits name the kind; those above it the place.
    return _SQLITE.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
