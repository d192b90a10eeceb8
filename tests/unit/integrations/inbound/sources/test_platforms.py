"""Names that change from one run, day or pod to the next give the name that lasts."""

from __future__ import annotations

import pytest

from integrations.inbound.sources.kubernetes import workload_of_pod
from integrations.inbound.sources.log_groups import service_of_group
from integrations.inbound.sources.units import service_of_index


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("till-7d9f8c6b5-x2x9z", "till"),
        ("card-reader-5d59d67564-h7k2m", "card-reader"),
        ("card-reader-zxcvbnmkl-h7k2m", "card-reader"),
        ("node-exporter-b7kzq", "node-exporter"),
        ("db-0", "db"),
        ("backup-28391234-x2x9z", "backup"),
        ("till-7d9", "till-7d9"),
        ("card-backend-proxy", "card-backend-proxy"),
        ("card-backend-x2x9z", "card-backend"),
        ("etcd-node", "etcd-node"),
        ("till", "till"),
        ("recount-28391040-aeiou", "recount"),
        ("vat-5d78c9869d-aloha", "vat"),
        ("vat-00012-deployment-6f5d8c7b9-kq2xw", "vat"),
        ("cave-httpd", "cave-httpd"),
        ("whey-sftpd", "whey-sftpd"),
        ("market-2026plan-sheet", "market-2026plan-sheet"),
    ],
)
def test_a_pod_belongs_to_its_workload(pod: str, workload: str) -> None:
    assert workload_of_pod(pod) == workload


HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("group", "stream", "service"),
    [
        ("/aws/lambda/pay", "2026/02/07/[$LATEST]f0", "pay"),
        ("/ecs/pay", "ecs/web/0123456789abcdef0123456789abcdef", "pay"),
        ("/ecs/pay/prod", "", "pay"),
        ("/ecs", "ecs/web/0123456789abcdef0123456789abcdef", "web"),
        ("shop", "", "shop"),
        ("/prod/shop", "", "shop"),
        ("/aws/rds/instance/orders/postgresql", "orders.0", "orders"),
        ("/aws/rds/cluster/orders/error", "x", "orders"),
        ("/aws/elasticbeanstalk/shop-env/var/log/web.stdout.log", "i-1", "shop-env"),
        ("/aws/eks/farm/cluster", "kube-apiserver-0123456789abcdef", "kube-apiserver"),
        ("API-Gateway-Execution-Logs_a1b2/prod", "x", "API-Gateway-Execution-Logs_a1b2"),
        ("/aws/batch/job", "nightly/default/0123456789abcdef0123456789abcdef", "nightly"),
        (
            "/aws/containerinsights/farm/application",
            f"ip-10-0-0-1-application.var.log.containers.till-7d9f8c6b5-x2x9z_shop_till-{HASH}.log",
            "till",
        ),
        ("/aws/apprunner/vat/0123456789abcdef0123456789abcdef/service", "x", "vat"),
        ("/aws/lambda/eu-west-1.vat", "x", "vat"),
        ("/aws-glue/jobs/error", "jr_1", "aws-glue"),
        ("/aws/containerinsights/farm/performance", "x", "farm-performance"),
        ("", "", None),
    ],
)
def test_a_log_group_is_of_the_service_that_writes_it(group: str, stream: str, service: str | None) -> None:
    assert service_of_group(group, stream) == service


@pytest.mark.parametrize(
    ("index", "service"),
    [
        ("till-2026.02.07", "till"),
        ("filebeat-8.12.0-2026.02.07-000001", "filebeat-8.12.0"),
        (".ds-logs-till-default-2026.02.07-000003", "till"),
        ("logs-generic-default", "logs-generic-default"),
        ("logstash-2026.02", "logstash"),
        ("till", "till"),
        ("till-000004", "till"),
    ],
)
def test_an_index_of_each_day_is_one_service(index: str, service: str) -> None:
    assert service_of_index(index) == service
