from workers.queueing.queues import QUEUES
from workers.running.jobs import JOBS


def test_every_job_has_a_queue_and_every_queue_entry_a_job() -> None:
    assert set(QUEUES) == set(JOBS)
