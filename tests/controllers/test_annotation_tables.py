"""What the tables of annotations know: keys with wildcards, legal values, keys meant by misspelt prefixes."""

from __future__ import annotations

import pytest

from ingress_lint.controllers.refusals.annotation_owners import AnnotationOwners
from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType

OWNERS = AnnotationOwners()


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("nginx.ingress.kubernetes.io/rewrite-target", True),
        ("nginx.ingress.kubernetes.io/rewrite_target", False),
        ("alb.ingress.kubernetes.io/actions.ssl-redirect", True),
        ("alb.ingress.kubernetes.io/listener-attributes.HTTPS-443", True),
        ("traefik.ingress.kubernetes.io/router.tls.domains.0.main", True),
        ("traefik.ingress.kubernetes.io/router.entryPoints", True),
        ("traefik.ingress.kubernetes.io/router.unheard-of", False),
        ("konghq.com/headers.x-tenant", True),
        ("cloud.google.com/backend-config", True),
        ("cert-manager.io/cluster-issuer", False),
    ],
)
def test_known_keys(key: str, known: bool) -> None:
    assert (OWNERS.knowing(key) is not None) == known


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (ValueType.INTEGER, "300", None),
        (ValueType.INTEGER, "300s", "a whole number"),
        (ValueType.SIZE, "8m", None),
        (ValueType.SIZE, "8Mi", "a size such as `8m`"),
        (ValueType.BOOLEAN, "True", None),
        (ValueType.BOOLEAN, "yes", "`true` or `false`"),
        (ValueType.JSON, '[{"HTTP": 80}]', None),
        (ValueType.JSON, "[{HTTP: 80}]", "JSON"),
        (ValueType.ENUM, "one", None),
        (ValueType.ENUM, "three", "`one` or `two`"),
        (ValueType.DURATION, "whatever it says", None),
    ],
)
def test_values(kind: ValueType, value: str, wanted: str | None) -> None:
    legal = ("one", "two") if kind is ValueType.ENUM else ()
    assert AnnotationSpec("key", kind, legal=legal).wanted(value) == wanted


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("alb.ingress.kuberentes.io/scheme", "alb.ingress.kubernetes.io/scheme"),
        ("nginx.ingress.kubernetes.io.app-root", "nginx.ingress.kubernetes.io/app-root"),
        ("nginx.ingress.kubernets.io/unheard-of", None),
        ("ingress.kubernetes.io/app-root", None),
        ("nginx.example.com/app-root", None),
        ("app-root", None),
    ],
)
def test_misspelt_prefixes(key: str, meant: str | None) -> None:
    found = OWNERS.meant(key, Scope.INGRESS)
    assert (found[1] if found else None) == meant


def test_nearest_key_counts_on_the_same_kind() -> None:
    table = AnnotationTable(
        ("example.com",),
        (AnnotationSpec("proxy-body-size"), AnnotationSpec("proxy-body-sizes", scopes=frozenset({Scope.CONFIG_MAP}))),
    )
    assert table.nearest("example.com/proxy-boddy-size", Scope.INGRESS) == "example.com/proxy-body-size"
    assert table.nearest("example.com/something-else", Scope.INGRESS) is None


def test_every_legal_value_is_taken() -> None:
    for registered in REGISTRY.values():
        for spec in registered.controller.annotations.specs.values():
            assert all(spec.wanted(value) is None for value in spec.legal), spec.key


def test_every_table_says_when_it_was_read() -> None:
    controllers = [registered.controller for registered in REGISTRY.values()]
    tables = {table for found in controllers for table in (found.annotations, found.service_annotations) if table}
    assert [table.prefixes for table in tables if table.specs and not table.as_of] == []
