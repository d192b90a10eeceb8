"""Switches, addresses, images, libraries, certificates, credentials, field names: values that are no numbers."""

from __future__ import annotations

import pytest

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.changes.reading import read, strength_of, strongest
from workers.diagnosis.changes import EffectKind

K, S = EffectKind, SymptomKind

SET_OTHERWISE = [
    ("config/flags.yaml", " flags:\n-  new_ranking: false\n+  new_ranking: true", K.FLAG, S.ERRORS, 0.4),
    (
        "src/flags.ts",
        "-  const on = ld.boolVariation('checkout-v2', user, false)\n+  const on = "
        "ld.boolVariation('checkout-v2', user, true)",
        K.FLAG,
        S.RESULTS,
        0.4,
    ),
    ("app.env", "-ENABLE_ASYNC_WRITES=false\n+ENABLE_ASYNC_WRITES=true", K.FLAG, S.ERRORS, 0.5),
    ("k8s/pay.yaml", "-          image: acme/pay:1.4.0\n+          image: acme/pay:2.0.0", K.IMAGE, S.CRASH, 0.4),
    ("Dockerfile", "-FROM python:3.11-slim\n+FROM python:3.11-alpine", K.IMAGE, S.CRASH, 0.4),
    ("Dockerfile", "-FROM node:16\n+FROM node:22", K.IMAGE, S.CRASH, 0.4),
    ("package.json", '-    "pg": "^7.18.2",\n+    "pg": "^8.11.0",', K.DEPENDENCY, S.ERRORS, 0.4),
    ("requirements.txt", "-sqlalchemy==1.4.50\n+sqlalchemy==2.0.1", K.DEPENDENCY, S.CRASH, 0.4),
    ("Cargo.toml", '-tokio = "0.2.0"\n+tokio = "1.0.0"', K.DEPENDENCY, S.ERRORS, 0.4),
    (
        "nginx/pay.conf",
        "-    proxy_pass http://pay.internal:8080;\n+    proxy_pass http://pay-v2.internal:8080;",
        K.ROUTING,
        S.NAME_LOOKUP,
        0.6,
    ),
    (
        "config/prod.yaml",
        "-  redis_host: cache-a.acme.internal\n+  redis_host: cache-b.acme.internal",
        K.ROUTING,
        S.CONNECTIONS,
        0.6,
    ),
    ("k8s/svc.yaml", "-    targetPort: 8080\n+    targetPort: 8081", K.ROUTING, S.NETWORK, 0.6),
    ("src/app.py", "-client = S3(region='eu-west-1')\n+client = S3(region='us-east-1')", K.ROUTING, S.LATENCY, 0.6),
    ("terraform/sg.tf", '-  cidr_blocks = ["10.0.0.0/8"]\n+  cidr_blocks = ["10.1.0.0/16"]', K.ROUTING, S.NETWORK, 0.6),
    ("tls.go", "-\tMinVersion: tls.VersionTLS12,\n+\tMinVersion: tls.VersionTLS13,", K.TLS, S.CERTIFICATE, 0.5),
    (
        "client.py",
        "-    requests.get(url, verify=False)\n+    requests.get(url, verify=True)",
        K.TLS,
        S.CERTIFICATE,
        0.5,
    ),
    (
        "terraform/roles.tf",
        '-  actions = ["sqs:SendMessage", "sqs:ReceiveMessage"]\n+  actions = ["sqs:ReceiveMessage"]',
        K.SECRET,
        S.AUTHENTICATION,
        0.6,
    ),
    ("terraform/iam.tf", '-      "s3:GetObject",\n       "s3:ListBucket",', K.SECRET, S.AUTHENTICATION, 0.6),
    (
        "k8s/pay.yaml",
        '-            secretKeyRef:\n-              name: stripe-live\n+            value: ""',
        K.SECRET,
        S.AUTHENTICATION,
        0.6,
    ),
    ("config/log.yaml", "-  level: info\n+  level: debug", K.LOG_LEVEL, S.LOG_VOLUME, 0.4),
    ("src/Log.java", "-    logger.setLevel(Level.INFO);\n+    logger.setLevel(Level.DEBUG);", K.LOG_LEVEL, S.DISK, 0.3),
    ("a.go", '-\tUserID string `json:"user_id"`\n+\tUserID string `json:"userId"`', K.FIELD_RENAMED, S.DECODING, 0.7),
    (
        "A.java",
        '-    @JsonProperty("total")\n+    @JsonProperty("total_amount")\n     private BigDecimal total;',
        K.FIELD_RENAMED,
        S.DECODING,
        0.7,
    ),
    (
        "a.py",
        '-    return {"id": o.id, "status": o.status}\n+    return {"id": o.id, "state": o.status}',
        K.FIELD_RENAMED,
        S.CLIENT_ERRORS,
        0.7,
    ),
    ("orders.proto", "-  int64 amount = 3;\n+  string amount = 3;", K.DECODING, S.DECODING, 0.8),
    ("orders.proto", "-  string note = 4;\n+  string note = 7;", K.DECODING, S.DECODING, 0.8),
    ("a.go", " \tdec := json.NewDecoder(r.Body)\n+\tdec.DisallowUnknownFields()", K.DECODING, S.CLIENT_ERRORS, 0.5),
    ("a.py", "-    key = f'cache:product:{id}'\n+    key = f'cache:v2:product:{id}'", K.CACHE_KEY, S.CACHE_MISSES, 0.5),
    ("k8s/cron.yaml", '-  schedule: "0 3 * * *"\n+  schedule: "0 12 * * *"', K.INTERVAL, S.CPU, 0.4),
    ("k8s/pay.yaml", '-          args: ["serve", "--prod"]\n+          args: ["migrate"]', K.START_UP, S.CRASH, 0.0),
]


