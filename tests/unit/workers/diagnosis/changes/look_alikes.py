"""Harmless changes that look like a lock removed, a cache gone, a leak, a query: (what it is, path, diff)."""

from __future__ import annotations

# They are read as they stand: the first character of each line is the sign of the diff.
LOOK_ALIKES = [
    ("unit of timeout", "c.go", "-\tTimeout: 3 * time.Second,\n+\tTimeout: 3000 * time.Millisecond,"),
    (
        "timeout const",
        "c.go",
        "+const callTimeout = 3 * time.Second\n+\n"
        " func (c *C) Call(ctx context.Context) error {\n"
        "-\tctx, cancel := context.WithTimeout(ctx, 3*time.Second)\n"
        "+\tctx, cancel := context.WithTimeout(ctx, callTimeout)\n \tdefer cancel()",
    ),
    (
        "rwmutex",
        "m.go",
        " type Memory struct {\n-\tmu sync.Mutex\n+\tmu sync.RWMutex\n }\n"
        " func (m *Memory) Get(k string) V {\n-\tm.mu.Lock()\n-\tdefer m.mu.Unlock()\n"
        "+\tm.mu.RLock()\n+\tdefer m.mu.RUnlock()",
    ),
    (
        "named mutex",
        "m.go",
        " type Memory struct {\n-\tsync.Mutex\n+\tmu sync.Mutex\n }\n"
        " func (m *Memory) Get(k string) V {\n-\tm.Lock()\n-\tdefer m.Unlock()\n+\tm.mu.Lock()\n"
        "+\tdefer m.mu.Unlock()",
    ),
    (
        "cache renamed",
        "c.py",
        "-    hit = self.cache.get(key)\n+    hit = self._prices.get(key)\n"
        "     if hit is not None:\n         return hit\n-    self.cache.set(key, value, 300)\n"
        "+    self._prices.set(key, value, 300)",
    ),
    (
        "promise all formatted",
        "c.ts",
        "-  const [a, b] = await Promise.all([getA(id), getB(id)])\n"
        "+  const [a, b] = await Promise.all([\n+    getA(id),\n+    getB(id),\n+  ])",
    ),
    (
        "n+1 mended",
        "c.py",
        " def items(cart):\n"
        "-    return [Product.objects.get(id=line.product_id) for line in cart.lines]\n"
        "+    ids = [line.product_id for line in cart.lines]\n"
        "+    return list(Product.objects.filter(id__in=ids))",
    ),
    (
        "close deferred",
        "c.go",
        " \tf, err := os.Open(name)\n \tif err != nil {\n \t\treturn err\n \t}\n"
        "-\terr = parse(f)\n-\tf.Close()\n-\treturn err\n+\tdefer f.Close()\n+\treturn parse(f)",
    ),
    (
        "columns named",
        "c.py",
        '-    rows = db.execute("SELECT * FROM orders WHERE user_id = %s LIMIT 50", (user,))\n'
        '+    rows = db.execute("SELECT id, total FROM orders WHERE user_id = %s LIMIT 50", (user,))',
    ),
    (
        "sql layout",
        "c.py",
        '-    sql = "SELECT id, total FROM orders WHERE user_id = %s"\n+    sql = """\n'
        '+        SELECT id, total\n+        FROM orders\n+        WHERE user_id = %s\n+    """',
    ),
    (
        "limit added",
        "c.sql",
        "-SELECT id FROM orders WHERE user_id = 1\n+SELECT id FROM orders WHERE user_id = 1 LIMIT 100",
    ),
    ("none", "c.py", "-    if order == None:\n+    if order is None:\n         return"),
    ("log level up", "config.yaml", "-log_level: debug\n+log_level: info"),
    (
        "docker label",
        "Dockerfile",
        " FROM python:3.12-slim\n+LABEL org.opencontainers.image.source=https://github.com/shop/cart\n COPY . /app",
    ),
    (
        "annotation",
        "deploy/cart.yaml",
        ' metadata:\n   annotations:\n+    owner: checkout-team\n     prometheus.io/scrape: "true"',
    ),
    ("new optional field", "order.proto", " message Order {\n   string id = 1;\n+  string note = 7;\n }"),
    (
        "new json field",
        "order.go",
        ' type Order struct {\n \tID string `json:"id"`\n+\tNote string `json:"note,omitempty"`\n }',
    ),
    (
        "unused function away",
        "c.go",
        "-func (s *Service) legacyTotal(c Cart) int {\n-\ts.mu.Lock()\n-\tdefer s.mu.Unlock()\n"
        "-\treturn s.totals[c.ID]\n-}\n-\n func (s *Service) Total(c Cart) int {",
    ),
    ("override", "A.java", "+    @Override\n     public String toString() {"),
    (
        "thread name",
        "A.java",
        '-        Thread t = new Thread(task);\n+        Thread t = new Thread(task, "cart-refresh");',
    ),
    ("enum value more", "K.java", "     CARD,\n-    SEPA;\n+    SEPA,\n+    WALLET;"),
    (
        "helm var",
        "deploy/values.yaml",
        '-image:\n-  repository: registry.shop/cart\n+image:\n+  repository: "registry.shop/cart"',
    ),
    ("tf fmt", "infra/main.tf", '-  instance_class="db.m5.large"\n+  instance_class = "db.m5.large"'),
    (
        "http client func",
        "c.go",
        "-\tclient := &http.Client{Timeout: 3 * time.Second}\n"
        "+\tclient := newHTTPClient(3 * time.Second)\n \treturn &Service{client: client}\n }\n+\n"
        "+func newHTTPClient(timeout time.Duration) *http.Client {\n"
        "+\treturn &http.Client{Timeout: timeout}\n+}",
    ),
    (
        "test id attr",
        "C.tsx",
        '-      <button onClick={buy}>Buy</button>\n+      <button data-testid="buy" onClick={buy}>Buy</button>',
    ),
    (
        "ctx param",
        "c.go",
        "-func (s *Service) sum(c Cart) int {\n"
        "+func (s *Service) sum(_ context.Context, c Cart) int {\n \treturn c.total\n }\n"
        " func (s *Service) Total(ctx context.Context, c Cart) int {\n-\treturn s.sum(c)\n"
        "+\treturn s.sum(ctx, c)",
    ),
    ("comment todo", "c.py", "+    # TODO: retry with a timeout and a lock, see the queue\n     return total"),
    ("assert msg", "c.py", '-    assert order\n+    assert order, "order is missing"'),
    (
        "ternary js",
        "c.js",
        "-  if (user) {\n-    return user.name\n-  } else {\n-    return 'guest'\n-  }\n"
        "+  return user ? user.name : 'guest'",
    ),
    (
        "class method static",
        "c.py",
        "-    def price(self, sku):\n-        return table[sku]\n+    @staticmethod\n"
        "+    def price(sku):\n+        return table[sku]",
    ),
    (
        "kotlin scope",
        "C.kt",
        "-    val cart = Cart()\n-    cart.add(line)\n-    return cart\n+    return Cart().apply { add(line) }",
    ),
    (
        "lambda",
        "C.java",
        "-        list.forEach(new Consumer<Line>() {\n"
        "-            public void accept(Line line) { print(line); }\n-        });\n"
        "+        list.forEach(line -> print(line));",
    ),
    ("string switch", "C.java", '-        String s = "a" + b + "c";\n+        String s = String.format("a%sc", b);'),
    (
        "moved private",
        "c.py",
        '-    def _key(self, user):\n-        return f"cart:{user}"\n-\n'
        "     def get(self, user):\n         return self.redis.get(self._key(user))\n+\n"
        '+    def _key(self, user):\n+        return f"cart:{user}"',
    ),
    (
        "enumerate",
        "c.py",
        "-    for i in range(len(lines)):\n-        show(i, lines[i])\n"
        "+    for i, line in enumerate(lines):\n+        show(i, line)",
    ),
    (
        "with statement",
        "c.py",
        "-    f = open(path)\n-    data = f.read()\n-    f.close()\n+    with open(path) as f:\n"
        "+        data = f.read()",
    ),
    (
        "logging lazily",
        "c.py",
        '-    log.info(f"order {order.id} timed out")\n+    log.info("order %s timed out", order.id)',
    ),
    (
        "span added",
        "c.py",
        ' def handle(request):\n+    with tracer.start_as_current_span("handle"):\n'
        "+        return serve(request)\n-    return serve(request)",
    ),
    ("dict union", "c.py", "-    merged = dict(a)\n-    merged.update(b)\n+    merged = {**a, **b}"),
    ("isinstance", "c.py", "-    if type(x) == str:\n+    if isinstance(x, str):"),
    (
        "swift guard",
        "C.swift",
        "-        if let user = user {\n-            show(user)\n-        }\n"
        "+        guard let user = user else { return }\n+        show(user)",
    ),
    ("scala", "C.scala", "-    lines.map(l => l.price).sum\n+    lines.map(_.price).sum"),
    ("c++ auto", "c.cpp", "-  std::vector<Line>::iterator it = lines.begin();\n+  auto it = lines.begin();"),
    (
        "c++ unique",
        "c.cpp",
        "-  Cart* cart = new Cart();\n-  use(*cart);\n-  delete cart;\n"
        "+  auto cart = std::make_unique<Cart>();\n+  use(*cart);",
    ),
    ("php short array", "c.php", "-    $lines = array();\n+    $lines = [];"),
    ("bash quotes", "run.sh", '-exec java -jar $JAR\n+exec java -jar "$JAR"'),
    (
        "react memo hook",
        "C.tsx",
        "-  const total = lines.reduce((a, l) => a + l.price, 0)\n"
        "+  const total = useMemo(() => lines.reduce((a, l) => a + l.price, 0), [lines])",
    ),
    ("event handler rename", "C.tsx", "-      <form onSubmit={handle}>\n+      <form onSubmit={handleSubmit}>"),
    (
        "const enum ts",
        "c.ts",
        "-const CARD = 'card'\n-const SEPA = 'sepa'\n+export const Method = { Card: 'card', Sepa: 'sepa' } as const",
    ),
    ("express router", "c.ts", "-app.get('/cart', show)\n+router.get('/cart', show)\n+app.use(router)"),
    (
        "new endpoint",
        "c.py",
        '+@app.get("/health/ready")\n+def ready():\n+    return {"ok": True}\n+\n @app.get("/cart")',
    ),
    (
        "collector in visitor",
        "v.py",
        " class Names(ast.NodeVisitor):\n     def visit_Name(self, node):\n"
        "+        self.names.append(node.id)\n         self.generic_visit(node)",
    ),
    (
        "report rows",
        "r.py",
        " def report(self, rows):\n     for row in rows:\n"
        "+        self.lines.append(format(row))\n     return self.lines",
    ),
    (
        "go struct append",
        "r.go",
        " func (b *Builder) Column(name string) *Builder {\n+\tb.columns = append(b.columns, name)\n \treturn b\n }",
    ),
    (
        "go test table",
        "r.go",
        " \tout := &Response{}\n \tfor _, row := range rows {\n+\t\tout.Rows = append(out.Rows, row.Public())\n \t}",
    ),
    (
        "middlewares",
        "s.ts",
        " export function createServer() {\n   const app = express()\n+  app.use(compression())\n   return app",
    ),
    ("emitter at start", "s.ts", " constructor(private bus: Bus) {\n+    bus.on('order', (o) => this.count(o))\n   }"),
    ("ws", "s.ts", " wss.on('connection', (ws, req) => {\n+  ws.on('message', (m) => handle(m))\n   ws.send('hi')"),
    (
        "table in test order",
        "t.py",
        '-STATUS = {"a": 1, "b": 2}\n+STATUS = {"b": 2, "a": 1}\n def status(x):\n     return STATUS[x]',
    ),
    ("table more", "t.py", '-STATUS = {"a": 1}\n+STATUS = {"a": 1, "b": 2}\n def status(x):\n     return STATUS[x]'),
    (
        "dispatch table same default",
        "t.py",
        " def run(kind):\n-    if kind == 'a':\n-        return a()\n-    if kind == 'b':\n"
        "-        return b()\n-    raise ValueError(kind)\n+    handlers = {'a': a, 'b': b}\n"
        "+    return handlers[kind]()",
    ),
    (
        "panic text",
        "t.go",
        ' \tswitch k {\n \tcase A:\n \t\treturn 1\n \tdefault:\n-\t\tpanic("bad")\n'
        '+\t\tpanic(fmt.Sprintf("unknown kind %v", k))\n \t}',
    ),
    (
        "regex compiled once",
        "t.py",
        '+_SKU = re.compile(r"^[A-Z]+-\\d+$")\n+\n def ok(s):\n'
        '-    return re.match(r"^[A-Z]+-\\d+$", s)\n+    return _SKU.match(s)',
    ),
    (
        "regex named group",
        "t.py",
        '-_SKU = re.compile(r"^([A-Z]+)-(\\d+)$")\n+_SKU = re.compile(r"^(?P<kind>[A-Z]+)-(?P<number>\\d+)$")',
    ),
    (
        "executor with name",
        "w.py",
        '-executor = ThreadPoolExecutor(8)\n+executor = ThreadPoolExecutor(8, thread_name_prefix="cart")',
    ),
    (
        "gather to taskgroup",
        "w.py",
        "-    await asyncio.gather(*(process(m) for m in messages))\n"
        "+    async with asyncio.TaskGroup() as group:\n+        for m in messages:\n"
        "+            group.create_task(process(m))",
    ),
    (
        "errgroup for waitgroup",
        "w.go",
        "-\tvar wg sync.WaitGroup\n-\tfor _, m := range msgs {\n-\t\twg.Add(1)\n"
        "-\t\tgo func() { defer wg.Done(); handle(m) }()\n-\t}\n-\twg.Wait()\n"
        "+\tvar g errgroup.Group\n+\tfor _, m := range msgs {\n"
        "+\t\tg.Go(func() error { return handle(m) })\n+\t}\n+\treturn g.Wait()",
    ),
    (
        "dto",
        "d.cs",
        "-        var dto = new OrderDto();\n-        dto.Id = order.Id;\n"
        "-        dto.Total = order.Total;\n-        return dto;\n"
        "+        return new OrderDto { Id = order.Id, Total = order.Total };",
    ),
    (
        "async suffix",
        "d.cs",
        "-    public Task<Order> Load(string id)\n+    public Task<Order> LoadAsync(string id)\n"
        "     {\n         return store.Find(id);",
    ),
    (
        "elixir pipe",
        "d.ex",
        "-    Enum.sum(Enum.map(lines, & &1.price))\n+    lines |> Enum.map(& &1.price) |> Enum.sum()",
    ),
]

