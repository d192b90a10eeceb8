"""SQL statements: their normal form, and recognising a query in source code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.diagnosis.statements import likeness, names_every_table, normal_form, tables

STOCK = "SELECT stock FROM products WHERE id = ?"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT stock FROM products WHERE id = ?",
        "SELECT stock\n  FROM products\n WHERE id = 42;",
        "SELECT stock FROM products WHERE id = 'a''b' -- trace 1",
        "SELECT stock FROM products WHERE id = %(product_id)s",
        "SELECT stock FROM products WHERE id = :id",
        "/* traceparent='00-1' */ SELECT stock FROM products WHERE id = $1",
    ],
)
def test_runs_of_one_query_have_one_normal_form(statement: str) -> None:
    assert normal_form(statement) == STOCK


def test_lists_of_any_length_have_one_normal_form() -> None:
    assert normal_form("SELECT a FROM b WHERE c IN (1, 2, 3)") == normal_form("SELECT a FROM b WHERE c IN (?, ?)")


def test_a_cast_is_not_a_placeholder() -> None:
    assert normal_form("SELECT a::text FROM b") == "SELECT a::text FROM b"


WORDS = ["select", "a1", "FROM", "b.c", "=", "7", "8.5", "'x'", "''", "?", "%s", ":id", "$1", "(", ")", ",", ";", "::t"]


@given(st.lists(st.sampled_from(WORDS)))
def test_normalising_is_idempotent(words: list[str]) -> None:
    once = normal_form(" ".join(words))

    assert normal_form(once) == once


@pytest.mark.parametrize(
    "code",
    [
        'connection.execute("SELECT stock FROM products WHERE id = ?", (item.id,))',
        'execute(\n    "SELECT stock "\n    f"FROM products WHERE id = {item.product_id}"\n)',
        'query = "select stock from products" + " where id = %s" % row["id"]',
        "cursor.query(`SELECT stock\n FROM products\n WHERE id = ${item.id}`)",
        'sql := "SELECT p.stock FROM shop.products AS p WHERE p.id = $1"',
    ],
)
def test_a_query_is_recognised_in_any_spelling_of_the_code(code: str) -> None:
    assert likeness(STOCK, code) == 1.0


@pytest.mark.parametrize(
    "code",
    [
        'execute("SELECT id FROM users WHERE id = ?")',
        "stock = load_products(warehouse)",
        'log("select your products; we show stock where we can, and the id")',
        "",
    ],
)
def test_unrelated_code_is_not_recognised_as_the_query(code: str) -> None:
    assert likeness(STOCK, code) < 0.8


def test_a_query_without_names_is_too_common_to_be_recognised() -> None:
    assert likeness("SELECT 1", "SELECT 1") == 0.0


def test_table_names_omit_the_schema() -> None:
    assert tables('SELECT * FROM shop.orders JOIN "items" ON true') == {"orders", "items"}


def test_orm_code_is_recognised_by_the_tables_it_names() -> None:
    statement = "SELECT product_stocks.id FROM product_stocks WHERE product_stocks.id = ?"

    assert names_every_table(statement, "ProductStock.objects.get(pk=item.id)")
    assert not names_every_table(statement, "Product.objects.get(pk=item.id)")
    assert not names_every_table("SELECT 1", "anything")
