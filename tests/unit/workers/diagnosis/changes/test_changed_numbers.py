"""Timeouts, retries, pools, lifetimes and other numbers: which knob, in which direction, how far."""

from __future__ import annotations

import pytest

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.changes.reading import read, strength_of, strongest
from workers.diagnosis.changes import Delay, EffectKind
from workers.diagnosis.changes.text.quantities import in_unit_of, quantities

K, S = EffectKind, SymptomKind

TURNED_BADLY = [
    (
        "cart/client.py",
        "-    r = requests.get(url, timeout=10)\n+    r = requests.get(url, timeout=0.2)",
        K.TIMEOUT,
        -1,
        S.TIMEOUTS,
    ),
    (
        "src/Api.java",
        "-    .callTimeout(Duration.ofSeconds(10))\n+    .callTimeout(Duration.ofMillis(150))",
        K.TIMEOUT,
        -1,
        S.ERRORS,
    ),
    ("src/api.ts", "-  timeout: 5000,\n+  timeout: 250,", K.TIMEOUT, -1, S.TIMEOUTS),
    (
        "src/Pay.cs",
        "-  client.Timeout = TimeSpan.FromSeconds(30);\n+  client.Timeout = TimeSpan.FromMilliseconds(500);",
        K.TIMEOUT,
        -1,
        S.TIMEOUTS,
    ),
    (
        "src/client.rs",
        "-    .timeout(Duration::from_secs(10))\n+    .timeout(Duration::from_millis(100))",
        K.TIMEOUT,
        -1,
        S.TIMEOUTS,
    ),
    ("lib/pay.rb", "-  http.read_timeout = 30\n+  http.read_timeout = 1", K.TIMEOUT, -1, S.TIMEOUTS),
    ("nginx/default.conf", "-    proxy_read_timeout 60s;\n+    proxy_read_timeout 2s;", K.TIMEOUT, -1, S.TIMEOUTS),
    (
        "src/main/resources/application.properties",
        "-order.http.read-timeout-ms=5000\n+order.http.read-timeout-ms=200",
        K.TIMEOUT,
        -1,
        S.TIMEOUTS,
    ),
    (
        "db/settings.py",
        "-STATEMENT_TIMEOUT = timedelta(minutes=1)\n+STATEMENT_TIMEOUT = timedelta(milliseconds=800)",
        K.TIMEOUT,
        -1,
        S.TIMEOUTS,
    ),
    ("worker/pool.go", "-\tdb.SetMaxOpenConns(50)\n+\tdb.SetMaxOpenConns(5)", K.POOL, -1, S.CONNECTIONS),
    ("application.yml", " hikari:\n-  maximum-pool-size: 30\n+  maximum-pool-size: 3", K.POOL, -1, S.CONNECTIONS),
    ("k8s/cart.yaml", '     - name: DB_POOL_SIZE\n-      value: "20"\n+      value: "2"', K.POOL, -1, S.CONNECTIONS),
    ("app/puma.rb", "-workers 4\n+workers 1", K.POOL, -1, S.LATENCY),
    ("src/retry.ts", "-  maxAttempts: 2,\n+  maxAttempts: 20,", K.RETRIES, 1, S.RETRIES),
    ("src/Retry.kt", "-    maxRetries = 1\n+    maxRetries = 10", K.RETRIES, 1, S.RETRIES),
    (
        "svc/retry.go",
        "-\tInitialBackoff: 500 * time.Millisecond,\n+\tInitialBackoff: 5 * time.Millisecond,",
        K.BACKOFF,
        -1,
        S.RETRIES,
    ),
    ("config/cache.rb", "-  expires_in: 30.minutes\n+  expires_in: 20.seconds", K.TTL, -1, S.CACHE_MISSES),
    ("app/cache.py", "-CACHE_TTL = 60 * 60\n+CACHE_TTL = 60", K.TTL, -1, S.CACHE_MISSES),
    (
        "src/Cache.java",
        "-    .expireAfterWrite(10, TimeUnit.MINUTES)\n+    .expireAfterWrite(5, TimeUnit.SECONDS)",
        K.TTL,
        -1,
        S.CACHE_MISSES,
    ),
    (
        "src/cdn.js",
        "-  res.set('Cache-Control', 'max-age=3600')\n+  res.set('Cache-Control', 'max-age=10')",
        K.TTL,
        -1,
        S.CACHE_MISSES,
    ),
    ("cache.toml", "-cache_max_entries = 500_000\n+cache_max_entries = 1_000", K.TTL, -1, S.CACHE_MISSES),
    (
        "auth/token.go",
        "-\tAccessTokenTTL: 12 * time.Hour,\n+\tAccessTokenTTL: 1 * time.Minute,",
        K.TTL,
        -1,
        S.AUTHENTICATION,
    ),
    (
        "k8s/pay.yaml",
        "   resources:\n     limits:\n-      memory: 1Gi\n+      memory: 128Mi",
        K.RESOURCES,
        -1,
        S.MEMORY,
    ),
    ("k8s/pay.yaml", "   resources:\n     limits:\n-      cpu: 2\n+      cpu: 200m", K.RESOURCES, -1, S.CPU),
    ("k8s/pay.yaml", " spec:\n-  replicas: 12\n+  replicas: 2", K.RESOURCES, -1, S.LATENCY),
    ("k8s/hpa.yaml", "-  maxReplicas: 40\n+  maxReplicas: 5", K.RESOURCES, -1, S.CPU),
    ("app.env", "-JAVA_OPTS=-Xmx4g\n+JAVA_OPTS=-Xmx512m", K.RESOURCES, -1, S.GARBAGE_COLLECTION),
    ("k8s/pay.yaml", "   livenessProbe:\n-    failureThreshold: 6\n+    failureThreshold: 1", K.PROBE, -1, S.RESTARTS),
    ("gateway/limits.yaml", "-rate_limit_rps: 5000\n+rate_limit_rps: 100", K.LIMIT, -1, S.THROTTLED),
    ("src/importer.py", "-BATCH_SIZE = 500\n+BATCH_SIZE = 50_000", K.BATCH, 1, S.MEMORY),
    (
        "api/list.go",
        '-\tq := "SELECT id FROM orders LIMIT 50"\n+\tq := "SELECT id FROM orders LIMIT 50000"',
        K.LIMIT,
        1,
        S.ROWS_READ,
    ),
    ("jobs/poll.ts", "-  setInterval(refresh, 60000)\n+  setInterval(refresh, 500)", K.INTERVAL, -1, S.CPU),
]


