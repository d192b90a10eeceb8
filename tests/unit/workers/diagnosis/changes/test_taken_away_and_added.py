"""Guards, closes, protections, caches that go; locks, sleeps, memory that come."""

from __future__ import annotations

import pytest

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.changes.reading import read, strength_of
from workers.diagnosis.changes import Delay, EffectKind

K, S = EffectKind, SymptomKind

TAKEN_AWAY = [
    (
        "a.go",
        '-\tif user.Address == nil {\n-\t\treturn ""\n-\t}\n \treturn user.Address.City',
        K.GUARD_REMOVED,
        S.CRASH,
    ),
    (
        "a.py",
        "-    if order.coupon is not None:\n-        total -= order.coupon.amount\n+    total -= order.coupon.amount",
        K.GUARD_REMOVED,
        S.CRASH,
    ),
    ("a.ts", "-  const city = user.address?.city\n+  const city = user.address.city", K.UNCHECKED_VALUE, S.CRASH),
    ("a.rb", "-  name = user.profile&.name\n+  name = user.profile.name", K.UNCHECKED_VALUE, S.ERRORS),
    (
        "A.java",
        "-    return findUser(id).orElseThrow(NotFound::new).getName();\n+    return findUser(id).get().getName();",
        K.UNCHECKED_VALUE,
        S.CRASH,
    ),
    (
        "A.java",
        "-    if (resp.getBody() != null) {\n-      use(resp.getBody());\n-    }\n+    use(resp.getBody());",
        K.GUARD_REMOVED,
        S.CRASH,
    ),
    ("a.rs", "-    let n = parse(s).unwrap_or(0);\n+    let n = parse(s).unwrap();", K.UNCHECKED_VALUE, S.CRASH),
    ("a.kt", '-    val n = user?.name ?: ""\n+    val n = user!!.name', K.UNCHECKED_VALUE, S.CRASH),
    (
        "a.php",
        "-    if (isset($row['price'])) { $sum += $row['price']; }\n+    $sum += $row['price'];",
        K.GUARD_REMOVED,
        S.ERRORS,
    ),
    ("a.py", "-    region = event.get('region', 'eu')\n+    region = event['region']", K.UNCHECKED_VALUE, S.ERRORS),
    (
        "a.go",
        " \trows, err := db.Query(q)\n-\tdefer rows.Close()\n \treturn scan(rows)",
        K.CLOSE_REMOVED,
        S.CONNECTIONS,
    ),
    (
        "a.py",
        "-    with open(path) as f:\n-        data = parse(f)\n+    f = open(path)\n+    data = parse(f)",
        K.CLOSE_REMOVED,
        S.FILE_HANDLES,
    ),
    (
        "A.java",
        "-    try (Connection c = pool.getConnection()) {\n-      run(c);\n-    }\n+    "
        "Connection c = pool.getConnection();\n+    run(c);",
        K.CLOSE_REMOVED,
        S.CONNECTIONS,
    ),
    (
        "A.cs",
        "-    using (var stream = File.OpenRead(p)) { Load(stream); }\n+    var stream = "
        "File.OpenRead(p);\n+    Load(stream);",
        K.CLOSE_REMOVED,
        S.FILE_HANDLES,
    ),
    ("a.js", "-  client.release()\n   return rows", K.CLOSE_REMOVED, S.CONNECTIONS),
    (
        "a.go",
        "-\titem, ok := s.cache.Get(key)\n-\tif ok {\n-\t\treturn item, nil\n-\t}\n \treturn s.load(ctx, key)",
        K.CACHE_REMOVED,
        S.CACHE_MISSES,
    ),
    ("A.java", '-    @Cacheable("products")\n     public Product find(String id) {', K.CACHE_REMOVED, S.LATENCY),
    ("a.py", "-@lru_cache(maxsize=1024)\n def rates(day):", K.CACHE_REMOVED, S.CPU),
    ("nginx.conf", "-    proxy_cache products;\n     proxy_pass http://app;", K.CACHE_REMOVED, S.LATENCY),
    (
        "a.go",
        "-\tif !s.limiter.Allow() {\n-\t\treturn ErrBusy\n-\t}\n \treturn s.run(req)",
        K.PROTECTION_REMOVED,
        S.QUEUE,
    ),
    (
        "A.java",
        '-    @CircuitBreaker(name = "stock")\n     public Stock stock(String id) {',
        K.PROTECTION_REMOVED,
        S.THREADS,
    ),
    ("a.ts", "-    await backoffWithJitter(attempt)\n     return call()", K.PROTECTION_REMOVED, S.RETRIES),
    ("a.go", "-\tif err != nil {\n-\t\treturn err\n-\t}\n+\t_ = save(order)", K.ERROR_HANDLING, S.ERRORS),
    ("a.go", "-\tmu.Lock()\n-\tdefer mu.Unlock()\n \tcounts[key]++", K.LOCK_REMOVED, S.CRASH),
]


