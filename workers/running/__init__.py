"""The processes: worker, scheduler and relay, and the jobs they run."""
