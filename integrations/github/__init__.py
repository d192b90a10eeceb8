"""GitHub: where the code lives."""

from integrations.github.host import GitHubCodeHost

__all__ = ["GitHubCodeHost"]
