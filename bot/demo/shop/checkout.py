"""Place an order for the contents of a cart."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

RECOMMENDED = 6


class EmptyCartError(Exception):
    """The cart is empty."""


@dataclass(frozen=True, slots=True)
class Order:
    order_id: int
    total_cents: int
    recommended: list[str]


def place_order(cursor: sqlite3.Cursor, user_id: str, payment_method: str) -> Order:
    """Turn the cart into an order. Raises EmptyCartError."""
    lines = cursor.execute(
        "SELECT cart_lines.sku, quantity, price_cents FROM cart_lines JOIN products USING (sku) WHERE user_id = ?",
        (user_id,),
    ).fetchall()
    if not lines:
        raise EmptyCartError(user_id)
    total_cents = sum(quantity * price_cents for _, quantity, price_cents in lines)
    recommended = recommend(cursor, {sku for sku, _, _ in lines})
    cursor.execute(
        "INSERT INTO orders (user_id, total_cents, payment_method, status) VALUES (?, ?, ?, 'placed')",
        (user_id, total_cents, payment_method),
    )
    order_id = cursor.lastrowid
    assert order_id is not None
    cursor.execute("DELETE FROM cart_lines WHERE user_id = ?", (user_id,))
    return Order(order_id, total_cents, recommended)


def recommend(cursor: sqlite3.Cursor, in_cart: set[str]) -> list[str]:
    """The names of the most popular products that are not in the cart."""
    rows = cursor.execute(
        "SELECT sku, name FROM products ORDER BY popularity DESC LIMIT ?", (RECOMMENDED + len(in_cart),)
    ).fetchall()
    return [name for sku, name in rows if sku not in in_cart][:RECOMMENDED]
