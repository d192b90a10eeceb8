"""Hypothesis tries the same examples everywhere and every time, and no example has to be quick on a busy machine."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("argux", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("argux")
