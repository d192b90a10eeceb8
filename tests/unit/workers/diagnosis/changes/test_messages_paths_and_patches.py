"""Commits without a diff, owners of paths, shared code, and the shapes in which diffs come."""

from __future__ import annotations

import pytest

from detection.types import ChangedFile, Commit, SymptomKind
from tests.unit.workers.diagnosis.changes.reading import commit_of, read, strength_of, strongest
from workers.diagnosis.changes import EffectKind, is_shared, read_change, services_touched
from workers.diagnosis.changes.text.patches import blocks_of

K, S = EffectKind, SymptomKind

SAID = [
    ("cart: cut the item cache TTL from 10m to 30s", K.TTL, -1),
    ("lower upstream timeout to 250ms", K.TIMEOUT, -1),
    ("raise retry attempts from 1 to 5", K.RETRIES, 1),
    ("remove retry backoff in the queue client", K.BACKOFF, -1),
    ("shrink the connection pool", K.POOL, -1),
    ("reduce memory limit of the worker", K.RESOURCES, -1),
    ("load the whole export into memory before writing", K.LOADS_ALL, 0),
    ("drop pagination from order history", K.QUERY_LIMIT_REMOVED, 0),
    ("call the loyalty service synchronously in checkout", K.CALL_ADDED, 0),
    ("wrap the pricing table in a global lock", K.LOCK_ADDED, 0),
    ("bypass the cache for logged-in users", K.CACHE_REMOVED, 0),
    ("drop unused index on orders", K.INDEX_REMOVED, 0),
    ("rename field total to amount in the order event", K.FIELD_RENAMED, 0),
    ("fetch the customer for each order in the list", K.QUERY_IN_LOOP, 0),
    ("point payments at the new gateway endpoint", K.ROUTING, 0),
    ("remove circuit breaker around stock lookups", K.PROTECTION_REMOVED, 0),
    ("import: hold one transaction over the full run, holds a lock on items", K.TRANSACTION, 0),
]


@pytest.mark.parametrize(("message", "kind", "direction"), SAID)
def test_without_a_diff_the_authors_words_are_a_weak_effect(message: str, kind: EffectKind, direction: int) -> None:
    reading = read("cart/main.go", "", message)
    effect = next(effect for effect in reading.effects if effect.kind is kind)

    assert not reading.was_read
    assert not reading.is_inert
    assert effect.direction == direction
    assert 0.25 <= effect.strength <= 0.6


HARMLESS_WORDS = [
    "refactor: collapse duplicate validation funcs",
    "docs: describe the flag lifecycle",
    "chore: tidy imports in the catalog",
    "style: gofmt",
    "add structured logging to the create path",
    "test: fuzz the parser",
    "add request-id propagation header",
    "feat: add a histogram for cache hits",
    "fix typo in error message",
    "ci: cache the build",
    "feat: add /readyz health endpoint",
]


@pytest.mark.parametrize("message", HARMLESS_WORDS)
def test_without_a_diff_words_of_tidying_and_telemetry_make_it_weakly_inert(message: str) -> None:
    reading = read("cart/main.go", "", message)

    assert reading.is_inert
    assert not reading.was_read
    assert "by its message" in reading.inert_because


SAYS_LITTLE = [
    "raise the cache TTL from 30s to 60s",
    "add retry jitter to the consumer",
    "raise db pool from 20 to 40",
    "bump the client library to 8.13",
    "support a new banner variant",
    "add idempotency key to orders",
    "update promo rules for summer",
    "add coupon stacking",
]


@pytest.mark.parametrize("message", SAYS_LITTLE)
def test_without_a_diff_capacity_features_and_patches_are_next_to_nothing(message: str) -> None:
    assert strongest(read("cart/main.go", "", message)) <= 0.3


def test_a_message_that_says_tidy_and_names_a_strong_effect_is_not_inert() -> None:
    assert not read("cart/main.go", "", "chore: tidy client and drop pagination").is_inert


OWNERS = [
    (["services/catalog/handler.go"], {"catalogservice", "cartservice"}, {"catalogservice"}),
    (["orders/api/build_order.go"], {"orders-api", "orders-db"}, {"orders-api"}),
    (["payments/svc/authorize.go"], {"payments-svc", "payments-db"}, {"payments-svc"}),
    (["productpage/clients/reco_client.go"], {"product-page", "recommendation"}, {"product-page"}),
    (["reco/score/batch.go"], {"recommendation", "product-page"}, {"recommendation"}),
    (["gateway/middleware/id.go"], {"api-gateway", "orders"}, {"api-gateway"}),
    (["cart/coupon.go", "order/tax.py"], {"cart", "orders", "billing"}, {"cart", "orders"}),
    (["k8s/checkout-deployment.yaml"], {"checkoutservice", "cartservice"}, {"checkoutservice"}),
    (["services/checkout/catalog_client.go"], {"checkout-service", "catalog-service"}, {"checkout-service"}),
    (["src/CartService/Startup.cs"], {"cart-service"}, {"cart-service"}),
    (["pkg/validate/validate.go"], {"cart", "orders"}, set()),
    (["docs/cart.md", "README.md"], {"orders"}, set()),
    (["internal/catalog_client.go"], {"catalog"}, set()),
]


