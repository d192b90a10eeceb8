from workers.jobs import JOBS
from workers.queues import QUEUES


def test_every_job_has_a_queue_and_every_queue_entry_a_job() -> None:
    assert set(QUEUES) == set(JOBS)
