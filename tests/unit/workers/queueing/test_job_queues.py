import socket

from workers.queueing.broker import reserved_port
from workers.queueing.queues import QUEUES
from workers.running.jobs import JOBS


def test_every_job_has_a_queue_and_every_queue_entry_a_job() -> None:
    assert set(QUEUES) == set(JOBS)


def test_the_brokers_port_is_kept_from_others_and_free_for_its_server() -> None:
    with reserved_port() as port, socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        socket.create_connection(("127.0.0.1", port)).close()