@pytest.mark.parametrize(("paths", "services", "owners"), OWNERS)
def test_a_path_names_its_service(paths: list[str], services: set[str], owners: set[str]) -> None:
    assert services_touched(paths, services) == owners


@pytest.mark.parametrize(
    "path",
    [
        "pkg/cache/config.go",
        "common/http.py",
        "libs/retry/index.ts",
        "go.mod",
        "package.json",
        "Dockerfile",
        "internal/db/pool.go",
        "src/shared/Clock.java",
        "proto/order.proto",
    ],
)
def test_libraries_and_files_of_the_whole_repository_are_shared(path: str) -> None:
    assert is_shared([path])


@pytest.mark.parametrize(
    "path",
    [
        "services/cart/pkg/money.go",
        "cart/main.go",
        "billing/pkg/round.go",
        "cart/package.json",
        "services/cart/Dockerfile",
    ],
)
def test_code_and_manifests_of_one_service_are_not_shared(path: str) -> None:
    assert not is_shared([path])


LOWERED = "-\tTimeout: 9 * time.Second,\n+\tTimeout: 90 * time.Millisecond,\n"
SHAPES = [
    f"@@ -1,3 +1,3 @@ func NewClient() *Client {{\n{LOWERED}",
    f"--- a/cart/client.go\n+++ b/cart/client.go\n@@ -1,3 +1,3 @@\n{LOWERED}",
    f"diff --git a/cart/client.go b/cart/client.go\nindex 1..2 100644\n--- a/cart/client.go\n"
    f"+++ b/cart/client.go\n@@ -1 +1 @@\n{LOWERED}",
    f"@@ cart/client.go @@\n{LOWERED}",
    f"@@ cart/client.go: func NewClient() *Client {{\n{LOWERED}",
    f"@@ func NewClient() *Client {{\n{LOWERED}",
    LOWERED,
    LOWERED.replace("\n", "\r\n"),
]


@pytest.mark.parametrize("diff", SHAPES)
def test_a_diff_is_read_in_every_shape(diff: str) -> None:
    commit = Commit("a", None, "ann", 0.0, "x", "", (ChangedFile("cart/client.go", "modified", 1, 1, diff),))
    (effect, *_) = read_change(commit).effects

    assert (effect.kind, effect.path, effect.direction) == (K.TIMEOUT, "cart/client.go", -1)


def test_several_files_in_one_text_keep_their_paths_and_are_read_once() -> None:
    text = f"@@ a/one.go @@\n{LOWERED}@@ b/two.go: func X() {{\n+\tx := 1\n"
    files = (ChangedFile("a/one.go", "", 1, 1, text), ChangedFile("b/two.go", "", 1, 1, text))

    assert [block.path for block in blocks_of(files)] == ["a/one.go", "b/two.go"]


def test_a_removed_sql_comment_is_not_taken_for_the_header_of_a_file() -> None:
    (block,) = blocks_of((ChangedFile("a.sql", "", 1, 1, "@@ -1,2 +1 @@\n--- old words\n-SELECT 1\n+SELECT 2"),))

    assert block.removed == ("SELECT 1",)


def test_a_file_without_its_diff_is_judged_by_the_message_beside_the_files_that_were_read() -> None:
    reading = read("a.go", "@@ -1 +1 @@\n-\tx := f(a)\n+\tx := f(b)", "drop pagination", ("store/list.go", ""))

    assert reading.was_read
    assert 0 < strength_of(reading, K.QUERY_LIMIT_REMOVED) < 0.5


def test_an_empty_commit_and_a_huge_one_are_read_without_an_error() -> None:
    assert not read_change(Commit("a", None, "ann", 0.0, "", "", ())).effects
    many = "@@ -1 +1 @@\n" + "".join(f"-\tx{n} := f({n})\n+\tx{n} := f({n + 1})\n" for n in range(3000))
    assert len(read_change(commit_of("a.go", many)).effects) <= 20


@pytest.mark.parametrize(
    "text", ["(" * 400, "a." * 300 + "(", "select " * 80, "-" * 400, "\x00\ufffd" * 100, "[" * 200 + "for x in"]
)
def test_strange_lines_are_read_without_an_error(text: str) -> None:
    assert read("a.py", f"@@ -1 +1 @@\n-{text}\n+{text}1").was_read


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("feat: remember recent requests for the support view", EffectKind.BUFFER_GROWS),
        ("keep a history of the last orders of each user", EffectKind.BUFFER_GROWS),
        ("process the messages one by one", EffectKind.POOL),
    ],
)
def test_a_message_without_a_diff_tells_of_memory_that_grows_and_of_fewer_hands(message: str, kind: EffectKind) -> None:
    assert strength_of(read("cart/main.go", "", message), kind) >= 0.4


@pytest.mark.parametrize("message", ["cart: one more replica before the weekend", "add another replica of search"])
def test_a_message_that_tells_of_one_more_replica_explains_nothing(message: str) -> None:
    assert strongest(read("cart/main.go", "", message)) <= 0.05


def test_a_new_endpoint_is_no_other_way_to_an_old_one() -> None:
    assert strength_of(read("health/version.go", "", "feat: add /version endpoint"), EffectKind.ROUTING) == 0
    assert strength_of(read("pay/client.go", "", "Point the client at the new endpoint"), EffectKind.ROUTING) > 0
