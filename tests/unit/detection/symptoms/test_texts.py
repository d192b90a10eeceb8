"""A line's words tell which symptom it names, and whom."""

from __future__ import annotations

import pytest

from detection.symptoms import named_in, symptoms_of_text
from detection.types import SymptomKind


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("javax.net.ssl.SSLHandshakeException: PKIX path validation failed", SymptomKind.CERTIFICATE),
        ("dial tcp: lookup orders.svc on 10.0.0.2:53: no such host", SymptomKind.NAME_LOOKUP),
        ("HikariPool-1 - Connection is not available, request timed out after 30000ms", SymptomKind.CONNECTIONS),
        ("could not connect: query_wait_timeout", SymptomKind.CONNECTIONS),
        ("topic watermark 40s behind", SymptomKind.QUEUE),
        ("accept: too many open files", SymptomKind.FILE_HANDLES),
        ("write /var/lib/data: no space left on device", SymptomKind.DISK),
        ("java.lang.OutOfMemoryError: Java heap space", SymptomKind.MEMORY),
        ("ERROR: deadlock detected", SymptomKind.LOCKS),
        ('ERROR: column "currency" does not exist', SymptomKind.SCHEMA),
        ("json: cannot unmarshal string into Go struct field Order.total", SymptomKind.DECODING),
        ("TypeError: Cannot read properties of undefined (reading 'id')", SymptomKind.CRASH),
        ("Back-off restarting failed container api", SymptomKind.RESTARTS),
        ("429 Too Many Requests", SymptomKind.THROTTLED),
        ("over limit: descriptor=tenant:small", SymptomKind.THROTTLED),
        ("context deadline exceeded", SymptomKind.TIMEOUTS),
        ("401 Unauthorized: token expired", SymptomKind.AUTHENTICATION),
        ("the access key expired yesterday", SymptomKind.AUTHENTICATION),
        ("role reader is not authorized to perform kms:Decrypt", SymptomKind.AUTHENTICATION),
        ("no key matches kid 7 in the key set", SymptomKind.AUTHENTICATION),
    ],
)
def test_a_line_names_its_symptom(line: str, kind: SymptomKind) -> None:
    assert kind in symptoms_of_text(line)


@pytest.mark.parametrize("line", ["handled request", "order 4711 shipped", "server started on port 8080", ""])
def test_a_line_about_ordinary_work_names_none(line: str) -> None:
    assert symptoms_of_text(line) == frozenset()


def test_a_line_names_services_by_whole_words_with_or_without_port_and_pod_ending() -> None:
    names = ["cart", "cart-db", "payments", "node-7"]

    assert named_in("cart-db refused: payments.svc:8443", names) == {"cart-db", "payments"}
    assert named_in("evicted pod/cart-7f9c from node-7", names) == {"cart", "node-7"}
    assert named_in("cartography is fun", names) == frozenset()
