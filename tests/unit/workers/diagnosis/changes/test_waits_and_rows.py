"""Calls that block an event loop, and associations that are read anew for each row."""

from __future__ import annotations

import pytest

from tests.unit.workers.diagnosis.changes.reading import read, strength_of
from workers.diagnosis.changes import EffectKind

BLOCKING = [
    ("app/pay.py", " async def pay(body):\n+    rate = requests.get(RATES_URL).json()\n     return charge(body)"),
    ("app/jobs.py", " async def poll():\n     while True:\n+        time.sleep(2)"),
    ("src/login.ts", " app.post('/login', async (req, res) => {\n+  const hash = bcrypt.hashSync(req.body.secret, 14)"),
    ("src/Pay.cs", " public async Task<Receipt> Pay(Order order) {\n+    var rate = rates.GetAsync(order.Id).Result;"),
    ("src/Pay.java", " public Mono<Receipt> pay(Order order) {\n+    Rate rate = rates.find(order.id()).block();"),
]
HARMLESS = [
    ("app/pay.py", " def pay(body):\n+    rate = requests.get(RATES_URL).json()\n     return charge(body)"),
    ("app/pay.py", " async def pay(body):\n+    rate = await asyncio.to_thread(requests.get, RATES_URL)"),
    ("app/pay.py", " async def pay(body):\n-    r = requests.get(OLD_URL)\n+    r = requests.get(RATES_URL)"),
    ("src/main.ts", "+const banner = readFileSync('banner.txt')\n export const start = () => listen(8080)"),
    ("src/Pay.cs", " public async Task<Receipt> Pay(Order order) {\n+    var rate = await rates.GetAsync(order.Id);"),
]


@pytest.mark.parametrize(("path", "diff"), BLOCKING)
def test_a_call_that_blocks_an_event_loop_is_found(path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.BLOCKS_LOOP) >= 0.8


@pytest.mark.parametrize(("path", "diff"), HARMLESS)
def test_a_call_that_waits_where_it_may_is_none(path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.BLOCKS_LOOP) == 0


def test_a_blocking_function_of_the_same_commit_is_followed_into_the_coroutine_that_calls_it() -> None:
    reading = read(
        "app/limits.py",
        "+def is_allowed(customer):\n+    return requests.post(LIMITS_URL, json=customer).ok",
        "feat: limits",
        ("app/pay.py", " async def pay(body):\n+    if not limits.is_allowed(body.customer):\n+        raise Refused"),
    )

    assert strength_of(reading, EffectKind.BLOCKS_LOOP) >= 0.8


@pytest.mark.parametrize(
    ("path", "diff"),
    [
        ("app/serializers/invoice.rb", " attributes :id\n+  def country\n+    object.buyer.address.country\n+  end"),
        (
            "shop/serializers.py",
            " class LineSerializer(ModelSerializer):\n+    maker = CharField(source='product.maker')",
        ),
        ("shop/serializers.py", " def get_count(self, obj):\n+        return obj.reviews.count()"),
        ("src/InvoiceMapper.java", " InvoiceDto toDto(Invoice i) {\n+    dto.setCity(i.getBuyer().getCity());"),
    ],
)
def test_an_association_that_is_newly_read_for_each_row_is_a_query_in_a_loop(path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.QUERY_IN_LOOP) >= 0.6


@pytest.mark.parametrize(
    ("path", "diff"),
    [
        ("app/serializers/invoice.rb", " attributes :id\n+  def day\n+    object.created_at.strftime('%d')\n+  end"),
        ("app/serializers/invoice.rb", "-    object.buyer.city\n+    object.buyer.town"),
        ("app/models/invoice.rb", " def country\n+    buyer.address.country\n   end"),
        ("src/InvoiceMapper.java", " InvoiceDto toDto(Invoice i) {\n+    dto.setId(i.getBuyer().getId());"),
    ],
)
def test_a_value_of_the_row_itself_or_one_that_was_read_before_is_no_query(path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.QUERY_IN_LOOP) == 0


def test_an_association_that_the_commit_also_loads_beforehand_is_no_query_in_a_loop() -> None:
    reading = read(
        "app/serializers/invoice.rb",
        "+    object.buyer.address.country",
        "feat: country",
        ("app/controllers/invoices.rb", "-    Invoice.recent\n+    Invoice.recent.includes(buyer: :address)"),
    )

    assert strength_of(reading, EffectKind.QUERY_IN_LOOP) == 0


def test_the_names_of_files_that_never_run_say_all_there_is_to_know() -> None:
    reading = read("docs/runbook.md", "")

    assert reading.is_inert
    assert reading.was_read
