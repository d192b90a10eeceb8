"""Idioms that slow a service down, leak or retry without end, and their harmless likes."""

from __future__ import annotations

import pytest

from tests.unit.workers.diagnosis.changes.reading import read, strength_of, strongest
from workers.diagnosis.changes import EffectKind

K = EffectKind

WORSE = [
    (
        "a.go",
        "-\tg, ctx := errgroup.WithContext(ctx)\n-\tg.Go(func() error { return s.a.Load(ctx) "
        "})\n-\tg.Go(func() error { return s.b.Load(ctx) })\n+\tif err := s.a.Load(ctx); err "
        "!= nil {\n+\t\treturn err\n+\t}\n+\terr := s.b.Load(ctx)",
        K.CALL_ADDED,
    ),
    (
        "a.ts",
        "-  const [a, b] = await Promise.all([getA(id), getB(id)])\n+  const a = await "
        "getA(id)\n+  const b = await getB(id)",
        K.CALL_ADDED,
    ),
    (
        "a.go",
        "-\tgo s.audit.Record(ctx, evt)\n+\tif err := s.audit.Record(ctx, evt); err != nil {\n+\t\treturn err\n+\t}",
        K.CALL_ADDED,
    ),
    ("a.py", "-    send_receipt.delay(order.id)\n+    send_receipt(order.id)", K.CALL_ADDED),
    (
        "a.go",
        "-\tres, err := s.client.Fetch(ctx, id)\n+\tres, err := s.client.Fetch(context.Background(), id)",
        K.TIMEOUT,
    ),
    ("a.go", " \tt := &http.Transport{\n+\t\tDisableKeepAlives: true,", K.POOL),
    (
        "a.py",
        " def handle(self, url):\n-    r = self.session.get(url)\n+    session = "
        "requests.Session()\n+    r = session.get(url)",
        K.POOL,
    ),
    (
        "a.ts",
        " export async function handler(req) {\n+  const pool = new Pool({ connectionString: "
        "url })\n   return pool.query(q)",
        K.POOL,
    ),
    ("a.go", "-\tb := backoff.NewExponentialBackOff()\n+\tb := backoff.NewConstantBackOff(wait)", K.BACKOFF),
    ("a.py", "+@retry(stop=forever)\n def charge(order):", K.RETRIES),
    (
        "a.go",
        "-\treturn s.client.Charge(ctx, req)\n+\tfor i := 0; i < 5; i++ {\n+\t\tif resp, err "
        ":= s.client.Charge(ctx, req); err == nil {\n+\t\t\treturn resp, nil\n+\t\t}\n+\t}",
        K.RETRIES,
    ),
    ("A.java", "-        if (buffer.size() >= 500) flush();\n+        flush();", K.BATCH),
    ("redis.conf", "-appendfsync everysec\n+appendfsync always", K.FLAG),
    ("redis.conf", "-maxmemory-policy allkeys-lru\n+maxmemory-policy noeviction", K.BUFFER_GROWS),
    ("A.java", "-    @ManyToOne(fetch = FetchType.LAZY)\n+    @ManyToOne(fetch = FetchType.EAGER)", K.QUERY_WIDENED),
    (
        "a.py",
        "-    seen = set(b)\n-    return [x for x in a if x in seen]\n+    return [x for x in "
        "a if any(x == y for y in b)]",
        K.WORK_ADDED,
    ),
    ("a.py", "-    n = min(int(args.get('per_page', d)), 100)\n+    n = int(args.get('per_page', d))", K.LIMIT),
    ("a.py", "-    now = datetime.now(timezone.utc)\n+    now = datetime.now()", K.LOGIC),
    (
        "a.go",
        "-\trequests.WithLabelValues(route).Inc()\n+\trequests.WithLabelValues(route, userID).Inc()",
        K.BUFFER_GROWS,
    ),
    (
        "a.yaml",
        "-        - name: DATABASE_URL\n+        - name: DB_URL\n           value: postgres://db/app",
        K.START_UP,
    ),
    ("a.ts", " export enum State {\n-  PENDING = 'pending',\n   PAID = 'paid',", K.DECODING),
    (
        "a.go",
        " \tconn := pool.Acquire(ctx)\n+\tif req.Empty {\n+\t\treturn nil\n+\t}\n \tconn.Release()",
        K.CLOSE_REMOVED,
    ),
    (
        "a.go",
        " \tfor _, p := range paths {\n \t\tf, _ := os.Open(p)\n-\t\tparse(f)\n-\t\tf.Close()\n"
        "+\t\tdefer f.Close()\n+\t\tparse(f)",
        K.CLOSE_REMOVED,
    ),
    ("a.go", "-\ta.mu.Lock()\n-\tb.mu.Lock()\n+\tb.mu.Lock()\n+\ta.mu.Lock()", K.LOCK_ADDED),
    (
        "a.ts",
        "-    customer: (o, _, { loaders }) => loaders.customer.load(o.id),\n+    customer: "
        "(o, _, { db }) => db.customers.findOne({ id: o.id }),",
        K.QUERY_IN_LOOP,
    ),
    ("k8s/a.yaml", "   readinessProbe:\n     httpGet:\n-      path: /ready\n+      path: /deep-check", K.PROBE),
    (
        "nginx.conf",
        "-limit_req_zone $addr zone=api:10m rate=100r/s;\n+limit_req_zone $addr zone=api:10m rate=5r/s;",
        K.LIMIT,
    ),
]


