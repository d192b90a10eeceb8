"""The shop's routes."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field

from . import words
from .checkout import EmptyCartError, place_order
from .database import prepare, transaction
from .telemetry import Telemetry

SLOW_SECONDS = 0.5
logger = logging.getLogger("shop")


class SignUp(BaseModel):
    country: str = Field(min_length=2, max_length=2)
    device: str


class CartLine(BaseModel):
    user_id: str
    sku: str
    quantity: int = Field(1, ge=1, le=20)


class Checkout(BaseModel):
    user_id: str
    payment_method: str


class Payment(BaseModel):
    order_id: int


def create_app(database: Path, telemetry: Telemetry) -> FastAPI:
    """Create the application with its tables in the SQLite file at `database`."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        prepare(database)
        yield
        await to_thread.run_sync(telemetry.stop)

    app = FastAPI(title="Acme shop", lifespan=life)

    @app.middleware("http")
    async def warn_when_slow(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        response = await answer(request)
        seconds = time.perf_counter() - started
        if seconds > SLOW_SECONDS:
            logger.warning("%s %s took %.2f s", request.method, request.url.path, seconds)
        return response

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "version": os.environ.get("SHOP_VERSION", "")}

    @app.post("/sign-up", status_code=201)
    def sign_up(body: SignUp) -> dict[str, str]:
        user_id = str(uuid.uuid4())
        with transaction(database) as cursor:
            cursor.execute("INSERT INTO users VALUES (?, ?, ?)", (user_id, body.country, body.device))
        telemetry.track("signed_up", user_id, country=body.country, device=body.device)
        return {"user_id": user_id, "message": words.WELCOME}

    @app.post("/cart", status_code=201)
    def add_to_cart(body: CartLine) -> dict[str, str]:
        with transaction(database) as cursor:
            country, device = _user(cursor.execute(_USER, (body.user_id,)).fetchone())
            if cursor.execute("SELECT 1 FROM products WHERE sku = ?", (body.sku,)).fetchone() is None:
                raise HTTPException(404, words.NO_SUCH_PRODUCT)
            cursor.execute("INSERT INTO cart_lines VALUES (?, ?, ?)", (body.user_id, body.sku, body.quantity))
        telemetry.track("added_to_cart", body.user_id, country=country, device=device, sku=body.sku)
        return {"message": words.IN_CART}

    @app.post("/checkout", status_code=201)
    def check_out(body: Checkout) -> dict[str, int | str | list[str]]:
        with transaction(database) as cursor:
            country, device = _user(cursor.execute(_USER, (body.user_id,)).fetchone())
            try:
                order = place_order(cursor, body.user_id, body.payment_method)
            except EmptyCartError:
                raise HTTPException(409, words.EMPTY_CART) from None
        telemetry.track(
            "checkout_completed",
            body.user_id,
            country=country,
            device=device,
            payment_method=body.payment_method,
            total_cents=order.total_cents,
        )
        return {
            "order_id": order.order_id,
            "total_cents": order.total_cents,
            "recommended": order.recommended,
            "message": words.ORDER_PLACED,
        }

    @app.post("/payment")
    def pay(body: Payment) -> dict[str, str]:
        with transaction(database) as cursor:
            order = cursor.execute(_ORDER, (body.order_id,)).fetchone()
            if order is None:
                raise HTTPException(404, words.NO_SUCH_ORDER)
            cursor.execute("UPDATE orders SET status = 'paid' WHERE id = ?", (body.order_id,))
        user_id, country, device, payment_method = order
        telemetry.track("payment_completed", user_id, country=country, device=device, payment_method=payment_method)
        return {"message": words.PAID}

    return app


_USER = "SELECT country, device FROM users WHERE id = ?"
_ORDER = """
SELECT user_id, country, device, payment_method FROM orders JOIN users ON users.id = user_id WHERE orders.id = ?
"""


def _user(row: tuple[str, str] | None) -> tuple[str, str]:
    if row is None:
        raise HTTPException(404, words.NO_SUCH_USER)
    return row
