"""Consumers with fewer hands, tables that lack keys, hungry patterns, locks around work; and their harmless likes."""

from __future__ import annotations

import pytest

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.changes.reading import read, strength_of, strongest
from workers.diagnosis.changes import EffectKind
from workers.diagnosis.changes.text.regexes import is_hungry

FEWER_HANDS = [
    (
        "main.go",
        "@@ -156,6 +156,4 @@ func run(ctx context.Context, sub *Subscription, handle Handler) error {\n"
        "-\tworkers := pool.New(8)\n-\tfor msg := range sub.Messages(ctx) {\n"
        "-\t\tworkers.Go(func() { handle(ctx, msg) })\n-\t}\n-\tworkers.Wait()\n"
        "+\tfor msg := range sub.Messages(ctx) {\n+\t\thandle(ctx, msg)\n+\t}\n \treturn sub.Err()",
    ),
    ("a.go", " \tfor msg := range msgs {\n-\t\tgo handle(ctx, msg)\n+\t\thandle(ctx, msg)\n \t}"),
    ("worker.py", " for message in consumer:\n-    executor.submit(process, message)\n+    process(message)"),
    (
        "worker.py",
        "@@ -1,3 +1,3 @@ async def run(messages):\n-    await asyncio.gather(*(process(m) for m in messages))\n"
        "+    for m in messages:\n+        await process(m)",
    ),
    ("worker.py", "-channel.basic_qos(prefetch_count=50)\n+channel.basic_qos(prefetch_count=1)"),
    (
        "App.java",
        '-@KafkaListener(topics = "orders", concurrency = "8")\n+@KafkaListener(topics = "orders", concurrency = "1")',
    ),
    (
        "worker.ts",
        "@@ -1,3 +1,3 @@ async function drain(queue) {\n   const messages = await queue.receive({ max: 10 })\n"
        "-  await Promise.all(messages.map(m => handle(m)))\n+  for (const m of messages) await handle(m)",
    ),
    (
        "w.py",
        "-    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)\n"
        "+    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)",
    ),
    (
        "w.py",
        "@@ -1,3 +1,3 @@ def save(rows, queue):\n-    collection.insert_many(rows)\n+    for row in rows:\n"
        "+        collection.insert_one(row)",
    ),
    ("celeryconfig.py", "-worker_concurrency = 16\n+worker_concurrency = 1"),
    (
        "A.cs",
        "-            await Parallel.ForEachAsync(messages, Handle);\n"
        "+            foreach (var message in messages) await Handle(message);",
    ),
    ("a.go", " \tg, ctx := errgroup.WithContext(ctx)\n-\tg.SetLimit(16)\n+\tg.SetLimit(1)"),
]


@pytest.mark.parametrize(("path", "diff"), FEWER_HANDS)
def test_a_consumer_with_fewer_hands_falls_behind(path: str, diff: str) -> None:
    first = read(path, diff).effects[0]

    assert first.causes >= {SymptomKind.QUEUE, SymptomKind.LATENCY}
    assert first.strength >= 0.6


AS_MANY_HANDS = [
    ("a.go", " \tfor msg := range msgs {\n-\t\tgo handle(ctx, msg)\n+\t\tgo s.handle(ctx, msg)\n \t}"),
    ("w.py", " for message in consumer:\n-    executor.submit(process, message)\n+    pool.submit(process, message)"),
    ("w.py", "-channel.basic_qos(prefetch_count=50)\n+channel.basic_qos(prefetch_count=48)"),
    ("deploy.yaml", "-replicas: 4\n+replicas: 5\n image: registry.shop/cart"),
]


@pytest.mark.parametrize(("path", "diff"), AS_MANY_HANDS)
def test_a_consumer_with_as_many_hands_keeps_up(path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.POOL) <= 0.2
    assert strength_of(read(path, diff), EffectKind.BATCH) <= 0.3


