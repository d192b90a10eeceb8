"""The five steps of a diagnosis, a module each."""
