"""Where a health check arrives, and which codes it takes."""

from __future__ import annotations

from typing import Any

import pytest

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Document, SourceFile
from ingress_lint.objects.reading import ObjectReader
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.health import accepts, code_ranges, landings
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, TargetKind

_FILE = SourceFile("test.yaml", "")


def _graph(service: dict[str, Any], containers: list[dict[str, Any]]) -> ObjectGraph:
    values: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"containers": containers},
        },
    ]
    documents = [Document(_FILE, i, 0, 0, value["kind"], value, parsed=True) for i, value in enumerate(values)]
    return ObjectGraph(ObjectReader().read(documents))


def _landings(target: TargetKind, port: int | None, **service: Any):
    ports = [
        {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080},
        {"name": "status", "port": 81, "targetPort": "status", "nodePort": 30081},
    ]
    graph = _graph(
        {"type": "NodePort", "selector": {"app": "web"}, "ports": ports, **service},
        [
            {
                "name": "web",
                "ports": [{"containerPort": 8080}, {"name": "status", "containerPort": 9000}],
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
                "livenessProbe": {"httpGet": {"path": "/live", "port": "status"}},
            }
        ],
    )
    item = next(iter(graph.services))
    place = item.name_place

    def default(value: Any) -> Sourced[Any]:
        return Sourced(value, Origin.DEFAULT, place)

    check = HealthCheck(
        by="load balancer",
        protocol=default("HTTP"),
        path=default("/"),
        port=default(port) if port else None,
        codes=None,
        target=target,
        resolved_port=port,
    )
    backend = BackendRef(
        place=place,
        kind="Service",
        group="",
        namespace="default",
        name="web",
        port=default(80),
        service=Resolution(Existence.FOUND, item),
        service_port=BackendResolver(graph).port(item, 80),
        protocol=default(AppProtocol.HTTP),
        target=default(target),
        health_check=check,
    )
    return landings(backend)


@pytest.mark.parametrize(
    ("target", "port", "number"),
    [
        (TargetKind.POD, None, 8080),
        (TargetKind.POD, 9000, 9000),
        (TargetKind.NODE, None, 8080),
        (TargetKind.NODE, 30081, 9000),
        (TargetKind.NODE, 9000, None),
        (TargetKind.NODE_OR_POD, 30081, 9000),
        (TargetKind.NODE_OR_POD, 9000, 9000),
    ],
)
def test_where_it_arrives(target: TargetKind, port: int | None, number: int | None) -> None:
    found = _landings(target, port)
    assert [landing.number for landing in found] == ([number] if number else [])


def test_nothing_arrives_without_a_node_port() -> None:
    assert _landings(TargetKind.NODE, None, type="ClusterIP") == ()


def test_what_is_known_there() -> None:
    (landing,) = _landings(TargetKind.POD, None)
    assert [answer.path for answer in landing.here] == ["/ready"]
    assert [answer.path for answer in landing.elsewhere] == ["/live"]
    assert landing.on_traffic_port
    assert landing.port_known
    assert not _landings(TargetKind.POD, 7000)[0].port_known


@pytest.mark.parametrize(
    ("codes", "ranges"),
    [
        ("200", ((200, 200),)),
        ("200,204", ((200, 200), (204, 204))),
        (" 200-399 , 401", ((200, 399), (401, 401))),
        ("0-99", ((0, 99),)),
        ("2xx", None),
        ("", None),
        ("200,", None),
    ],
)
def test_codes(codes: str, ranges: tuple[tuple[int, int], ...] | None) -> None:
    assert code_ranges(codes) == ranges


def test_accepts_200_where_nothing_is_said() -> None:
    (landing,) = _landings(TargetKind.POD, None)
    place = landing.workload.object.name_place
    check = HealthCheck("load balancer", Sourced("HTTP", Origin.DEFAULT, place), None, None, None)
    assert accepts(check, 200)
    assert not accepts(check, 301, 404)