@pytest.mark.parametrize(("path", "diff", "kind"), WORSE)
def test_an_idiom_that_makes_a_service_worse_is_known(path: str, diff: str, kind: EffectKind) -> None:
    assert strength_of(read(path, f"@@ -1,9 +1,9 @@ func (s *Service) Handle()\n{diff}"), kind) >= 0.4


NO_WORSE = [
    (
        "a.go",
        "-\tg, ctx := errgroup.WithContext(ctx)\n+\tgroup, ctx := errgroup.WithContext(ctx)\n \tg.Go(load)",
        K.CALL_ADDED,
    ),
    ("a.py", "-    send_receipt.delay(order.id)\n+    send_receipt.delay(order.pk)", K.CALL_ADDED),
    ("a.go", " func NewClient() *Client {\n+\th := &http.Client{Transport: shared}\n \treturn &Client{h}", K.POOL),
    ("a.py", "+session = requests.Session()\n", K.POOL),
    ("a.go", "-\tb := backoff.NewConstantBackOff(wait)\n+\tb := backoff.NewExponentialBackOff()", K.BACKOFF),
    ("a.go", "-\tfor i := 0; i < len(xs); i++ {\n+\tfor i := 0; i < len(ys); i++ {\n \t\tuse(i)\n \t}", K.RETRIES),
    ("redis.conf", "-appendfsync always\n+appendfsync everysec", K.FLAG),
    ("a.py", "-    n = min(int(args['n']), 100)\n+    n = min(int(args['size']), 100)", K.LIMIT),
    ("a.py", "-    now = datetime.now()\n+    now = datetime.now(timezone.utc)", K.LOGIC),
    (
        "a.go",
        "-\trequests.WithLabelValues(route).Inc()\n+\trequests.WithLabelValues(route, method).Inc()",
        K.BUFFER_GROWS,
    ),
    (
        "a.go",
        " \tconn := pool.Acquire(ctx)\n \tdefer conn.Release()\n+\tif req.Empty {\n+\t\treturn nil\n+\t}",
        K.CLOSE_REMOVED,
    ),
    (
        "a.go",
        "-\tTimeout: 5 * time.Second,\n+\tTimeout: defaultTimeout,\n+const defaultTimeout = 5 * time.Second",
        K.TIMEOUT,
    ),
    ("a.go", "-\tdefer f.Close()\n+\tdefer file.Close()\n \tparse(f)", K.CLOSE_REMOVED),
]


@pytest.mark.parametrize(("path", "diff", "kind"), NO_WORSE)
def test_what_only_looks_like_such_an_idiom_is_not_told(path: str, diff: str, kind: EffectKind) -> None:
    assert strength_of(read(path, f"@@ -1,9 +1,9 @@ func (s *Service) Handle()\n{diff}"), kind) <= 0.25


def test_texts_of_people_in_their_languages_explain_nothing() -> None:
    assert read("web/locales/de.json", '@@ -1 +1 @@\n-  "pay": "Zahlen",\n+  "pay": "Jetzt zahlen",').is_inert


def test_a_constant_that_gets_a_name_is_next_to_nothing() -> None:
    diff = "@@ -1 +1 @@\n-\tTimeout: 5 * time.Second,\n+const wait = 5 * time.Second\n+\tTimeout: wait,"

    assert strongest(read("a.go", diff)) <= 0.25


HARMLESS_CHANGES = [
    (
        "svc/rank.go",
        '+\tif s.flags.Enabled(ctx, "new_rank") {\n+\t\treturn s.rankV2(items)\n+\t}\n \tsort.Slice(items, less)',
    ),
    ("A.java", '+    @Timed("orders.place")\n     public Order place(Request r) {'),
    (
        "A.java",
        "-        if (user != null && user.getName() != null) {\n+        if "
        "(Optional.ofNullable(user).map(User::getName).isPresent()) {\n             return "
        "user.getName();",
    ),
    (
        "A.java",
        "-        List<String> names = new ArrayList<>();\n-        for (User u : users) {\n-  "
        "          names.add(u.getName());\n-        }\n-        return names;\n+        "
        "return users.stream().map(User::getName).toList();",
    ),
    (
        "a.js",
        "-  return fetchUser(id).then(user => {\n-    return render(user)\n-  })\n+  const "
        "user = await fetchUser(id)\n+  return render(user)",
    ),
    ("a.go", "+\tif len(c.Coupons) >= 3 {\n+\t\treturn ErrTooMany\n+\t}\n \tc.Coupons = append(c.Coupons, code)"),
    (
        "k8s/cart.yaml",
        "-  replicas: 3\n+  replicas: 8\n   template:\n-        - image: acme/cart:1.4.2\n+    "
        "    - image: acme/cart:1.4.3",
    ),
    (
        "a.go",
        "+func Readyz(db *sql.DB) http.HandlerFunc {\n+\treturn func(w http.ResponseWriter, r "
        "*http.Request) {\n+\t\tif err := db.PingContext(r.Context()); err != nil {\n"
        "+\t\t\tw.WriteHeader(503)\n+\t\t\treturn\n+\t\t}\n+\t}\n+}",
    ),
    (
        "a.py",
        '-    payload = {\n-        "amount": order.amount,\n-    }\n+    payload = '
        "_payload(order)\n     resp = client.post(url, json=payload)\n+\n+def _payload(order):\n"
        '+    return {\n+        "amount": order.amount,\n+    }',
    ),
    ("a.py", "+@lru_cache(maxsize=256)\n def rate(day):\n     return db.query(SQL, day)"),
]


