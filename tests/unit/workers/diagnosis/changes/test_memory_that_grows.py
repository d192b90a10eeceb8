"""What each request leaves behind for ever, and what is kept within bounds, for a moment, or once."""

from __future__ import annotations

import pytest

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.changes.reading import read, strength_of, strongest
from workers.diagnosis.changes import Delay, EffectKind

GROWS = [
    (
        "tracker.go",
        "@@ -24,4 +24,4 @@ func (t *Tracker) Observe(req *Request) {\n \tdefer t.mu.Unlock()\n"
        "-\tt.last = req.Summary()\n"
        "+\tt.recent[req.ID] = append(t.recent[req.ID], req.Clone())\n \tt.seen.Inc()",
    ),
    (
        "svc.py",
        "@@ -1,2 +1,3 @@ def handle(self, request):\n     order = self.orders.load(request.order_id)\n"
        "+    self.history.append(order)\n     return order",
    ),
    (
        "svc.py",
        "@@ -1,2 +1,3 @@ def handle(self, request):\n     user = self.load(request.user_id)\n"
        "+    self._seen[request.id] = user\n     return user",
    ),
    (
        "svc.ts",
        "@@ -1,2 +1,3 @@ async handle(req: Request) {\n     const user = await this.load(req.userId)\n"
        "+    this.sessions.set(req.id, user)\n     return user",
    ),
    (
        "svc.js",
        "@@ -1,2 +1,3 @@ export function audit(req) {\n   const entry = { url: req.url, body: req.body }\n"
        "+  requests.push(entry)\n   next()",
    ),
    (
        "A.java",
        "@@ -1,2 +1,3 @@ public Quote quote(Request request) {\n         Quote quote = engine.quote(request);\n"
        "+        this.quotes.put(request.getId(), quote);\n         return quote;",
    ),
    (
        "a.rb",
        "@@ -1,2 +1,3 @@ def call(env)\n     status, headers, body = @app.call(env)\n"
        "+    @requests << env\n     [status, headers, body]",
    ),
    (
        "a.rs",
        "@@ -1,2 +1,3 @@ async fn handle(&self, req: Request) -> Response {\n"
        "         let res = self.inner.call(&req).await;\n"
        "+        self.served.lock().unwrap().push(req);\n         res",
    ),
    (
        "A.cs",
        "@@ -1,2 +1,3 @@ public async Task Handle(Message message)\n             await Process(message);\n"
        "+            _handled.Add(message);\n         }",
    ),
    (
        "a.go",
        "@@ -1,2 +1,6 @@ func (s *Service) Price(ctx context.Context, userID string) (Price, error) {\n"
        "+\tif p, ok := s.cache[userID]; ok {\n+\t\treturn p, nil\n+\t}\n"
        " \tp, err := s.compute(ctx, userID)\n+\ts.cache[userID] = p\n \treturn p, err",
    ),
    (
        "a.ts",
        "@@ -1,2 +1,3 @@ export function stream(req, res) {\n   const send = (stock) => res.write(stock)\n"
        '+  stock.on("changed:" + req.params.sku, send)\n   res.flushHeaders()',
    ),
    (
        "a.js",
        "@@ -1,2 +1,3 @@ app.get('/live', (req, res) => {\n   const onPrice = p => res.write(p)\n"
        "+  prices.addListener('price', onPrice)\n })",
    ),
    (
        "a.go",
        "@@ -1,2 +1,3 @@ func (s *Server) Watch(req *pb.WatchRequest, stream pb.Shop_WatchServer) error {\n"
        "+\tch := s.bus.Subscribe(req.Sku)\n \tfor item := range ch {",
    ),
    (
        "a.py",
        "@@ -1,2 +1,3 @@ def handle(request):\n     order = load(request.id)\n"
        "+    order_changed.connect(lambda o: notify(request, o), weak=False)\n     return order",
    ),
    (
        "A.java",
        "@@ -1,2 +1,3 @@ public Cart cart(Request request) {\n         Cart cart = carts.get(request.user());\n"
        "+        prices.addListener(change -> cart.update(change));\n         return cart;",
    ),
    (
        "a.go",
        "@@ -1,2 +1,6 @@ func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {\n"
        " \tsess := h.session(r)\n"
        "+\tgo func() {\n+\t\tfor range time.Tick(time.Second) {\n+\t\t\tsess.Refresh()\n+\t\t}\n+\t}()\n"
        " \th.next.ServeHTTP(w, r)",
    ),
    (
        "a.go",
        "@@ -1,2 +1,6 @@ func (h *Handler) Search(ctx context.Context, q Query) (Result, error) {\n"
        "+\tch := make(chan Result)\n+\tgo func() { ch <- h.index.Search(q) }()\n \tselect {\n"
        "+\tcase r := <-ch:\n+\t\treturn r, nil\n \tcase <-ctx.Done():",
    ),
    (
        "a.ts",
        "@@ -1,2 +1,3 @@ export function connect(req, res) {\n   const session = open(req)\n"
        "+  setInterval(() => session.ping(), 5000)\n   res.end()",
    ),
    (
        "A.java",
        "@@ -1,2 +1,3 @@ public Session open(Request request) {\n         Session session = new Session(request);\n"
        "+        scheduler.scheduleAtFixedRate(session::ping, 0, 5, SECONDS);\n         return session;",
    ),
    (
        "a.go",
        "@@ -1,2 +1,6 @@ func (c *Cache) Put(key string, v Value) {\n \tc.items[key] = v\n"
        "-\tif len(c.items) > c.max {\n-\t\tc.evictOldest()\n-\t}\n }",
    ),
    (
        "a.go",
        "@@ -1,2 +1,6 @@ func (s *Sessions) End(id string) {\n \ts.notify(id)\n-\tdelete(s.open, id)\n }",
    ),
    ("a.py", "-@lru_cache(maxsize=1024)\n+@lru_cache(maxsize=None)\n def price(user_id, request_id):"),
]


