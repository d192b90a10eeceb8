"""The products of the shop."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

_MATERIALS = ("Oak", "Walnut", "Linen", "Wool", "Steel", "Cork", "Clay", "Glass", "Leather", "Bamboo")
_THINGS = ("Lamp", "Tray", "Stool", "Vase", "Clock", "Basket", "Mirror", "Bowl", "Shelf", "Frame", "Mug", "Bench")


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    name: str
    price_cents: int
    stock: int
    popularity: int


def products() -> list[Product]:
    """Return the 120 products, the most popular first."""
    return [
        Product(
            sku=f"{material[:2]}{thing[:3]}-{number:03d}".upper(),
            name=f"{material} {thing}",
            price_cents=1290 + 350 * ((number * 7) % 40),
            stock=3 + (number * 11) % 60,
            popularity=1000 - 8 * number,
        )
        for number, (material, thing) in enumerate(product(_MATERIALS, _THINGS))
    ]
