"""Changes to Python code that break something in production."""

from __future__ import annotations

from tests.evals.scenarios.diff import Template

PYTHON = (
    Template(
        "n_plus_one",
        "python",
        "@svc@/app/serializers.py",
        "Show the current @thing@ on every line",
        "def lines_of(basket: Basket) -> list[dict[str, object]]:",
        """
-    rows = Line.objects.filter(basket=basket).select_related("@thing@")
-    return [{"sku": row.sku, "@thing@": row.@thing@.value} for row in rows]
+    rows = Line.objects.filter(basket=basket)
+    result = []
+    for row in rows:
+        @thing@ = @Thing@.objects.get(sku=row.sku)
+        result.append({"sku": row.sku, "@thing@": @thing@.value})
+    return result
""",
    ),
    Template(
        "timeout_lowered",
        "python",
        "@svc@/settings/clients.py",
        "Fail faster when a dependency hangs",
        "CLIENTS = {",
        """
     "@callee@": {
         "base_url": env("@CALLEE@_URL"),
-        "timeout_seconds": @old_s@,
+        "timeout_seconds": @new_s@,
         "retries": 1,
     },
""",
    ),
    Template(
        "pool_lowered",
        "python",
        "@svc@/app/database.py",
        "Clean up engine arguments",
        "def engine() -> AsyncEngine:",
        """
     return create_async_engine(
         settings.database_url,
-        pool_size=@old@,
-        max_overflow=20,
+        pool_size=@new@,
+        max_overflow=0,
         pool_pre_ping=True,
     )
""",
    ),
    Template(
        "ttl_lowered",
        "python",
        "libs/caching/defaults.py",
        "caching: entries should not be stale for so long",
        "",
        """
 #: seconds
-DEFAULT_TTL = @old@
+DEFAULT_TTL = @new@
 MAX_ENTRIES = 200_000
""",
    ),
    Template(
        "memory_leak",
        "python",
        "@svc@/app/features.py",
        "Keep computed features, they are expensive",
        "class FeatureStore:",
        """
     def features(self, user_id: str, context: Context) -> Features:
-        return self._compute(user_id, context)
+        key = (user_id, context.request_id)
+        if key not in self._computed:
+            self._computed[key] = self._compute(user_id, context)
+        return self._computed[key]
""",
    ),
    Template(
        "slow_downstream",
        "python",
        "@svc@/app/availability.py",
        "Count reservations exactly instead of from the daily summary",
        "async def available(session: AsyncSession, sku: str) -> int:",
        """
-    query = select(StockSummary.free).where(StockSummary.sku == sku)
-    return (await session.execute(query)).scalar_one()
+    query = select(Reservation).where(func.lower(Reservation.sku) == sku.lower())
+    reserved = (await session.execute(query)).scalars().all()
+    return await total(session, sku) - sum(one.quantity for one in reserved)
""",
    ),
    Template(
        "cache_removed",
        "python",
        "@svc@/app/reads.py",
        "Remove stale product pages for good",
        "",
        """
-@cached(ttl=600, key="product:{product_id}")
 async def product(product_id: str) -> Product:
     return await repository.product(product_id)
""",
    ),
    Template(
        "retry_storm",
        "python",
        "@svc@/app/clients/@callee@.py",
        "Retry harder: one hiccup must not lose a sale",
        "",
        """
-@retry(stop=stop_after_attempt(2), wait=wait_exponential_jitter(initial=0.2, max=2))
+@retry(stop=stop_after_attempt(@many@), wait=wait_none())
 async def reserve(order: Order) -> Reservation:
     response = await http.post("/reservations", json=order.dump())
     response.raise_for_status()
""",
    ),
    Template(
        "bad_release",
        "python",
        "@svc@/app/views.py",
        "Use the new address model",
        "def summary(order: Order) -> dict[str, object]:",
        """
     return {
         "id": str(order.id),
-        "ship_to": order.shipping_address or order.billing_address,
+        "ship_to": order.customer.default_address.formatted,
         "total": order.total,
     }
""",
    ),
    Template(
        "queue_backlog",
        "python",
        "@svc@/worker.py",
        "Confirm each parcel with the carrier before the message is acknowledged",
        "async def handle(message: Message) -> None:",
        """
     parcel = Parcel.parse(message.body)
     await store.save(parcel)
+    confirmation = await carrier.confirm(parcel)
+    while not confirmation.is_final:
+        await asyncio.sleep(1)
+        confirmation = await carrier.confirm(parcel)
     await message.ack()
""",
    ),
    Template(
        "payment_country",
        "python",
        "@svc@/app/taxes.py",
        "Move tax rules into one table",
        "def tax_id(address: Address) -> str:",
        """
-    rule = RULES.get(address.country, DEFAULT_RULE)
-    return rule.format(address)
+    rule = {rule.country: rule for rule in load_rules()}[address.country]
+    if address.country == "@country@":
+        return rule.format(address, region=address.region.code)
+    return rule.format(address)
""",
    ),
    Template(
        "node_pressure",
        "python",
        "@svc@/jobs/load.py",
        "Load the export in one go, it is simpler",
        "def rows(path: Path) -> Iterable[Row]:",
        """
-    with path.open(newline="") as file:
-        for raw in csv.DictReader(file):
-            yield Row(**raw)
+    frame = pandas.read_csv(path)
+    everything = [Row(**raw) for raw in frame.to_dict("records")]
+    return sorted(everything, key=lambda row: row.sku)
""",
    ),
    Template(
        "disk_full",
        "python",
        "@svc@/settings/logging.py",
        "See what clients really send",
        "LOGGING = {",
        """
     "handlers": {"file": {"class": "logging.FileHandler", "filename": "/var/log/app/app.log"}},
-    "root": {"handlers": ["file"], "level": "INFO"},
+    "root": {"handlers": ["file"], "level": "DEBUG"},
+    "loggers": {"http.bodies": {"level": "DEBUG", "propagate": True}},
""",
    ),
)
