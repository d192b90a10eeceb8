"""Changes to Go code that break something in production."""

from __future__ import annotations

from tests.evals.scenarios.diff import Template

GO = (
    Template(
        "n_plus_one",
        "go",
        "@svc@/internal/assemble.go",
        "refactor: read @thing@ from the source of truth",
        "func (a *Assembler) Build(ctx context.Context, lines []Line) (*View, error) {",
        """
     view := &View{Lines: make([]ViewLine, 0, len(lines))}
-    @thing@s, err := a.store.@Thing@sBySKU(ctx, skus(lines))
-    if err != nil {
-        return nil, err
-    }
     for _, line := range lines {
-        view.Lines = append(view.Lines, ViewLine{Line: line, @Thing@: @thing@s[line.SKU]})
+        @thing@, err := a.store.@Thing@BySKU(ctx, line.SKU)
+        if err != nil {
+            return nil, fmt.Errorf("@thing@ of %s: %w", line.SKU, err)
+        }
+        view.Lines = append(view.Lines, ViewLine{Line: line, @Thing@: @thing@})
     }
     return view, nil
""",
    ),
    Template(
        "timeout_lowered",
        "go",
        "@svc@/internal/clients/@callee@.go",
        "chore: align client defaults with the platform guide",
        "func New@Thing@Client(addr string) *Client {",
        """
     return &Client{
         addr: addr,
         http: &http.Client{
-            Timeout:   @old@ * time.Millisecond,
+            Timeout:   @new@ * time.Millisecond,
             Transport: otelhttp.NewTransport(http.DefaultTransport),
         },
     }
""",
    ),
    Template(
        "pool_lowered",
        "go",
        "@svc@/internal/store/open.go",
        "chore: tidy database options",
        "func Open(dsn string) (*sql.DB, error) {",
        """
     db, err := sql.Open("pgx", dsn)
     if err != nil {
         return nil, err
     }
-    db.SetMaxOpenConns(@old@)
-    db.SetMaxIdleConns(@old@)
+    db.SetMaxOpenConns(@new@)
+    db.SetMaxIdleConns(@new@)
     db.SetConnMaxLifetime(30 * time.Minute)
     return db, nil
""",
    ),
    Template(
        "ttl_lowered",
        "go",
        "pkg/cachekit/options.go",
        "cachekit: fresher entries by default",
        "var Defaults = Options{",
        """
     Namespace: "shop",
-    TTL:       @old@ * time.Second,
+    TTL:       @new@ * time.Second,
     Jitter:    0.1,
""",
    ),
    Template(
        "memory_leak",
        "go",
        "@svc@/internal/session/tracker.go",
        "feat: remember recent requests for the support view",
        "func (t *Tracker) Observe(req *Request) {",
        """
     t.mu.Lock()
     defer t.mu.Unlock()
-    t.last = req.Summary()
+    t.recent[req.ID] = append(t.recent[req.ID], req.Clone())
     t.seen.Inc()
""",
    ),
    Template(
        "slow_downstream",
        "go",
        "@svc@/internal/rules/registry.go",
        "fix: data race when rules are reloaded",
        "func (r *Registry) Lookup(key string) (Rule, bool) {",
        """
-    rules := r.current.Load()
-    rule, ok := rules[key]
+    r.mu.Lock()
+    defer r.mu.Unlock()
+    if err := r.reload(r.source); err != nil {
+        return Rule{}, false
+    }
+    rule, ok := r.rules[key]
     return rule, ok
""",
    ),
    Template(
        "cache_removed",
        "go",
        "@svc@/internal/read/product.go",
        "fix: show new descriptions at once",
        "func (r *Reader) Product(ctx context.Context, id string) (*Product, error) {",
        """
-    if hit, ok := r.cache.Get(ctx, "product:"+id); ok {
-        return hit, nil
-    }
     product, err := r.db.Product(ctx, id)
     if err != nil {
         return nil, err
     }
-    r.cache.Set(ctx, "product:"+id, product)
     return product, nil
""",
    ),
    Template(
        "retry_storm",
        "go",
        "@svc@/internal/clients/@callee@.go",
        "feat: be more resilient towards @callee@",
        "func (c *Client) Reserve(ctx context.Context, req *ReserveRequest) (*Reservation, error) {",
        """
     var last error
-    for attempt := 0; attempt < 2; attempt++ {
+    for attempt := 0; attempt < @many@; attempt++ {
         res, err := c.stub.Reserve(ctx, req)
         if err == nil {
             return res, nil
         }
         last = err
-        time.Sleep(backoff.Exponential(attempt, 200*time.Millisecond))
     }
     return nil, last
""",
    ),
    Template(
        "bad_release",
        "go",
        "@svc@/internal/handlers/place.go",
        "feat: carry the gift note through to the receipt",
        "func (h *Handler) Place(ctx context.Context, req *PlaceRequest) (*Receipt, error) {",
        """
     order, err := h.orders.Create(ctx, req)
     if err != nil {
         return nil, err
     }
-    receipt := &Receipt{ID: order.ID, Total: order.Total}
+    receipt := &Receipt{ID: order.ID, Total: order.Total, Note: order.Gift.Note}
     return receipt, nil
""",
    ),
    Template(
        "queue_backlog",
        "go",
        "@svc@/cmd/consumer/main.go",
        "chore: simplify start-up of the consumer",
        "func run(ctx context.Context, sub *Subscription, handle Handler) error {",
        """
-    workers := pool.New(@old@)
-    for msg := range sub.Messages(ctx) {
-        workers.Go(func() { handle(ctx, msg) })
-    }
-    workers.Wait()
+    for msg := range sub.Messages(ctx) {
+        handle(ctx, msg)
+    }
     return sub.Err()
""",
    ),
    Template(
        "payment_country",
        "go",
        "@svc@/internal/charge/amount.go",
        "refactor: one place for minor units",
        "func minorUnits(amount decimal.Decimal, country string) (int64, error) {",
        """
-    currency, ok := currencies[country]
-    if !ok {
-        return 0, fmt.Errorf("no currency for %s", country)
-    }
-    return amount.Shift(currency.Exponent).IntPart(), nil
+    if country == "@country@" {
+        return 0, ErrUnsupportedCurrency
+    }
+    return amount.Shift(2).IntPart(), nil
""",
    ),
)