MORE_LOOK_ALIKES = [
    (
        "dedupe in loop",
        "a.py",
        "@@ -1,5 +1,8 @@ def handle(request):\n     for item in request.items:\n"
        "+        if item.id in seen:\n+            continue\n+        seen.add(item.id)\n"
        "         yield item",
    ),
    (
        "self lines in parser",
        "p.py",
        "@@ -1,3 +1,4 @@ class Parser:\n     def line(self, text):\n"
        "+        self.lines.append(text)\n         self.number += 1",
    ),
    (
        "state machine",
        "s.ts",
        "@@ -1,3 +1,4 @@ onToken(token: Token) {\n+    this.tokens.push(token)\n     this.next()",
    ),
    (
        "entity events",
        "O.java",
        "@@ -1,3 +1,4 @@ public void cancel(Context context) {\n"
        "         this.state = CANCELLED;\n+        this.domainEvents.add(new Cancelled(id));\n"
        "     }",
    ),
    (
        "entity items",
        "o.py",
        "@@ -1,3 +1,4 @@ def on_paid(self, event):\n         self.state = 'paid'\n"
        "+        self.changes.append(event)\n         return self",
    ),
    (
        "per request object",
        "h.go",
        "@@ -1,3 +1,4 @@ func (r *responseWriter) Write(b []byte) (int, error) {\n"
        "+\tr.written = append(r.written, len(b))\n \treturn r.w.Write(b)",
    ),
    (
        "ctx set",
        "m.go",
        '@@ -1,3 +1,4 @@ func Auth(c *gin.Context) {\n \tuser := load(c)\n+\tc.Set("user", user)\n \tc.Next()',
    ),
    (
        "response headers",
        "m.go",
        "@@ -1,3 +1,4 @@ func (h *H) ServeHTTP(w http.ResponseWriter, r *http.Request) {\n"
        '+\tw.Header().Set("X-Request-Id", id)\n \th.next.ServeHTTP(w, r)',
    ),
    (
        "django context",
        "v.py",
        "@@ -1,3 +1,4 @@ def get_context_data(self, **kwargs):\n"
        "     context = super().get_context_data(**kwargs)\n+    context['order'] = self.object\n"
        "     return context",
    ),
    (
        "pytest store",
        "v.py",
        "@@ -1,3 +1,4 @@ def process_request(self, request):\n+    request.state.user = user\n     return None",
    ),
    (
        "errors of a form",
        "f.py",
        "@@ -1,3 +1,5 @@ def validate(self, request):\n     if not request.name:\n"
        "+        self.errors.append('name is missing')\n         return False",
    ),
    (
        "rx pipe",
        "c.ts",
        "@@ -1,3 +1,4 @@ export class Cart implements OnInit {\n   ngOnInit() {\n"
        "+    this.route.params.subscribe(p => this.load(p.id))\n   }",
    ),
    (
        "http observable",
        "c.ts",
        "@@ -1,3 +1,3 @@ buy(event: Event) {\n"
        "-    this.http.post('/buy', this.cart).subscribe(r => this.done(r))\n"
        "+    this.http.post('/buy', this.cart).subscribe((r) => this.done(r))\n   }",
    ),
    (
        "http observable new",
        "c.ts",
        "@@ -1,3 +1,4 @@ onBuy(event: Event) {\n"
        "+    this.http.post('/buy', this.cart).subscribe(r => this.done(r))\n   }",
    ),
    (
        "db connect",
        "d.py",
        "@@ -1,3 +1,3 @@ def handle(request):\n-    with psycopg.connect(DSN) as c:\n"
        "+    with psycopg.connect(DSN) as connection:\n         run()",
    ),
    (
        "redis subscribe",
        "d.go",
        "@@ -1,3 +1,3 @@ func (s *S) Watch(ctx context.Context, req *Request) error {\n"
        "-\tsub := s.redis.Subscribe(ctx, req.ID)\n"
        "+\tsub := s.redis.Subscribe(ctx, channel(req.ID))\n \tdefer sub.Close()",
    ),
    ("test double", "m.ts", "@@ -1,3 +1,4 @@ jest.mock('./bus', () => {\n+  bus.on('x', handler)\n })"),
    (
        "button",
        "b.js",
        "@@ -1,3 +1,4 @@ function init() {\n+  document.getElementById('buy').addEventListener('click', buy)\n }",
    ),
    (
        "go once",
        "g.go",
        "@@ -1,3 +1,4 @@ func (s *Server) Start(ctx context.Context) error {\n"
        "+\tgo s.refreshEvery(time.Minute)\n \treturn s.http.Serve()",
    ),
    (
        "ticker stop",
        "g.go",
        "@@ -1,3 +1,9 @@ func (s *Server) run(ctx context.Context) {\n"
        "+\tticker := time.NewTicker(time.Minute)\n+\tdefer ticker.Stop()\n \tfor {\n"
        " \t\tselect {\n \t\tcase <-ctx.Done():",
    ),
    (
        "table of routes",
        "r.ts",
        "@@ -1,3 +1,8 @@\n+const routes = {\n+  cart: Cart,\n+  search: Search,\n+}\n"
        " export function Page({ name }) {\n-  return name === 'cart' ? <Cart /> : <Search />\n"
        "+  const View = routes[name] ?? Search\n+  return <View />",
    ),
    ("index of array", "r.py", "-    first = parts[0]\n+    names = parts[0]\n+    first = names"),
    ("slice index", "r.go", "-\tx := items[i]\n+\titem := items[i]\n+\tx := item"),
    (
        "dict comp",
        "r.py",
        "-    by_id = {}\n-    for o in orders:\n-        by_id[o.id] = o\n"
        "+    by_id = {o.id: o for o in orders}\n     return by_id[order_id]",
    ),
    (
        "throw in new func",
        "r.java",
        "+    static int fee(Kind kind) {\n+        switch (kind) {\n"
        "+            case CARD: return 1;\n"
        '+            default: throw new IllegalArgumentException("unknown " + kind);\n'
        "+        }\n+    }",
    ),
    (
        "exhaustive never",
        "r.ts",
        "     case 'b': return 2\n-    default: return assertNever(kind)\n+    default: {\n"
        "+      throw new Error(`unknown ${kind}`)\n+    }",
    ),
    (
        "worker name",
        "w.py",
        " for message in consumer:\n-    process(message)\n+    with log_context(message.id):\n"
        "+        process(message)",
    ),
    ("workers from env same", "w.yaml", "-  concurrency: 8\n+  concurrency: 8 # see the wiki"),
    ("batch size up bit", "w.yaml", "-  batch_size: 100\n+  batch_size: 110"),
    ("ttl up", "w.yaml", "-  ttl: 300\n+  ttl: 600"),
    ("timeout up bit", "w.yaml", "-  timeout: 3s\n+  timeout: 3.5s"),
    (
        "memory up",
        "w.yaml",
        " resources:\n   limits:\n-    memory: 512Mi\n+    memory: 768Mi\n   requests:\n"
        "-    memory: 256Mi\n+    memory: 384Mi",
    ),
    ("cpu request up", "w.yaml", "-      cpu: 500m\n+      cpu: 1"),
    ("go version comment", "go.mod", "-go 1.22\n+go 1.22.1"),
    ("npm patch", "package.json", '-    "express": "4.19.1",\n+    "express": "4.19.2",'),
    ("docker digest comment", "Dockerfile", "-# base of the shop\n+# base image of the shop\n FROM alpine:3.19"),
    (
        "rename const file",
        "c.py",
        "-MAX_ITEMS = 50\n+MAX_CART_ITEMS = 50\n def ok(cart):\n"
        "-    return len(cart.items) <= MAX_ITEMS\n+    return len(cart.items) <= MAX_CART_ITEMS",
    ),
    ("const to config", "c.py", "-    pool = Pool(size=10)\n+    pool = Pool(size=settings.pool_size)"),
    (
        "guard moved",
        "c.go",
        " func (s *S) Ship(o *Order) error {\n-\tif o == nil {\n-\t\treturn errNone\n-\t}\n"
        "-\taddr := o.Address\n+\tif err := check(o); err != nil {\n+\t\treturn err\n+\t}\n"
        "+\taddr := o.Address\n }\n+\n+func check(o *Order) error {\n+\tif o == nil {\n"
        "+\t\treturn errNone\n+\t}\n+\treturn nil\n+}",
    ),
    ("optional default", "c.py", "-    name = user.get('name')\n+    name = user.get('name', '')"),
    ("null coalesce", "c.js", "-  const name = user.name || 'guest'\n+  const name = user.name ?? 'guest'"),
    (
        "async method rename",
        "c.py",
        "-    await self.notify(order)\n+    await self.send_notice(order)\n"
        "-async def notify(self, order):\n+async def send_notice(self, order):",
    ),
    ("string concat url", "c.py", "-    url = BASE + '/orders/' + order_id\n+    url = f'{BASE}/orders/{order_id}'"),
    (
        "moved env default",
        "c.py",
        "-TIMEOUT = int(os.environ.get('TIMEOUT', '3'))\n+TIMEOUT = int(os.getenv('TIMEOUT', '3'))",
    ),
    ("logger swap", "c.java", '-        System.out.println("retry " + n);\n+        log.info("retry {}", n);'),
    (
        "openapi description",
        "api.yaml",
        "-      description: The cart\n+      description: The cart of a user, with a timeout of an hour",
    ),
    (
        "graphql deprecate",
        "schema.graphql",
        '-  total: Int\n+  total: Int @deprecated(reason: "use amount")\n+  amount: Int',
    ),
    ("css in js", "C.tsx", "-  <Box width={100} />\n+  <Box width={120} />"),
    ("icon", "C.tsx", '-      <Icon name="cart" size={16} />\n+      <Icon name="cart" size={20} />'),
    (
        "sql alias",
        "q.sql",
        "-SELECT o.id FROM orders o WHERE o.user_id = 1\n+SELECT ord.id FROM orders ord WHERE ord.user_id = 1",
    ),
    (
        "set for list membership",
        "c.py",
        "-ALLOWED = ['a', 'b']\n+ALLOWED = {'a', 'b'}\n def ok(x):\n     return x in ALLOWED",
    ),
    ("sort key", "c.py", "-    rows.sort(key=lambda r: r.name)\n+    rows.sort(key=attrgetter('name'))"),
    (
        "retry named",
        "c.py",
        "-@retry(stop=stop_after_attempt(3))\n+@retry(stop=stop_after_attempt(3), reraise=True)\n def charge(order):",
    ),
    (
        "context manager timing",
        "c.py",
        " def handle(request):\n-    return serve(request)\n+    with SECONDS.time():\n+        return serve(request)",
    ),
    (
        "unit in name",
        "c.java",
        "-    private final long timeout = 3000;\n+    private final long timeoutMillis = 3000;",
    ),
    (
        "record metric by user tier",
        "c.go",
        "-\treqs.WithLabelValues(route).Inc()\n+\treqs.WithLabelValues(route, tier).Inc()",
    ),
    ("nil slice", "c.go", "-\titems := []Item{}\n+\tvar items []Item"),
    ("generated header", "gen.pb.go", "-// protoc v4.25.1\n+// protoc v4.25.3\n package cart"),
    (
        "named return",
        "c.go",
        "-func load(id string) (*Order, error) {\n+func load(id string) (order *Order, err error) {",
    ),
]
