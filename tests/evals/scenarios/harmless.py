"""Innocent changes that look tempting: they touch the right file, the right words or the right service."""

from __future__ import annotations

from tests.evals.scenarios.diff import Template

TEMPTING = (
    Template(
        "innocent",
        "go",
        "@svc@/internal/handlers/handler.go",
        "refactor: tidy the main handler of @svc@",
        "func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {",
        """
     req, err := decode(r)
     if err != nil {
-        http.Error(w, err.Error(), http.StatusBadRequest)
-        return
+        h.writeError(w, err, http.StatusBadRequest)
+        return
     }
""",
    ),
    Template(
        "innocent",
        "go",
        "@svc@/internal/clients/builder.go",
        "refactor: extract request builder",
        "func (c *Client) call(ctx context.Context, in Input) (*Output, error) {",
        """
-    req := &Request{}
-    req.ID = in.ID
-    req.Amount = in.Amount
+    req := buildRequest(in)
     return c.stub.Call(ctx, req)
 }
+
+func buildRequest(in Input) *Request {
+    return &Request{ID: in.ID, Amount: in.Amount}
+}
""",
    ),
    Template(
        "innocent",
        "python",
        "@svc@/app/metrics.py",
        "Count outcomes by label",
        "def observe(outcome: str, seconds: float) -> None:",
        """
-    REQUESTS.inc()
+    REQUESTS.labels(outcome=outcome).inc()
     SECONDS.observe(seconds)
""",
    ),
    Template(
        "innocent",
        "python",
        "@svc@/app/views.py",
        "Timeouts: say in the message which client it was",
        "async def handle(request: Request) -> Response:",
        """
     except TimeoutError as error:
-        raise HTTPException(504, "timeout") from error
+        raise HTTPException(504, f"timeout calling {error.client}") from error
     return Response(body)
""",
    ),
    Template(
        "innocent",
        "typescript",
        "@svc@/src/components/Summary.tsx",
        "style: new spacing in the summary",
        "export function Summary({ total, currency }: Props) {",
        """
   return (
-    <section className="p-2 text-sm">
+    <section className="p-4 text-base">
       <Price amount={total} currency={currency} />
     </section>
   );
""",
    ),
    Template(
        "innocent",
        "typescript",
        "@svc@/src/clients/types.ts",
        "refactor: name the retry options",
        "",
        """
-export const reserveOptions = { retries: 2, minTimeout: 250 };
+interface RetryOptions { retries: number; minTimeout: number }
+export const reserveOptions: RetryOptions = { retries: 2, minTimeout: 250 };
""",
    ),
    Template(
        "innocent",
        "java",
        "@svc@/src/main/java/shop/@svc_id@/Controller.java",
        "Rename variables in the controller",
        "public ResponseEntity<View> show(@PathVariable String id) {",
        """
-        View v = service.view(id);
-        return ResponseEntity.ok(v);
+        View view = service.view(id);
+        return ResponseEntity.ok(view);
     }
""",
    ),
    Template(
        "innocent",
        "sql",
        "@svc@/migrations/0@n@_index.sql",
        "Index for the back office's report",
        "",
        """
+CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_created_at_idx ON orders (created_at);
""",
    ),
    Template(
        "innocent",
        "yaml",
        "deploy/@svc@/values.yaml",
        "@svc@: one more replica before the weekend",
        "",
        """
-replicas: 4
+replicas: 5
 image: registry.shop/@svc@
""",
    ),
    Template(
        "innocent",
        "go",
        "go.mod",
        "chore: bump dependencies",
        "require (",
        """
-    github.com/jackc/pgx/v5 v5.6.0
+    github.com/jackc/pgx/v5 v5.6.1
-    google.golang.org/grpc v1.66.0
+    google.golang.org/grpc v1.66.2
""",
    ),
    Template(
        "innocent",
        "python",
        "@svc@/app/guards.py",
        "Refuse negative quantities",
        "def checked(quantity: int) -> int:",
        """
+    if quantity < 0:
+        raise ValueError("quantity must not be negative")
     return quantity
""",
    ),
    Template(
        "innocent",
        "java",
        "@svc@/src/main/java/shop/@svc_id@/Cache.java",
        "Cache: document the eviction policy",
        "public final class Cache {",
        """
+    /**
+     * Entries are evicted least recently used first, and ten minutes after they were written.
+     */
     private final Map<String, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
""",
    ),
)

BACKGROUND = (
    ("docs: how to add a payment method", "docs/payments.md"),
    ("docs: update the runbook of the on-call", "docs/oncall.md"),
    ("test: cover the empty basket", "@svc@/tests/test_basket.py"),
    ("test: golden files for receipts", "@svc@/testdata/receipts.json"),
    ("chore: pin the linter", ".golangci.yml"),
    ("style: format imports", "@svc@/src/index.ts"),
    ("ci: cache the dependencies of the build", ".github/workflows/build.yml"),
    ("chore: update CODEOWNERS", "CODEOWNERS"),
    ("test: fuzz the postcode parser", "@svc@/internal/address/parse_fuzz_test.go"),
    ("docs: record why we left the monolith", "docs/decisions/0012.md"),
    ("i18n: German and Dutch strings", "@svc@/locales/de.json"),
    ("chore: remove an unused asset", "@svc@/public/banner.png"),
)
"""Messages and paths of commits whose diff is not exported."""
