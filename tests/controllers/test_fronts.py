"""What is known to lead from outside to the proxies of a set."""

from __future__ import annotations

import pytest

from ingress_lint.routes.model import Front
from tests.controllers.conftest import Routes

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
"""
CONTROLLER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx}
spec:
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers: [{name: nginx, image: registry.k8s.io/ingress-nginx/controller:v1.12.1, ports: [{containerPort: 80}]}]
"""
AZURE = "{service.beta.kubernetes.io/azure-load-balancer-internal: 'true'}"
ALB = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: nginx, port: {number: 80}}}
"""


def _service(type_: str, annotations: str = "{}", app: str = "nginx") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: nginx, annotations: {annotations}}}\n"
        f"spec: {{type: {type_}, selector: {{app: {app}}}, ports: [{{port: 80}}]}}\n"
    )


def _fronts(routes: Routes, *documents: str) -> tuple[Front, ...]:
    found = routes(INGRESS, CONTROLLER, *documents)
    return next(route.fronts for route in found if route.owner.name == "shop")


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([_service("ClusterIP")], []),
        ([_service("LoadBalancer", app="other")], []),
        ([_service("LoadBalancer", AZURE)], [("Azure load balancer", True)]),
        ([_service("LoadBalancer")], [("the load balancer", False)]),
        ([_service("NodePort")], [("the load balancer", False)]),
        ([_service("NodePort"), ALB], [("ALB", True)]),
        ([_service("LoadBalancer"), ALB], [("ALB", True), ("the load balancer", False)]),
        ([_service("LoadBalancer", AZURE), ALB], [("ALB", True), ("Azure load balancer", True)]),
    ],
)
def test_fronts(routes: Routes, documents: list[str], expected: list[tuple[str, bool]]) -> None:
    found = _fronts(routes, *documents)
    assert [(front.gateway, front.backend is not None) for front in found] == expected
    assert all(front.service.name == "nginx" for front in found)
