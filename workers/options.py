"""Build the detectors' options from the settings."""

from __future__ import annotations

from detection.metrics.series import MetricOptions
from detection.options import EndpointOptions, FunnelOptions
from workers.settings import Settings


def funnel_options(settings: Settings) -> FunnelOptions:
    """Return the funnel detector's options.

    From MIN_SAMPLE_SIZE, MIN_DROP_PERCENT, SIGMA_THRESHOLD, RECENT_WINDOW_MINUTES, BASELINE_WINDOW_HOURS,
    ARGUX_TIMEZONE.
    """
    return FunnelOptions(
        min_sample_size=settings.min_sample_size,
        min_drop_percent=settings.min_drop_percent,
        sigma_threshold=settings.sigma_threshold,
        recent_window_minutes=settings.recent_window_minutes,
        baseline_window_hours=settings.baseline_window_hours,
        timezone=settings.argux_timezone,
    )


def endpoint_options(settings: Settings) -> EndpointOptions:
    """Return the endpoint detectors' options.

    From ANOMALY_THRESHOLD, CONSECUTIVE_STRIKES, BASELINE_WINDOW_HOURS, ARGUX_TIMEZONE. The interval length is that of
    the rollups.
    """
    return EndpointOptions(
        anomaly_threshold=settings.anomaly_threshold,
        consecutive_strikes=settings.consecutive_strikes,
        baseline_window_hours=settings.baseline_window_hours,
        timezone=settings.argux_timezone,
    )


def metric_options(settings: Settings) -> MetricOptions:
    """Return the options for custom metrics. Nobody asked for a forecast of these, so it must be quite sure."""
    return MetricOptions(
        timezone=settings.argux_timezone,
        baseline_window_hours=settings.baseline_window_hours,
        minimum_probability=0.9,
    )
