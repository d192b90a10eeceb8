"""How much each piece of evidence weighs, in log odds for waking somebody.

The numbers are judgements, not fits: 1 is "makes it 2.7 times as likely", 4 decides nearly alone. They begin at START,
so that a firing about which nothing else is known wakes. The reasoning is that of the literature on paging: page on
what people feel and on what cannot wait until morning; causes and forecasts may wait (Beyer et al., Site Reliability
Engineering, chapters 4 and 6; The Site Reliability Workbook, chapter 5, for the rates at which an error budget burns).
"""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import Severity

START = 1.0

WEIGHTS: Mapping[str, float] = {
    # It is over, or it comes and goes.
    "healed": -2.5,
    "healed_slowly": -1.3,
    "fell_back": -2.5,
    "fell_back_once": -1.5,
    "fell_back_long_ago": -3.5,
    "flaps": -1.0,
    "flaps_often": -1.5,
    "deploy_healed": -1.0,
    "usually_heals": -3.5,
    "recovers": -1.5,
    # It goes on, or grows.
    "lasts": 1.0,
    "rises": 2.0,
    "back": 4.0,
    "not_healed": 2.0,
    "peaks_grow": 2.5,
    "near_limit": 2.0,
    "at_limit": 2.0,
    "far_from_limit": -4.0,
    "deploy_does_not_heal": 0.5,
    "settles": -1.5,
    "steady": -1.5,
    "usual_level": -3.0,
    "settles_after_change": -4.0,
    "ends_soon": 2.0,
    "ends_in_days": -4.0,
    # What the logs say.
    "logs_quiet": -0.7,
    "logs_usual": -0.7,
    "logs_bad": 0.5,
    "logs_more": 1.0,
    "logs_much_more": 2.0,
    # Whom it hurts.
    "harm": 0.5,
    "cause_only": -0.5,
    "busy_only": -1.5,
    "far_over": 0.5,
    "barely_over": -0.4,
    "budget_burns_fast": 2.0,
    "budget_burns": 1.0,
    "budget_burns_slowly": -2.5,
    # Whatever goes wrong there: nobody is hurt by it.
    "not_production": -12.0,
    "canary": -0.8,
    # Maintenance.
    "maintenance": -4.5,
    "maintenance_unlike": -0.5,
    # What people said of its earlier firings, each time up to three times.
    "false_alarm": -1.2,
    "should_have_woken": 3.0,
}

SEVERITY: Mapping[Severity | None, float] = {
    Severity.SEV1: 1.0,
    Severity.SEV2: 0.5,
    Severity.SEV3: 0.0,
    Severity.SEV4: -0.5,
    None: -1.0,
}
"""What the sender's severity weighs: it is one hint among others."""
