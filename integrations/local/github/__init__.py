"""GitHub's REST API over real bare git repositories, as far as opening, reading and merging pull requests needs it."""
