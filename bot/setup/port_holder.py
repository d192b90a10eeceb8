"""Which process listens on a port, where the system tells: Linux does, in /proc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
_LISTENS = "0A"


def holder(port: int, *, is_datagram: bool) -> str | None:
    """Return the process that listens on `port`, such as "python3 (process 812)"; None where it cannot be known."""
    kind = "udp" if is_datagram else "tcp"
    inodes = {inode for table in (kind, f"{kind}6") for inode in _inodes(PROC / "net" / table, port, kind)}
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in PROC.iterdir():
        if process.name.isdigit() and _has_open(process, wanted):
            return f"{_name(process)} (process {process.name})"
    return None


def _inodes(table: Path, port: int, kind: str) -> Iterator[str]:
    """Yield the inodes of the sockets in one table of the kernel that listen on `port`."""
    try:
        rows = table.read_text().splitlines()[1:]
    except OSError:
        return
    for row in rows:
        columns = row.split()
        if int(columns[1].rpartition(":")[2], 16) == port and (kind == "udp" or columns[3] == _LISTENS):
            yield columns[9]


def _has_open(process: Path, wanted: set[str]) -> bool:
    """Return whether the process has one of these sockets open. Another user's processes cannot be looked into."""
    try:
        return any(str(descriptor.readlink()) in wanted for descriptor in (process / "fd").iterdir())
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip() or "a process"
    except OSError:
        return "a process"