@pytest.mark.parametrize(("path", "diff", "kind", "symptom"), TAKEN_AWAY)
def test_what_kept_the_service_safe_is_missed_when_it_goes(
    path: str, diff: str, kind: EffectKind, symptom: SymptomKind
) -> None:
    effect = next(effect for effect in read(path, f"@@ -1,4 +1,3 @@\n{diff}").effects if effect.kind is kind)

    assert effect.strength >= 0.45
    assert symptom in effect.causes


KEPT = [
    (
        "a.go",
        '-\tif user.Address == nil {\n-\t\treturn ""\n-\t}\n+\tif user == nil || '
        'user.Address == nil {\n+\t\treturn ""\n+\t}\n \treturn user.Address.City',
        K.GUARD_REMOVED,
    ),
    (
        "a.py",
        "-    if order.coupon is not None:\n-        total -= order.coupon.amount\n+    if "
        "order.coupon:\n+        total -= order.coupon.amount\n+    if not order.coupon:\n+    "
        "    skip()",
        K.GUARD_REMOVED,
    ),
    ("a.ts", "-  const city = user.address?.city\n+  const town = user.address?.city", K.UNCHECKED_VALUE),
    (
        "a.go",
        "-\trows, err := db.Query(q)\n-\tdefer rows.Close()\n+\tresult, err := db.Query(q)\n+\tdefer result.Close()",
        K.CLOSE_REMOVED,
    ),
    (
        "a.py",
        "-    f = open(path)\n-    data = parse(f)\n-    f.close()\n+    with open(path) as f:\n"
        "+        data = parse(f)",
        K.CLOSE_REMOVED,
    ),
    ("a.go", "-\titem, ok := s.cache.Get(key)\n+\titem, found := s.cache.Get(key)\n \tuse(item)", K.CACHE_REMOVED),
    (
        "a.go",
        "-\tif !s.limiter.Allow() {\n+\tif !s.limiter.AllowN(time.Now(), 1) {\n \t\treturn ErrBusy\n \t}",
        K.PROTECTION_REMOVED,
    ),
    (
        "a.go",
        '-\tif err != nil {\n-\t\treturn err\n-\t}\n+\tif err != nil {\n+\t\treturn fmt.Errorf("save: %w", err)\n+\t}',
        K.ERROR_HANDLING,
    ),
    (
        "a.go",
        "-\tmu.Lock()\n-\tdefer mu.Unlock()\n+\ts.mu.Lock()\n+\tdefer s.mu.Unlock()\n \tcounts[key]++",
        K.LOCK_REMOVED,
    ),
    ("a.go", "+\tif user == nil {\n+\t\treturn nil\n+\t}\n \treturn user.Name", K.GUARD_REMOVED),
]


@pytest.mark.parametrize(("path", "diff", "kind"), KEPT)
def test_a_guard_that_is_written_otherwise_or_added_is_not_missed(path: str, diff: str, kind: EffectKind) -> None:
    assert strength_of(read(path, f"@@ -1,4 +1,3 @@\n{diff}"), kind) == 0


