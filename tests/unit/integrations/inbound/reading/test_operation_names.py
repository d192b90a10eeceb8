from __future__ import annotations

import random
import string
import uuid

import pytest

from integrations.inbound.reading.identifiers import is_identifier
from integrations.inbound.reading.operation_names import operation_template, path_template

WORDS = (
    "v1",
    "v2beta1",
    "v1.2",
    "v20240101",
    "oauth2",
    "s3",
    "h264",
    "en-US",
    "zh-Hans-CN",
    "es-419",
    "2fa",
    "me",
    "mp4",
    "sha256",
    "x509",
    "i18n",
    "k8s",
    "p2p",
    "utf-8",
    "step-2",
    "ipv6",
    "3d",
    "b2b",
    "log4j",
    "checkout",
    "getUserById",
    "GetVat",
    "getS3Object",
    "Base64Encoder",
    "OAuth2Callback",
    "getUserV2ById",
    "well-known",
    "internationalization",
    "terms-and-conditions",
    "facade",
    "decade",
    "index.html",
    "main.js",
    ".well-known",
    "VatService",
    "vats.v1.VatService",
    "OrdersController#show",
    "Orders::Admin",
    "分类",
    "категория",
)

IDS = (
    "17",
    "-3",
    "1.5",
    "1,2,3",
    "10.0.0.1",
    "018f3c2e-7b1a-7c3d-9e4f-0123456789ab",
    "5f2b6c0e9d1a4b0012345678",
    "da39a3ee5e6b4b0d3255bfef",
    "deadbeefcafebabe",
    "0xfe12",
    "2026-11-30",
    "2026-11",
    "20261130",
    "2026-11-30T12:00:00Z",
    "anna@example.com",
    "anna%40example.com",
    "@anna",
    "~anna",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "cus_NffrFeUfNV2Hib",
    "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    "dQw4w9WgXcQ",
    "dGVzdA==",
    "dGVzdA%3D%3D",
    "V1StGXR8_Z5jdHi6B-myT",
    "user1234",
    "vat_42",
    "order-17",
    "red-shoes-4711",
    "2024-in-review",
    "INV-0017",
    "a3f9c2",
    "k3jd8fjq2l",
    "aGVsbG8gd29ybGQgdGhpcw",
    "fe80::1",
    "00:1a:2b:3c:4d:5e",
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_stays_a_word(word: str) -> None:
    assert path_template(f"/shop/{word}/list") == f"/shop/{word}/list"
    assert operation_template(f"GET /{word}") == f"GET /{word}"
    assert operation_template(word) == word


@pytest.mark.parametrize("identifier", IDS)
def test_an_id_is_no_part_of_the_name(identifier: str) -> None:
    assert path_template(f"/vats/{identifier}/taste") == "/vats/{id}/taste"
    assert operation_template(f"GET /vats/{identifier}") == "GET /vats/{id}"


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("GET /vats/17?full=1&page=2", "GET /vats/{id}"),
        ("GET https://shop.example:8443/vats/17", "GET /vats/{id}"),
        ("GET https://shop.example", "GET /"),
        ("HTTP GET /vats/17/", "HTTP GET /vats/{id}/"),
        ("GET api/vats/17", "GET api/vats/{id}"),
        ("GET /2.0/vats/17", "GET /2.0/vats/{id}"),
        ("GET /vats/2.5", "GET /vats/{id}"),
        ("/vats/17;jsessionid=ab12cd", "/vats/{id}"),
        ("/vats;v=2/list", "/vats/list"),
        ("GET /invoices/2026-0017.pdf", "GET /invoices/{id}.pdf"),
        ("GET /assets/app.3f2a9c1b.js", "GET /assets/app.{id}.js"),
        ("GET /2026/11/30/brewing", "GET /{id}/{id}/{id}/brewing"),
        ("GET /odata/Vats(17)/Taste", "GET /odata/Vats({id})/Taste"),
        ("GET /odata/Vats('ab')", "GET /odata/Vats({id})"),
        ("POST /v1/vats/17:drain", "POST /v1/vats/{id}:drain"),
        ("GET /rest/api/2/issue/TEA-17", "GET /rest/api/2/issue/{id}"),
        ("GET /map/z=12/x=5", "GET /map/z={id}/x={id}"),
        ("orders.17 publish", "orders.{id} publish"),
        ("process order 17", "process order {id}"),
        ("Job 018f3c2e-7b1a-7c3d-9e4f-0123456789ab", "Job {id}"),
        ("tea.v1.VatService/GetVat", "tea.v1.VatService/GetVat"),
        (
            "SELECT * FROM vats WHERE id = 17 AND name = 'Anna Bell'",
            "SELECT * FROM vats WHERE id = {id} AND name = {id}",
        ),
        ("INSERT INTO vats2 VALUES (1, 'a'), (2, 'b')", "INSERT INTO vats2 VALUES ({id})"),
        ("SELECT a FROM b WHERE c IN (1,2,3)", "SELECT a FROM b WHERE c IN ({id})"),
        ("query GetVat", "query GetVat"),
        ('{vat(id:17,name:"anna"){name}}', "{vat(id:{id},name:{id}){name}}"),
        ("", ""),
    ],
)
def test_names_of_every_kind_lose_their_ids(name: str, template: str) -> None:
    assert operation_template(name) == template


@pytest.mark.parametrize(
    "route",
    ["/vats/{id}", "/vats/:vat1234", "/vats/<int:id>", "/vats/[slug]", "/vats/*", "/**", "^vats/(?P<pk>[^/.]+)/$"],
)
def test_a_template_stays_as_it_is(route: str) -> None:
    assert path_template(route) == route
    assert operation_template(f"GET {route}") == f"GET {route}"


def test_a_template_of_a_template_is_the_same() -> None:
    for identifier in (*IDS, *WORDS):
        once = operation_template(f"GET /vats/{identifier}/x")
        assert operation_template(once) == once


def test_nearly_all_random_ids_of_usual_alphabets_are_told_from_words() -> None:
    draw = random.Random(3)
    alphabets = {
        "hexadecimal": ("0123456789abcdef", 24),
        "base62": (string.ascii_letters + string.digits, 22),
        "ULID": ("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26),
        "nanoid": (string.ascii_letters + string.digits + "_-", 21),
    }
    for alphabet, length in alphabets.values():
        ids = ["".join(draw.choices(alphabet, k=length)) for _ in range(2000)]
        assert sum(is_identifier(one) for one in ids) >= 1900
    assert all(is_identifier(str(uuid.UUID(int=draw.getrandbits(128)))) for _ in range(2000))
    assert all(is_identifier(str(number)) for number in range(2000))