@pytest.mark.parametrize(("path", "diff"), GROWS)
def test_what_each_request_leaves_behind_makes_memory_grow(path: str, diff: str) -> None:
    first = read(path, diff).effects[0]

    assert first.kind is EffectKind.BUFFER_GROWS
    assert first.causes >= {SymptomKind.MEMORY, SymptomKind.GARBAGE_COLLECTION, SymptomKind.RESTARTS}
    assert first.delay is Delay.GROWS
    assert first.strength >= 0.6


KEPT_WITHIN_BOUNDS = [
    # A list of the answer.
    (
        "a.py",
        "@@ -1,3 +1,4 @@ def handle(request):\n     items = []\n     for row in rows:\n+        items.append(row)",
    ),
    # An object that gathers its own parts.
    (
        "cart.ts",
        "@@ -1,3 +1,4 @@ addItem(item: Item) {\n     this.touch()\n+    this.items.push(item)\n     return this",
    ),
    ("a.py", "@@ -1,3 +1,4 @@ def __init__(self, request):\n     self.rules = []\n+    self.rules.append(default)"),
    (
        "Q.java",
        "@@ -1,3 +1,4 @@ public QueryBuilder withFilter(Filter f) {\n+        this.filters.add(f);\n"
        "         return this;",
    ),
    # One key of few.
    (
        "a.go",
        "@@ -1,3 +1,4 @@ func (s *Service) Handle(ctx context.Context, req *Request) error {\n"
        "+\ts.rates[req.Currency] = rate\n \treturn nil",
    ),
    ("a.py", "@@ -1,3 +1,4 @@ def handle(self, request):\n+    self.stats['handled'] = now()\n     return ok"),
    # Bounded.
    (
        "a.py",
        "@@ -1,3 +1,6 @@ def handle(self, request):\n+    self.recent[request.id] = request\n"
        "+    if len(self.recent) > 100:\n+        self.recent.popitem(last=False)\n     return ok",
    ),
    (
        "a.go",
        "@@ -1,3 +1,5 @@ func (s *S) Handle(ctx context.Context, req *Request) error {\n"
        "+\ts.open[req.ID] = req\n+\tdefer delete(s.open, req.ID)\n \treturn s.do(ctx, req)",
    ),
    # Another's memory, the answer, or the request itself.
    ("a.ts", "@@ -1,3 +1,4 @@ async handle(req, res) {\n+    await this.redis.set(req.id, body)\n     res.end()"),
    ("a.ts", "@@ -1,3 +1,4 @@ handle(req, res) {\n+    this.headers.set(req.id, 'x')\n     res.end()"),
    ("a.rb", "@@ -1,3 +1,4 @@ def call(env)\n+    @errors << :blank\n     @app.call(env)"),
    # As before.
    (
        "a.py",
        "@@ -1,3 +1,3 @@ def handle(self, request):\n-    self.seen[request.id] = user\n"
        "+    self.seen[request.id] = person",
    ),
    # Listeners of the start, of the request itself, or taken off again.
    (
        "a.ts",
        "@@ -1,3 +1,4 @@ export function start() {\n+  process.on('SIGTERM', () => server.close())\n   server.listen()",
    ),
    ("a.ts", "@@ -1,3 +1,4 @@ function handle(req, res) {\n+  req.on('close', () => stop())\n   run()"),
    (
        "a.ts",
        "@@ -1,3 +1,5 @@ function handle(req, res) {\n+  stock.on('changed', send)\n"
        "+  req.on('close', () => stock.off('changed', send))\n   run()",
    ),
    (
        "a.go",
        "@@ -1,3 +1,5 @@ func (s *S) Watch(req *Request, out Stream) error {\n+\tch := s.bus.Subscribe(req.ID)\n"
        "+\tdefer s.bus.Unsubscribe(ch)\n \tfor x := range ch {",
    ),
    (
        "a.tsx",
        "@@ -1,3 +1,6 @@ export function Cart() {\n   useEffect(() => {\n"
        "+    const timer = setInterval(refresh, 1000)\n"
        "+    return () => clearInterval(timer)\n   }, [])",
    ),
    # A task that ends.
    (
        "a.go",
        "@@ -1,3 +1,5 @@ func (h *H) Handle(ctx context.Context, req *Request) error {\n"
        "+\tch := make(chan Result, 1)\n+\tgo func() { ch <- h.search(req) }()\n \tselect {\n \tcase <-ctx.Done():",
    ),
]


