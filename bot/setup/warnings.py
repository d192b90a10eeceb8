"""Log at the start what has no effect as it is set, and what will not work for what is not set."""

from __future__ import annotations

import structlog

from bot.setup.completeness import half_set, start_notes
from bot.setup.names import name_faults
from workers.settings import Settings


def warn_of_settings(settings: Settings) -> None:
    """Log one warning for each."""
    log = structlog.get_logger()
    for text in [*(fault.text for fault in name_faults()), *half_set(settings)]:
        log.warning("setting_without_effect", what=text)
    for text in start_notes(settings):
        log.warning("not_set", what=text)
