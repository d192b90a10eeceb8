"""What `argux experiment FUNNEL PROPERTY A B` does: compare two variants of a property and print the result."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from bot.experiments import experiment
from bot.terminal import shown
from detection.funnels.experiments import Variant
from storage.funnels import definition, find_funnel
from workers.services import Services


def run(
    services: Services, funnel_ref: str, name: str, first: str, second: str, *, days: int, console: Console
) -> None:
    """Print both conversion rates, their difference with its bounds, the p-value, and what they mean.

    funnel_ref: the funnel's number or name. Raises NotFoundError or MalformedError, whose messages are for the user.
    """
    with services.readers() as session:
        funnel = definition(find_funnel(session, funnel_ref))
    found = experiment(services, funnel, name, first, second, days=days)
    compared = found.comparison
    title = shown(f"{funnel.name}, last {days} days")
    table = Table(Column(shown(name)), "entries", "converted", "rate", title=title)
    for variant in (compared.reference, compared.challenger):
        table.add_row(shown(variant.value), f"{variant.entries:,}", f"{variant.converted:,}", _rate(variant))
    console.print(table)
    bounds = compared.difference
    console.print(
        f"difference {bounds.value * 100:+.2f} points, 95 % between {bounds.low * 100:+.2f} and "
        f"{bounds.high * 100:+.2f}; p = {compared.p_value:.3g} (exact, two-sided)",
        highlight=False,
    )
    console.print(shown(found.text))


def _rate(variant: Variant) -> str:
    return f"{variant.rate * 100:.2f} %" if variant.entries else "no entries"
