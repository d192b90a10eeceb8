"""GitHub's REST API over real bare git repositories: what is needed to open, read and merge pull requests."""
