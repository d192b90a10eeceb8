"""Jira: where work is tracked."""

from integrations.jira.tracker import JiraTracker

__all__ = ["JiraTracker"]