@pytest.mark.parametrize(("path", "diff"), HARMLESS_CHANGES)
def test_an_everyday_change_that_breaks_nothing_stays_weak(path: str, diff: str) -> None:
    assert strongest(read(path, f"@@ -1,9 +1,9 @@\n{diff}")) <= 0.3


HARMFUL_CHANGES = [
    (
        "a.go",
        '-\tkey := fmt.Sprintf("item:%s", sku)\n+\tkey := fmt.Sprintf("item:%s:%s", sku, '
        "user)\n \treturn s.cache.GetOrLoad(ctx, key, s.load)",
        K.CACHE_KEY,
    ),
    (
        "a.go",
        '-\tif flags.Enabled("bulk") {\n-\t\treturn s.bulk(ids)\n-\t}\n-\treturn s.single(ids)\n+\treturn s.bulk(ids)',
        K.FLAG,
    ),
    (
        "a.go",
        '-\trows := q("SELECT id FROM orders WHERE tenant = $1 AND at > $2", t, since)\n'
        '+\trows := q("SELECT id FROM orders WHERE tenant = $1", t)',
        K.QUERY_WIDENED,
    ),
    (
        "a.go",
        "-\tctx, cancel := context.WithTimeout(ctx, 2*time.Second)\n-\tdefer cancel()\n "
        "\treturn c.grpc.Quote(ctx, req)",
        K.TIMEOUT,
    ),
    ("a.yml", " circuitbreaker:\n-  failureRateThreshold: 50\n+  failureRateThreshold: 2", K.LIMIT),
    ("a.go", "-\tif !user.Active {\n+\tif user.Active {\n \t\treturn ErrForbidden", K.GUARD_REMOVED),
    (
        "a.py",
        "-    with pool.connection() as conn:\n-        return conn.execute(SQL).fetchone()\n+ "
        "   conn = pool.getconn()\n+    return conn.execute(SQL).fetchone()",
        K.CLOSE_REMOVED,
    ),
    (
        "a.go",
        " func (c *C) Add(e Event) {\n-\tif len(c.events) > 1000 {\n-\t\tc.flush()\n-\t}\n "
        "\tc.events = append(c.events, e)",
        K.GUARD_REMOVED,
    ),
]


@pytest.mark.parametrize(("path", "diff", "kind"), HARMFUL_CHANGES)
def test_an_everyday_change_that_breaks_things_is_told(path: str, diff: str, kind: EffectKind) -> None:
    assert strength_of(read(path, f"@@ -1,9 +1,9 @@\n{diff}"), kind) >= 0.5


def test_answering_errors_in_another_way_is_no_retry_and_no_batch() -> None:
    diff = (
        "@@ -1 +1 @@\n-\tif err != nil { http.Error(w, err.Error(), 502); return }\n+\tif err "
        "!= nil {\n+\t\twriteError(w, http.StatusBadGateway, err)\n+\t\treturn\n+\t}"
    )

    assert read("a.go", diff).is_inert


POOL_GIVEN_UP = (
    "@@ -10,3 +10,5 @@ func (r *Repo) Rate(ctx context.Context, cur string) (float64, error) {\n"
    "-\trow := r.pool.QueryRow(ctx, rateSQL, cur)\n"
    "+\tpool, err := pgxpool.New(ctx, r.dsn)\n+\tif err != nil {\n+\t\treturn 0, err\n+\t}\n"
    "+\trow := pool.QueryRow(ctx, rateSQL, cur)"
)


def test_a_pool_that_is_made_in_place_of_one_that_was_there_is_made_for_each_request() -> None:
    assert strength_of(read("repo.go", POOL_GIVEN_UP), EffectKind.POOL) >= 0.7


def test_a_pool_that_is_made_once_or_is_used_again_is_none_of_these() -> None:
    once = POOL_GIVEN_UP.replace("func (r *Repo) Rate(ctx", "func NewRepo(ctx")
    assert strength_of(read("repo.go", once), EffectKind.POOL) < 0.5

    again = (
        "@@ -1,2 +1,3 @@\n+client = Elasticsearch(HOST)\n def query(body):\n"
        "-    return Elasticsearch(HOST).search(body=body)\n+    return client.search(body=body)"
    )
    reading = read("es.py", again)
    assert strength_of(reading, EffectKind.CALL_ADDED) == strength_of(reading, EffectKind.POOL) == 0
