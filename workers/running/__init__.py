"""The processes: worker, scheduler, relay, and the jobs that they run."""