@pytest.mark.parametrize(("path", "diff", "kind", "direction", "symptom"), TURNED_BADLY)
def test_a_knob_turned_far_the_wrong_way_is_a_strong_effect_of_its_kind(
    path: str, diff: str, kind: EffectKind, direction: int, symptom: SymptomKind
) -> None:
    effect = read(path, f"@@ -1,2 +1,2 @@\n{diff}").effects[0]

    assert (effect.kind, effect.direction) == (kind, direction)
    assert effect.strength >= 0.5
    assert symptom in effect.causes
    assert effect.before
    assert effect.after


TURNED_WELL = [
    ("worker/pool.go", "-\tdb.SetMaxOpenConns(20)\n+\tdb.SetMaxOpenConns(40)"),
    ("k8s/pay.yaml", "   resources:\n     limits:\n-      memory: 512Mi\n+      memory: 2Gi"),
    ("k8s/pay.yaml", "-  replicas: 2\n+  replicas: 6"),
    ("app/cache.py", "-CACHE_TTL = 60\n+CACHE_TTL = 600"),
    ("src/api.ts", "-  timeout: 5000,\n+  timeout: 4800,"),
    ("svc/retry.go", "-\tInitialBackoff: 100 * time.Millisecond,\n+\tInitialBackoff: 300 * time.Millisecond,"),
    ("k8s/pay.yaml", "   livenessProbe:\n-    failureThreshold: 3\n+    failureThreshold: 6"),
    ("src/tax.py", "-RATE = 0.19\n+RATE = 0.20"),
    ("gateway/limits.yaml", "-rate_limit_rps: 100\n+rate_limit_rps: 150"),
    ("svc/ids.go", "-\tid := newID(16)\n+\tid := newID(24)"),
]


@pytest.mark.parametrize(("path", "diff"), TURNED_WELL)
def test_a_knob_turned_a_little_or_the_safe_way_is_weak(path: str, diff: str) -> None:
    assert strongest(read(path, f"@@ -1,2 +1,2 @@\n{diff}")) <= 0.35


SAME_VALUE = [
    ("a.go", "-\tTimeout: 5 * time.Second,\n+\tTimeout: 5000 * time.Millisecond,"),
    ("a.yaml", "-request_timeout_ms: 3000\n+request_timeout_seconds: 3"),
    ("a.py", "-MAX_CONNECTIONS = 1000\n+MAX_CONNECTIONS = 1_000"),
    ("a.yaml", "-  cpu: 1000m\n+  cpu: 1"),
    ("a.rb", "-ttl = 60.seconds\n+ttl = 1.minute"),
    ("a.java", "-  .timeout(Duration.ofSeconds(60))\n+  .timeout(Duration.ofMinutes(1))"),
]


@pytest.mark.parametrize(("path", "diff"), SAME_VALUE)
def test_the_same_value_in_another_unit_is_no_change(path: str, diff: str) -> None:
    reading = read(path, f"@@ -1,2 +1,2 @@\n{diff}")

    assert not any(effect.direction for effect in reading.effects)
    assert strongest(reading) <= 0.2


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("ttl: 15m", 900, "seconds"),
        ("5*time.Second", 5, "seconds"),
        ("Duration.ofSeconds(3)", 3, "seconds"),
        ("timedelta(minutes=5)", 300, "seconds"),
        ("memory: 512Mi", 512 * 2**20, "bytes"),
        ("cpu: 500m", 0.5, "cores"),
        ("n = 5_000", 5000, ""),
        ("ttl: 1h30m", 5400, "seconds"),
        ("share: 25%", 0.25, "share"),
    ],
)
def test_a_number_is_read_in_its_unit(text: str, value: float, unit: str) -> None:
    (quantity,) = quantities(text)

    assert quantity.value == pytest.approx(value)
    assert quantity.unit == unit


