"""Jira: the ticket tracker."""

from integrations.jira.tracker import JiraTracker

__all__ = ["JiraTracker"]
