"""Ports for the servers that tests start."""

from __future__ import annotations

import atexit
import socket
import sys


def free_port() -> int:
    """A loopback port that nobody else is given before the server listens there, or while it is started again."""
    return hold(0)


def hold(port: int) -> int:
    """Keep this loopback port from everybody but a server of ours; 0 chooses a free one. Raises OSError if taken.

    Linux hands out no port that a socket is bound to, and yet lets a server listen there: this socket does not, and
    both of them share.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(("127.0.0.1", port))
    except OSError:
        held.close()
        raise
    number = int(held.getsockname()[1])
    if sys.platform == "linux":
        atexit.register(held.close)
    else:
        held.close()
    return number
