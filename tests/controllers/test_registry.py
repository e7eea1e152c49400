"""The table of controllers agrees with the controllers themselves, and imports none before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ingress_lint.controllers.registry import REGISTRY, Registration, claiming_controller

EVERY = pytest.mark.parametrize("registered", REGISTRY.values(), ids=lambda registered: registered.name)


@EVERY
def test_names_agree(registered: Registration) -> None:
    assert registered.controller.name == registered.name


@EVERY
def test_prefixes_agree_with_the_tables(registered: Registration) -> None:
    controller = registered.controller
    assert set(registered.prefixes) == controller.annotations.own_prefixes
    assert {*registered.prefixes, *registered.shared_prefixes} == set(controller.annotations.prefixes)
    balancers = controller.service_annotations
    assert set(registered.balancer_prefixes) == set(balancers.prefixes if balancers is not None else ())
    own = balancers.own_prefixes if balancers is not None else frozenset()
    assert own == (frozenset() if registered.shares_balancer_prefixes else set(registered.balancer_prefixes))


@pytest.mark.parametrize(
    ("controller", "name"),
    [
        ("k8s.io/ingress-nginx", "ingress-nginx"),
        ("k8s.io/internal-ingress-nginx", "ingress-nginx"),
        ("ingress-nginx", "ingress-nginx"),
        ("ingress-nginx.example.com/other", "ingress"),
        ("ingress.k8s.aws/alb", "aws-load-balancer-controller"),
        ("nginx.org/ingress-controller", "nginx-ingress"),
        ("haproxy-ingress.github.io/controller/blue", "haproxy-ingress"),
        ("haproxy.org/ingress-controller/blue", "haproxy"),
        ("projectcontour.io/anything", "contour"),
        ("projectcontour.io/gateway-controller", "ingress"),
        ("example.com/traefik", "ingress"),
    ],
)
def test_ingress_class_controllers(controller: str, name: str) -> None:
    assert claiming_controller(controller) == name


@pytest.mark.parametrize(
    ("image", "names"),
    [
        ("registry.k8s.io/ingress-nginx/controller:v1.14.0@sha256:0123", ["ingress-nginx"]),
        ("registry.example.com:5000/bitnami/nginx-ingress-controller", ["ingress-nginx"]),
        ("nginx/nginx-ingress:3.7.0-alpine", ["nginx-ingress"]),
        ("traefik", ["traefik"]),
        ("docker.io/library/traefik:v3.1", ["traefik"]),
        ("example.com/my-traefik:1", ["traefik"]),
        ("example.com/traefik-dashboard:1", []),
        ("kong/kubernetes-ingress-controller:3.4", ["kong"]),
        ("example.com/hongkong:1", []),
        ("traefik:5000/shop/web", []),
        ("", []),
    ],
)
def test_images(image: str, names: list[str]) -> None:
    assert [name for name, registered in REGISTRY.items() if registered.runs(image)] == names


@pytest.mark.parametrize(
    ("class_name", "by_field", "names"),
    [
        ("nginx", True, ["ingress-nginx", "nginx-ingress"]),
        ("gce", True, []),
        ("gce", False, ["gke"]),
        ("traefik-internal", True, ["traefik"]),
        ("internal-kong", True, ["kong"]),
        ("kong/internal", True, []),
        ("azure/application-gateway", False, ["agic"]),
    ],
)
def test_class_names(class_name: str, by_field: bool, names: list[str]) -> None:
    claiming = [name for name, found in REGISTRY.items() if found.claims_class(class_name, by_field=by_field)]
    assert claiming == names


def test_a_set_imports_the_controllers_that_it_needs_alone() -> None:
    code = (
        "import sys\n"
        "from ingress_lint.engine import read\n"
        "from ingress_lint.manifests import Options\n"
        "read(Options(['tests/fixtures/IL402/bad/number']))\n"
        "print(*sorted({name.split('.')[2] for name in sys.modules if name.startswith('ingress_lint.controllers.')}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ingress_nginx", "lowering", "refusals", "registry", "shared"]