@pytest.mark.parametrize(("path", "diff"), KEPT_WITHIN_BOUNDS)
def test_what_is_kept_within_bounds_or_for_a_moment_does_not_make_memory_grow(path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.BUFFER_GROWS) <= 0.2


def test_a_buffer_that_is_flushed_elsewhere_is_hardly_suspected() -> None:
    diff = "@@ -1,3 +1,4 @@ def handle(self, request):\n+    self.buffer.append(request)\n     return ok"

    assert strongest(read("a.py", diff)) <= 0.2


def test_what_keeps_a_container_small_is_no_check_for_an_absent_value() -> None:
    diff = " \tc.items[key] = v\n-\tif len(c.items) > c.max {\n-\t\tc.evictOldest()\n-\t}"

    assert strength_of(read("a.go", diff), EffectKind.GUARD_REMOVED) == 0


def test_a_deletion_from_a_store_that_is_gone_makes_no_memory_grow() -> None:
    diff = " def end(self, request):\n     self.notify(request)\n-    self.client.delete('/sessions/1')"

    assert strength_of(read("a.py", diff), EffectKind.BUFFER_GROWS) == 0


def test_what_bounds_another_container_does_not_bound_this_one() -> None:
    diff = (
        "@@ -1,6 +1,7 @@ export class Presence {\n   onConnect(socket: Socket, user: User) {\n"
        "     this.sockets.set(socket.id, user.id)\n+    this.lastSeen.set(socket.id, user)\n   }\n"
        "   onDisconnect(socket: Socket) {\n     this.sockets.delete(socket.id)\n   }"
    )

    assert strength_of(read("presence.ts", diff), EffectKind.BUFFER_GROWS) >= 0.5
    bounded = diff.replace("this.sockets.delete(", "this.lastSeen.delete(")
    assert strength_of(read("presence.ts", bounded), EffectKind.BUFFER_GROWS) == 0