@pytest.mark.parametrize(
    ("path", "diff"),
    [
        ("deploy/cart/values.yaml", "-replicas: 4\n+replicas: 5"),
        ("deploy/cart/values.yaml", "-replicas: 4\n+replicas: 12"),
        ("deploy/cart/values.yaml", " limits:\n-  memory: 512Mi\n+  memory: 1Gi"),
        ("deploy/cart/hpa.yaml", "-maxReplicas: 10\n+maxReplicas: 20"),
        ("cart/config.yaml", "-pool_size: 10\n+pool_size: 12"),
    ],
)
def test_more_replicas_memory_or_connections_explain_nothing(path: str, diff: str) -> None:
    assert strongest(read(path, diff)) <= 0.05


def test_ten_times_the_connections_weigh_on_what_is_called() -> None:
    (found,) = read("cart/config.yaml", "-pool_size: 10\n+pool_size: 200").effects

    assert found.strength > 0.1
    assert SymptomKind.CONNECTIONS in found.causes_in_callees


LACKS_KEYS = [
    (
        "a.py",
        "@@ -1,3 +1,3 @@ def tax(address):\n-    return rate_for(address.country, default=0.2)\n"
        '+    return {"DE": 0.19, "FR": 0.2}[address.country]',
    ),
    (
        "a.py",
        ' def carrier(address):\n+    carriers = {"DE": dhl, "FR": laposte}\n-    return pick(address)\n'
        "+    return carriers[address.country]",
    ),
    (
        "a.go",
        "@@ -1,3 +1,9 @@ func fee(method string) (int, error) {\n-\treturn defaultFee, nil\n+\tswitch method {\n"
        '+\tcase "card":\n+\t\treturn 30, nil\n+\t}\n+\treturn 0, fmt.Errorf("unknown method %q", method)',
    ),
    (
        "A.java",
        "         switch (method) {\n             case CARD: return new Fee(30);\n"
        "-            default: return Fee.NONE;\n"
        '+            default: throw new IllegalArgumentException("unknown method " + method);',
    ),
    (
        "a.rs",
        '     match method {\n         "card" => 30,\n-        _ => 0,\n'
        '+        _ => panic!("unknown method"),\n     }',
    ),
    ("a.rb", "-    RATES[country] || 0.2\n+    RATES.fetch(country)"),
]


@pytest.mark.parametrize(("path", "diff"), LACKS_KEYS)
def test_a_table_or_switch_that_knows_some_values_only_fails_for_the_others(path: str, diff: str) -> None:
    first = read(path, diff).effects[0]

    assert first.causes >= {SymptomKind.ERRORS, SymptomKind.CRASH}
    assert 0.5 <= first.strength <= 0.75


KNOWS_THEM_ALL = [
    (
        "a.py",
        ' def tax(address):\n-    return rate_for(address.country)\n+    return {"DE": 0.19}.get(address.country, 0.2)',
    ),
    ("a.py", '-    raise ValueError(kind)\n+    return {"a": 1, "b": 2}[kind]'),
    ("a.py", '-    return {"a": 1}[kind]\n+    return {"a": 1, "b": 2}[kind]'),
    (
        "a.py",
        '+    if kind not in names:\n+        return None\n+    names = {"a": 1}\n-    return old(kind)\n'
        "+    return names[kind]",
    ),
    (
        "a.go",
        '+\tfees := map[string]int{"card": 30}\n-\treturn old(method)\n+\tif fee, ok := fees[method]; ok {\n'
        "+\t\treturn fee\n+\t}\n+\treturn other",
    ),
    (
        "A.java",
        " switch (m) {\n   case CARD: return a;\n-  default: throw new IllegalStateException(m);\n"
        '+  default: throw new IllegalStateException("unknown " + m);',
    ),
    ("a.ts", " switch (m) {\n   case 'a': return 1\n-  default: return 0\n+  case 'b': return 2\n+  default: return 0"),
]


