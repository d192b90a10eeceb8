"""GitHub: the code host."""

from integrations.github.host import GitHubCodeHost

__all__ = ["GitHubCodeHost"]
