"""The shop's commits: author, time and message. Their diffs are in changes/NAME.patch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PATCHES = Path(__file__).parent / "changes"


@dataclass(frozen=True, slots=True)
class Author:
    """A developer at Acme."""

    name: str
    email: str


JONAS = Author("Jonas Weber", "jonas@acme.example")
MARA = Author("Mara Lindqvist", "mara@acme.example")
TOM = Author("Tom Okafor", "tom@acme.example")
PRIYA = Author("Priya Nair", "priya@acme.example")


@dataclass(frozen=True, slots=True)
class Change:
    """One commit. `patch` is the name of its patch file; the initial commit has none and adds all files."""

    author: Author
    message: str
    days_ago: float
    patch: str | None

    @property
    def patch_file(self) -> Path:
        """The path of the patch; only valid for a change that has one."""
        return PATCHES / f"{self.patch}.patch"


HISTORY = (
    Change(JONAS, "First shop: sign-up, cart, checkout and payment", 24.1, None),
    Change(MARA, "Answer 404 for a product that we do not sell", 20.3, "refuse_unknown_products"),
    Change(TOM, "Recommend six products at checkout, not three", 16.2, "recommend_six"),
    Change(JONAS, "Empty the cart once the order is placed", 12.4, "empty_the_cart"),
    Change(MARA, "Log a warning when an answer takes more than half a second", 8.2, "warn_when_slow"),
    Change(PRIYA, "Friendlier words after sign-up", 5.1, "friendlier_words"),
    Change(TOM, "Do not recommend what is already in the cart", 2.3, "recommend_what_is_not_in_the_cart"),
)
"""Oldest first. After all of them the shop equals the source in shop/."""

LIVE_STOCK = Change(TOM, "Show live stock for recommended products at checkout", 0.004, "live_stock")
FREE_RETURNS = Change(PRIYA, "Tell customers about free returns after payment", 0.002, "free_returns")
ORDER_TOTAL = Change(JONAS, "Move the order total into a function of its own", 0.004, "order_total")

CACHE_THE_CATALOGUE = Change(
    JONAS, "Show the rest of the catalogue's page beside the cart, from the cache", 1.3, "cache_the_catalogue"
)
FRESH_CATALOGUE = Change(MARA, "Show price changes sooner: keep catalogue pages for a second", 0.004, "fresh_catalogue")
PAY_THROUGH_PAYGATE = Change(JONAS, "Take payments through Paygate", 1.3, "pay_through_paygate")

ASK_THE_INVENTORY = Change(JONAS, "Reserve every order at the inventory", 1.3, "ask_the_inventory")
COUNT_EVERY_WAREHOUSE = Change(
    TOM, "Pick the warehouse by what lies there at this moment", 0.003, "count_every_warehouse"
)