@pytest.mark.parametrize(("path", "diff"), KNOWS_THEM_ALL)
def test_a_table_with_a_last_resort_is_not_suspected(path: str, diff: str) -> None:
    found = read(path, diff)

    assert strength_of(found, EffectKind.REFUSES_MORE) == 0
    assert not any(effect.kind is EffectKind.UNCHECKED_VALUE and effect.name == "kind" for effect in found.effects)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(\w+\s?)*$",
        r"^([a-zA-Z0-9_.-]+)+@",
        r"^([A-Z0-9]+-?)+$",
        r"^(([a-z])+.)+[A-Z]([a-z])+$",
        r"\A(a|a)*\z",
        r"(?:.*,)*x",
        r"(x+x+)+y",
        r"^(?:[\w-]+\.?)+$",
        r"(\d+,?)+$",
        r"^(\s*\w+\s*)*$",
        r"(a*b*)*c",
        r"(a+){2,}",
    ],
)
def test_a_repeated_group_that_reads_one_text_in_many_ways_is_hungry(pattern: str) -> None:
    assert is_hungry(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[\w.+-]+@[\w-]+\.[\w.]+$",
        r"^([a-z0-9-]+\.)+[a-z]+$",
        r"^(\d{3}-)*\d+$",
        r"(?:[a-z]+,)*[a-z]+",
        r"(foo|bar)+",
        r"([A-Z]\d)+",
        r"(\"[^\"]*\",)*",
        r"(\w+\s+)+",
        r"(ab)*",
        r"[(a+)+]",
        r"\(a+\)+",
        r"(/[\w-]+)+",
    ],
)
def test_a_group_whose_rounds_are_told_apart_is_not_hungry(pattern: str) -> None:
    assert not is_hungry(pattern)


def test_a_hungry_pattern_on_the_way_of_a_request_burns_the_processor() -> None:
    diff = (
        '@@ -1,2 +1,4 @@ def validate(request):\n+    if not re.match(r"^(\\w+\\s?)*$", request.name):\n'
        "+        raise Invalid()"
    )
    first = read("a.py", diff).effects[0]

    assert (first.kind, first.strength) == (EffectKind.WORK_ADDED, 0.7)
    assert first.causes >= {SymptomKind.CPU, SymptomKind.LATENCY, SymptomKind.TIMEOUTS}


@pytest.mark.parametrize(
    ("path", "diff"),
    [
        ("a.go", "+var name = regexp.MustCompile(`^(\\w+\\s?)*$`)"),
        ("a.py", "+    total = (price * (1 + rate)) * count"),
        ("a.py", '-NAME = re.compile(r"^(\\w+\\s?)*$")\n+NAME = re.compile(r"^(\\w+\\s?)+$")'),
        ("a.js", "+const EMAIL = /^[^@]+@([a-z]+\\.)+[a-z]+$/"),
    ],
)
def test_engines_that_do_not_backtrack_arithmetic_and_patterns_as_before_burn_nothing(path: str, diff: str) -> None:
    assert strength_of(read(path, diff), EffectKind.WORK_ADDED) == 0


@pytest.mark.parametrize(
    ("path", "diff"),
    [
        (
            "a.go",
            "@@ -1,3 +1,6 @@ func (r *Rates) Get(code string) Rate {\n+\tr.mu.Lock()\n+\tdefer r.mu.Unlock()\n"
            "+\tif time.Since(r.at) > r.ttl {\n+\t\tr.reload()\n+\t}\n \treturn r.rates[code]",
        ),
        (
            "a.py",
            "@@ -1,3 +1,6 @@ def get(self, code):\n+    with self._lock:\n+        if self._stale():\n"
            "+            self._rates = self.read_rates()\n     return self._rates[code]",
        ),
    ],
)
def test_a_lock_around_work_on_the_way_of_a_request_is_strong(path: str, diff: str) -> None:
    first = read(path, diff).effects[0]

    assert (first.kind, first.strength) == (EffectKind.LOCK_ADDED, 0.75)
    assert first.causes >= {SymptomKind.LOCKS, SymptomKind.LATENCY, SymptomKind.TIMEOUTS, SymptomKind.CPU}


def test_a_lock_around_one_assignment_is_less() -> None:
    assert (
        strongest(
            read(
                "a.go",
                " func (r *Rates) Set(c string, v Rate) {\n+\tr.mu.Lock()\n+\tdefer r.mu.Unlock()\n \tr.rates[c] = v",
            )
        )
        <= 0.5
    )
