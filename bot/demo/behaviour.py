"""How simulated shoppers behave. The live shop and its generated history draw from the same distributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Step(StrEnum):
    """The steps of the shop's funnel, in order. Each value is the route that the step posts to."""

    SIGN_UP = "/sign-up"
    CART = "/cart"
    CHECKOUT = "/checkout"
    PAYMENT = "/payment"


STEPS = tuple(Step)
EVENTS: Mapping[Step, str] = {
    Step.SIGN_UP: "signed_up",
    Step.CART: "added_to_cart",
    Step.CHECKOUT: "checkout_completed",
    Step.PAYMENT: "payment_completed",
}
"""The product event that the shop sends after each step."""

COUNTRIES: Mapping[str, float] = {"DE": 0.34, "US": 0.24, "FR": 0.14, "GB": 0.12, "NL": 0.09, "SE": 0.07}
DEVICES: Mapping[str, float] = {"mobile": 0.61, "desktop": 0.33, "tablet": 0.06}
CARD_HEAVY: Mapping[str, float] = {"card": 0.62, "paypal": 0.27, "apple_pay": 0.11}
INVOICE_HEAVY: Mapping[str, float] = {"card": 0.33, "paypal": 0.41, "invoice": 0.18, "apple_pay": 0.08}
PAYMENT_METHODS: Mapping[str, Mapping[str, float]] = {"DE": INVOICE_HEAVY, "NL": INVOICE_HEAVY}
"""Countries that are not named here are CARD_HEAVY."""

CONTINUE_PROBABILITY: Mapping[str, Mapping[Step, float]] = {
    "mobile": {Step.CART: 0.69, Step.CHECKOUT: 0.71, Step.PAYMENT: 0.74},
    "desktop": {Step.CART: 0.74, Step.CHECKOUT: 0.76, Step.PAYMENT: 0.80},
    "tablet": {Step.CART: 0.67, Step.CHECKOUT: 0.70, Step.PAYMENT: 0.73},
}
"""Probability of continuing to a step when the shop responds at once: 36 % pay on mobile, 45 % on desktop."""

PATIENCE_MEDIAN_SECONDS = 0.9
PATIENCE_SPREAD = 0.45
THINKING_MEDIAN_SECONDS = 0.5
THINKING_SPREAD = 0.5
LONGEST_THINKING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Shopper:
    """One simulated person.

    wants: the steps that they intend to take. They give up earlier when a response takes longer than patience_seconds.
    thinking_seconds: the pause before each of these steps.
    """

    country: str
    device: str
    payment_method: str
    patience_seconds: float
    wants: tuple[Step, ...]
    thinking_seconds: tuple[float, ...]


def draw_shopper(random: Random) -> Shopper:
    """Draw a random shopper from the distributions above. Patience and thinking times are log-normal."""
    country = _pick(COUNTRIES, random)
    device = _pick(DEVICES, random)
    wants = [Step.SIGN_UP]
    for step in STEPS[1:]:
        if random.random() > CONTINUE_PROBABILITY[device][step]:
            break
        wants.append(step)
    return Shopper(
        country=country,
        device=device,
        payment_method=_pick(PAYMENT_METHODS.get(country, CARD_HEAVY), random),
        patience_seconds=_log_normal(PATIENCE_MEDIAN_SECONDS, PATIENCE_SPREAD, random),
        wants=tuple(wants),
        thinking_seconds=tuple(
            min(_log_normal(THINKING_MEDIAN_SECONDS, THINKING_SPREAD, random), LONGEST_THINKING_SECONDS) for _ in wants
        ),
    )


def _log_normal(median: float, spread: float, random: Random) -> float:
    return median * random.lognormvariate(0.0, spread)


def _pick(weights: Mapping[str, float], random: Random) -> str:
    return random.choices(tuple(weights), tuple(weights.values()))[0]