def test_the_name_tells_the_unit_of_a_bare_number() -> None:
    (quantity,) = quantities("connectTimeoutMs: 1500")

    value, unit = in_unit_of("connectTimeoutMs", quantity)
    assert value == pytest.approx(1.5)
    assert unit == "seconds"


@pytest.mark.parametrize("text", ["sha256", "utf8", "10.0.0.1", "v1.2.3", "x = y2"])
def test_digits_of_names_addresses_and_versions_are_no_numbers(text: str) -> None:
    assert not list(quantities(text))


def test_a_shorter_lifetime_loads_what_stands_behind_the_cache_while_old_entries_run_out() -> None:
    (effect, *_) = read("pkg/cache/c.go", "@@ -1 +1 @@\n-\tTTL: 10 * time.Minute,\n+\tTTL: 2 * time.Second,").effects

    assert {S.TRAFFIC, S.CPU, S.SLOW_QUERIES} <= effect.causes_in_callees
    assert effect.delay is Delay.WARM
    assert effect.ratio == pytest.approx(1 / 300)


def test_a_raised_timeout_makes_callers_pile_up() -> None:
    (effect, *_) = read("c.go", "@@ -1 +1 @@\n-\tTimeout: 2 * time.Second,\n+\tTimeout: 120 * time.Second,").effects

    assert effect.direction == 1
    assert {S.THREADS, S.CONNECTIONS, S.LATENCY} <= effect.causes
    assert 0.3 <= effect.strength < 0.6


def test_a_timeout_that_is_gone_is_told() -> None:
    diff = "@@ -1 +1 @@\n-    r = requests.get(url, timeout=5)\n+    r = requests.get(url)"

    assert strength_of(read("a.py", diff), K.TIMEOUT) >= 0.5


def test_a_pool_of_zero_has_no_limit_and_counts_as_raised() -> None:
    (effect, *_) = read("a.go", "@@ -1 +1 @@\n-\tdb.SetMaxOpenConns(50)\n+\tdb.SetMaxOpenConns(0)").effects

    assert effect.direction == 1


WRITTEN_OTHERWISE = [
    ("c.py", "-    request_timeout: float = 10.0\n+    request_timeout: float = 0.5", K.TIMEOUT),
    (
        "c.ts",
        "-export const get = (url: string, timeoutMs = 5000) => {\n+export const get = (url: "
        "string, timeoutMs = 300) => {",
        K.TIMEOUT,
    ),
    ("C.java", '-  @Value("${http.timeout:5000}")\n+  @Value("${http.timeout:100}")', K.TIMEOUT),
    ("Dockerfile", '-CMD ["gunicorn", "--workers", "8", "app"]\n+CMD ["gunicorn", "--workers", "1", "app"]', K.POOL),
    (
        "Dockerfile",
        '-ENV NODE_OPTIONS="--max-old-space-size=4096"\n+ENV NODE_OPTIONS="--max-old-space-size=256"',
        K.RESOURCES,
    ),
    ("docker-compose.yml", "-      - WORKERS=8\n+      - WORKERS=1", K.POOL),
    ("main.tf", "-  timeout     = 30\n+  timeout     = 3", K.TIMEOUT),
    ("config/prod.json", '-  "maxConnections": 100,\n+  "maxConnections": 10,', K.POOL),
    ("app.toml", ' [redis]\n-ttl = "10m"\n+ttl = "10s"', K.TTL),
    ("a.py", "-channel.basic_qos(prefetch_count=10)\n+channel.basic_qos(prefetch_count=1000)", K.BATCH),
]


@pytest.mark.parametrize(("path", "diff", "kind"), WRITTEN_OTHERWISE)
def test_a_knob_is_found_in_whatever_form_a_language_writes_it(path: str, diff: str, kind: EffectKind) -> None:
    assert strength_of(read(path, f"@@ -1,2 +1,2 @@\n{diff}"), kind) >= 0.5


@pytest.mark.parametrize(
    ("path", "diff"),
    [
        (
            "src/Cache.php",
            "-        $this->redis->setex($key, 600, $html);\n+        $this->redis->psetex($key, 600, $html);",
        ),
        ("cache.py", "-    r.expire(key, 900)\n+    r.pexpire(key, 900)"),
    ],
)
def test_a_function_that_takes_another_unit_changes_the_value(path: str, diff: str) -> None:
    reading = read(path, diff)

    assert strength_of(reading, K.TTL) > 0.7
    assert reading.effects[0].direction == -1


def test_another_function_with_the_value_in_its_unit_changes_nothing() -> None:
    diff = "-    r.setex(key, 600, page)\n+    r.psetex(key, 600_000, page)"

    assert strength_of(read("cache.py", diff), K.TTL) < 0.3


def test_the_number_that_a_property_begins_with_is_its_value() -> None:
    name = "public int MaxDegreeOfParallelism { get; init; }"
    diff = f"-    {name} = 16;\n+    {name} = 4;"

    assert strength_of(read("src/Options.cs", diff), K.POOL) > 0.5