ADDED = [
    (
        "a.go",
        "+\ts.mu.Lock()\n+\tdefer s.mu.Unlock()\n \tres, err := s.client.Fetch(ctx, id)",
        K.LOCK_ADDED,
        S.LOCKS,
        0.7,
    ),
    (
        "A.java",
        "-    public Quote quote(String id) {\n+    public synchronized Quote quote(String id) "
        "{\n       return pricingClient.getQuote(id);",
        K.LOCK_ADDED,
        S.QUEUE,
        0.7,
    ),
    (
        "a.go",
        "-\ts.mu.RLock()\n-\tdefer s.mu.RUnlock()\n+\ts.mu.Lock()\n+\tdefer s.mu.Unlock()\n \treturn s.rules[id]",
        K.LOCK_ADDED,
        S.LATENCY,
        0.6,
    ),
    (
        "a.py",
        "-    row = Stock.objects.get(id=sku)\n+    row = Stock.objects.select_for_update().get(id=sku)",
        K.LOCK_ADDED,
        S.LOCKS,
        0.5,
    ),
    (
        "a.sql",
        "-SELECT n FROM stock WHERE id = $1\n+SELECT n FROM stock WHERE id = $1 FOR UPDATE",
        K.LOCK_ADDED,
        S.LOCKS,
        0.5,
    ),
    (
        "a.go",
        " \ts.mu.Lock()\n \ts.pending = nil\n-\ts.mu.Unlock()\n-\ts.client.Send(ctx, batch)\n"
        "+\ts.client.Send(ctx, batch)\n+\ts.mu.Unlock()",
        K.LOCK_ADDED,
        S.LATENCY,
        0.7,
    ),
    (
        "a.py",
        "+    with transaction.atomic():\n+        order.save()\n+        payment_client.charge(order.id)",
        K.TRANSACTION,
        S.CONNECTIONS,
        0.6,
    ),
    (
        "a.go",
        " \tfor msg := range msgs {\n+\t\ttime.Sleep(200 * time.Millisecond)\n \t\thandle(msg)\n \t}",
        K.SLEEP_ADDED,
        S.QUEUE,
        0.55,
    ),
    ("A.java", "+    Thread.sleep(500);\n     return load(id);", K.SLEEP_ADDED, S.LATENCY, 0.55),
    (
        "a.py",
        "+SEEN = {}\n def handle(event):\n+    SEEN[event.id] = event\n     return run(event)",
        K.BUFFER_GROWS,
        S.MEMORY,
        0.7,
    ),
    (
        "a.go",
        "+var sessions = map[string]*Session{}\n func open(id string) *Session {\n+\tsessions[id] = s\n \treturn s",
        K.BUFFER_GROWS,
        S.MEMORY,
        0.7,
    ),
    (
        "A.java",
        "+    private static final Map<String, Quote> QUOTES = new HashMap<>();\n     Quote "
        "quote(String id) {\n+        QUOTES.put(id, q);",
        K.BUFFER_GROWS,
        S.GARBAGE_COLLECTION,
        0.7,
    ),
    (
        "a.ts",
        "+const listeners = []\n export function watch(f) {\n+  listeners.push(f)\n }",
        K.BUFFER_GROWS,
        S.MEMORY,
        0.7,
    ),
    (
        "a.py",
        "-@lru_cache(maxsize=512)\n+@lru_cache(maxsize=None)\n def quote(id, day):",
        K.BUFFER_GROWS,
        S.MEMORY,
        0.6,
    ),
    (
        "a.py",
        "-    for row in csv.reader(f, chunksize):\n-        load(row)\n+    rows = f.readlines()\n+    load(rows)",
        K.LOADS_ALL,
        S.MEMORY,
        0.75,
    ),
    (
        "a.go",
        "-\tscanner := bufio.NewScanner(f)\n-\tfor scanner.Scan() {\n"
        "-\t\thandle(scanner.Bytes())\n-\t}\n+\tdata, err := io.ReadAll(f)\n+\thandle(data)",
        K.LOADS_ALL,
        S.RESTARTS,
        0.75,
    ),
    ("a.js", "-  createReadStream(p).pipe(parser)\n+  parser.write(readFileSync(p))", K.LOADS_ALL, S.MEMORY, 0.75),
    (
        "a.go",
        " \tfor _, e := range events {\n-\t\thandle(e)\n+\t\tgo func(e Event) { handle(e) }(e)\n \t}",
        K.THREADS_ADDED,
        S.THREADS,
        0.5,
    ),
    ("a.js", "-const ok = /^[a-z0-9]+$/.test(name)\n+const ok = /^([a-z0-9]+)+$/.test(name)", K.WORK_ADDED, S.CPU, 0.5),
]


