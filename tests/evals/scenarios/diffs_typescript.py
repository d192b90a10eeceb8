"""Changes to TypeScript code that break something in production."""

from __future__ import annotations

from tests.evals.scenarios.diff import Template

TYPESCRIPT = (
    Template(
        "n_plus_one",
        "typescript",
        "@svc@/src/resolvers/lines.ts",
        "feat: resolve @thing@ lazily",
        "export async function lines(basket: Basket, ctx: Context): Promise<LineView[]> {",
        """
-  const found = await ctx.@thing@s.loadMany(basket.lines.map((line) => line.sku));
-  return basket.lines.map((line, i) => ({ ...line, @thing@: found[i] }));
+  const views: LineView[] = [];
+  for (const line of basket.lines) {
+    const @thing@ = await ctx.db.@thing@.findUnique({ where: { sku: line.sku } });
+    views.push({ ...line, @thing@ });
+  }
+  return views;
""",
    ),
    Template(
        "timeout_lowered",
        "typescript",
        "@svc@/src/clients/@callee@.ts",
        "chore: consistent client options",
        "export const @callee_id@ = createClient({",
        """
   baseURL: config.@callee_id@Url,
-  timeout: @old@,
+  timeout: @new@,
   headers: { 'x-client': '@svc@' },
""",
    ),
    Template(
        "pool_lowered",
        "typescript",
        "@svc@/src/db/pool.ts",
        "chore: move pool options to one object",
        "const options: PoolConfig = {",
        """
-  max: @old@,
+  max: @new@,
   idleTimeoutMillis: 30_000,
   connectionTimeoutMillis: 2_000,
""",
    ),
    Template(
        "memory_leak",
        "typescript",
        "@svc@/src/live/updates.ts",
        "feat: live stock badge",
        "export function watch(res: Response, sku: string): void {",
        """
   const send = (update: StockUpdate) => res.write(encode(update));
-  stock.once(`changed:${sku}`, send);
+  stock.on(`changed:${sku}`, send);
+  history.push({ sku, openedAt: Date.now(), res });
   res.on('error', (error) => log.warn({ error }, 'client gone'));
""",
    ),
    Template(
        "slow_downstream",
        "typescript",
        "@svc@/src/rank/normalise.ts",
        "fix: accept more spellings in queries",
        "export function normalise(query: string): string {",
        """
-  return query.trim().toLowerCase();
+  const cleaned = query.replace(/^(\\s*\\w+\\s*)*$/u, (text) => text.trim());
+  const synonyms = JSON.parse(readFileSync(SYNONYMS, 'utf8')) as Record<string, string>;
+  return cleaned.split(' ').map((word) => synonyms[word] ?? word).join(' ').toLowerCase();
 }
""",
    ),
    Template(
        "cache_removed",
        "typescript",
        "@svc@/src/products/read.ts",
        "fix: price on the product page lags behind",
        "export async function getProduct(id: string): Promise<Product> {",
        """
-  const cached = await redis.get(`product:${id}`);
-  if (cached) return JSON.parse(cached) as Product;
-  const product = await db.product.findUniqueOrThrow({ where: { id } });
-  await redis.set(`product:${id}`, JSON.stringify(product), { EX: 900 });
-  return product;
+  return db.product.findUniqueOrThrow({ where: { id } });
 }
""",
    ),
    Template(
        "retry_storm",
        "typescript",
        "@svc@/src/clients/@callee@.ts",
        "feat: retry reservations",
        "export const reserve = withRetry(async (order: Order) => {",
        """
   const response = await http.post('/reservations', order);
   return response.data as Reservation;
-}, { retries: 1, minTimeout: 250, factor: 2, randomize: true });
+}, { retries: @many@, minTimeout: 0, factor: 1, randomize: false });
""",
    ),
    Template(
        "bad_release",
        "typescript",
        "@svc@/src/handlers/place.ts",
        "refactor: drop the legacy delivery shape",
        "export async function place(req: PlaceRequest): Promise<Receipt> {",
        """
   const order = await orders.create(req);
-  const slot = req.delivery?.slot ?? req.deliverySlot ?? defaultSlot();
+  const slot = req.delivery.window.slot;
   return { id: order.id, total: order.total, slot };
""",
    ),
    Template(
        "payment_country",
        "typescript",
        "@svc@/src/charge/postcode.ts",
        "refactor: stricter postcodes",
        "export function postcode(address: Address): string {",
        """
-  const pattern = PATTERNS[address.country] ?? ANY;
+  const pattern = PATTERNS[address.country];
+  if (address.country === '@country@') throw new ValidationError(`postcode ${address.postcode}`);
   if (!pattern.test(address.postcode)) throw new ValidationError('postcode');
   return address.postcode;
""",
    ),
    Template(
        "queue_backlog",
        "typescript",
        "@svc@/src/consumer.ts",
        "chore: upgrade to the new consumer API",
        "const consumer = new Consumer(queue, {",
        """
   group: '@svc@',
-  concurrency: @old@,
-  prefetch: 50,
+  concurrency: 1,
+  prefetch: 1,
   handler: handleParcel,
""",
    ),
)