@pytest.mark.parametrize(("path", "diff", "kind", "symptom", "least"), SET_OTHERWISE)
def test_a_value_that_is_set_otherwise_is_told_with_what_it_is_about(
    path: str, diff: str, kind: EffectKind, symptom: SymptomKind, least: float
) -> None:
    reading = read(path, f"@@ -1,4 +1,4 @@\n{diff}")
    if least == 0.0:
        assert not reading.is_inert
        return
    effect = next(effect for effect in reading.effects if effect.kind is kind)

    assert effect.strength >= least
    assert symptom in effect.causes


HARDLY_ANYTHING = [
    ("go.mod", "-\tgoogle.golang.org/grpc v1.62.0\n+\tgoogle.golang.org/grpc v1.62.1", 0.1),
    ("package.json", '-    "lodash": "4.17.20",\n+    "lodash": "4.17.21",', 0.1),
    ("Dockerfile", "-FROM gcr.io/distroless/static:latest\n+FROM gcr.io/distroless/static:nonroot", 0.2),
    ("Dockerfile", "-FROM nginx:1.25.1\n+FROM nginx:1.25.2", 0.2),
    (
        "tls.conf",
        "-ssl_ciphers ECDHE-RSA-AES128:ECDHE-ECDSA-AES128;\n+ssl_ciphers ECDHE-ECDSA-AES128:ECDHE-RSA-AES128;",
        0.3,
    ),
    ("config/log.yaml", "-  level: debug\n+  level: info", 0.2),
    ("a.go", '+\tNote string `json:"note,omitempty"`\n \tID string `json:"id"`', 0.3),
    ("a.py", '-    return {"id": o.id}\n+    return {"id": o.id, "note": o.note}', 0.3),
    ("orders.proto", "+  string note = 9;\n   int64 id = 1;", 0.3),
    ("a.ts", "-  throw new Error('Not alowed')\n+  throw new Error('Not allowed')", 0.25),
    ("k8s/pay.yaml", "   labels:\n-    team: payments\n+    team: checkout", 0.25),
]


@pytest.mark.parametrize(("path", "diff", "most"), HARDLY_ANYTHING)
def test_patches_new_fields_reordered_ciphers_and_texts_are_weak(path: str, diff: str, most: float) -> None:
    assert strongest(read(path, f"@@ -1,4 +1,4 @@\n{diff}")) <= most


def test_a_step_back_of_a_library_weighs_more_than_a_step_forward() -> None:
    forward = read("go.mod", "@@ -1 +1 @@\n-\tgithub.com/a/b v1.3.0\n+\tgithub.com/a/b v1.4.0")
    back = read("go.mod", "@@ -1 +1 @@\n-\tgithub.com/a/b v1.4.0\n+\tgithub.com/a/b v1.3.0")

    assert strength_of(back, K.DEPENDENCY) > strength_of(forward, K.DEPENDENCY)
    assert back.effects[0].direction == -1


def test_the_name_of_a_flag_is_told_so_that_it_can_be_turned_back() -> None:
    diff = (
        '@@ -1 +1 @@\n-  on = client.variation("fast-checkout", user, False)\n+  on = '
        'client.variation("fast-checkout", user, True)'
    )
    (effect, *_) = read("a.py", diff).effects

    assert (effect.kind, effect.name, effect.before, effect.after) == (K.FLAG, "fast-checkout", "False", "True")
    assert "checkout" in effect.words


@pytest.mark.parametrize("store", ["s3", "gs"])
def test_another_file_in_a_store_is_no_other_way_to_a_service(store: str) -> None:
    reading = read("ranker/model.yaml", f"-weights: {store}://models/ranker/10\n+weights: {store}://models/ranker/11")

    assert strength_of(reading, EffectKind.ROUTING) == 0
    assert 0 < strongest(reading) <= 0.3