@pytest.mark.parametrize(("path", "diff", "kind", "symptom", "least"), ADDED)
def test_what_waits_grows_or_locks_is_found_where_it_is_added(
    path: str, diff: str, kind: EffectKind, symptom: SymptomKind, least: float
) -> None:
    effect = next(effect for effect in read(path, f"@@ -1,4 +1,5 @@\n{diff}").effects if effect.kind is kind)

    assert effect.strength >= least
    assert symptom in effect.causes


NOT_ADDED = [
    ("a.go", "-\ts.mu.Lock()\n+\ts.stateMu.Lock()\n \tdefer s.mu.Unlock()", K.LOCK_ADDED),
    ("a.go", "-\ttime.Sleep(time.Second)\n \thandle(msg)", K.SLEEP_ADDED),
    ("a.py", "+SEEN = LRU(maxsize=100)\n def handle(event):\n+    SEEN[event.id] = event", K.BUFFER_GROWS),
    ("a.py", " def handle(events):\n+    seen = {}\n+    for e in events:\n+        seen[e.id] = e", K.BUFFER_GROWS),
    ("a.go", "+\tout := []string{}\n+\tout = append(out, name)", K.BUFFER_GROWS),
    ("a.go", "-\tdata, err := io.ReadAll(f)\n+\tscanner := bufio.NewScanner(f)", K.LOADS_ALL),
    ("a.go", "-\tgo func() { run(a) }()\n+\tgo func() { run(b) }()", K.THREADS_ADDED),
    (
        "a.py",
        "-    with transaction.atomic():\n+    with transaction.atomic(using='main'):\n         order.save()",
        K.TRANSACTION,
    ),
    ("a.js", "-const ok = /^[a-z]+$/.test(name)\n+const ok = /^[a-z0-9]+$/.test(name)", K.WORK_ADDED),
]


@pytest.mark.parametrize(("path", "diff", "kind"), NOT_ADDED)
def test_locks_memory_and_threads_that_stay_bounded_or_as_they_were_are_not_told(
    path: str, diff: str, kind: EffectKind
) -> None:
    assert strength_of(read(path, f"@@ -1,4 +1,5 @@\n{diff}"), kind) == 0


def test_a_leak_shows_hours_later() -> None:
    (effect, *_) = read(
        "a.go", "@@ -1,3 +1,2 @@\n \tf, err := os.Open(p)\n-\tdefer f.Close()\n \treturn parse(f)"
    ).effects

    assert effect.kind is K.CLOSE_REMOVED
    assert effect.delay is Delay.GROWS


def test_a_guard_whose_value_is_still_used_weighs_more_than_one_whose_value_is_not() -> None:
    used = read("a.go", "@@ -1,4 +1,1 @@\n-\tif a.B == nil {\n-\t\treturn 0\n-\t}\n \treturn a.B.C")
    unused = read("a.go", "@@ -1,4 +1,1 @@\n-\tif a.B == nil {\n-\t\treturn 0\n-\t}\n \treturn 1")

    assert strength_of(used, K.GUARD_REMOVED) > strength_of(unused, K.GUARD_REMOVED)
