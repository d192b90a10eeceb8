"""The settings of an Argux with every system connected; the systems themselves are fakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workers.settings import Settings


def connected_settings(database_url: str, redis_url: str, directory: Path, **others: Any) -> Settings:
    """Return the settings; Ana and Ben may approve. others: settings beside these."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        audit_key="test",
        argux_data_dir=directory,
        slack_channel="C1",
        approver_ids="UANA, UBEN",
        jira_url="https://jira.example",
        jira_email="argux@example.com",
        jira_token="token",
        teams_webhook_url="https://teams.example/hook",
        **others,
    )
