"""Listeners that clash or cannot open (gateway-api.sigs.k8s.io/reference/spec, GatewaySpec.listeners)."""

from __future__ import annotations

import base64

import pytest

from tests.controllers.gateway_api.conftest import GATEWAY, SERVICES, TO_BLUE, Load, gateway, route

CLASS = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: example.net/gateways}
"""
PEM = {
    "tls.crt": "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n",
    "tls.key": "-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n",
}


def secret(name: str = "cert", namespace: str = "shop", **data: str) -> str:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in (data or PEM).items()}
    lines = "\n".join(f"  {key}: {value}" for key, value in encoded.items())
    return f"""
apiVersion: v1
kind: Secret
metadata: {{name: {name}, namespace: {namespace}}}
type: kubernetes.io/tls
data:
{lines}
"""


def gateway_with(certificate: str) -> str:
    """Another Gateway, whose certificate is in the set."""
    listener = f"{{name: web, port: 443, protocol: HTTPS, tls: {{certificateRefs: [{{name: {certificate}}}]}}}}"
    return gateway(listener).replace("name: front", "name: other-front")


@pytest.mark.parametrize(
    ("listeners", "reasons"),
    [
        ("{name: a, port: 80, protocol: HTTP}\n{name: b, port: 80, protocol: HTTP, hostname: b.example}", []),
        ("{name: a, port: 80, protocol: HTTP}\n{name: b, port: 80, protocol: HTTP}", ["HostnameConflict"] * 2),
        ("{name: a, port: 80, protocol: HTTP}\n{name: b, port: 80, protocol: TCP}", ["ProtocolConflict"] * 2),
        ("{name: a, port: 80, protocol: TCP}\n{name: b, port: 80, protocol: TCP}", ["ProtocolConflict"] * 2),
        ("{name: a, port: 53, protocol: TCP}\n{name: b, port: 53, protocol: UDP}", []),
        ("{name: a, port: 80, protocol: HTTP}\n{name: b, port: 81, protocol: HTTP}", []),
        ("{name: a, port: 80, protocol: SMTP}", ["UnsupportedProtocol"]),
        ("{name: a, port: 80, protocol: example.net/smtp}", []),
        ("{name: a, port: 80, protocol: TCP, hostname: a.example}", ["UnsupportedValue"]),
        ("{name: a, port: 80, protocol: HTTP, tls: {mode: Terminate}}", ["UnsupportedValue"]),
        ("{name: a, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: TLSRoute}]}}", ["InvalidRouteKinds"]),
        ("{name: a, port: 443, protocol: HTTPS}", ["NoCertificate"]),
        ("{name: a, port: 443, protocol: HTTPS, tls: {options: {example.net/certificate: arn}}}", []),
        ("{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}", []),
        ("{name: a, port: 443, protocol: TLS, tls: {mode: Passthrough}}", []),
    ],
)
def test_listeners(load: Load, listeners: str, reasons: list[str]) -> None:
    world = load(CLASS, secret(), gateway(listeners))
    assert [reason for reason, *_ in world.verdicts] == reasons


def test_clashing_listeners_of_one_gateway_are_both_closed(load: Load) -> None:
    listeners = "{name: a, port: 80, protocol: HTTP}\n{name: b, port: 80, protocol: HTTP}"
    assert load(CLASS, SERVICES, gateway(listeners), route(TO_BLUE)).ask("http://shop.example/").outcome == "error"


def test_listener_set_loses_against_its_gateway(load: Load) -> None:
    listener_set = """
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: more, namespace: shop}
spec:
  parentRef: {name: front}
  listeners: [{name: extra, port: 80, protocol: TCP}]
"""
    allowing = gateway("{name: web, port: 80, protocol: HTTP}", more="  allowedListeners: {namespaces: {from: All}}")
    world = load(CLASS, SERVICES, allowing, listener_set, route(TO_BLUE))
    assert world.verdicts == [("ProtocolConflict", "more", "known")]
    assert world.verdict("ProtocolConflict").listener == "extra"
    assert world.backend("http://shop.example/") == "blue"


@pytest.mark.parametrize(
    ("certificate", "documents", "verdict"),
    [
        ("{name: other}", [secret()], ("InvalidCertificateRef", "unknown")),
        ("{name: other}", [secret(), gateway_with("cert")], ("InvalidCertificateRef", "known")),
        ("{name: certs}", [secret()], ("InvalidCertificateRef", "likely")),
        ("{name: cert}", [secret(namespace="vault")], ("InvalidCertificateRef", "likely")),
        ("{name: cert}", [secret().replace("kubernetes.io/tls", "Opaque")], ("InvalidCertificateRef", "likely")),
        ("{name: other}", [], ("InvalidCertificateRef", "unknown")),
        ("{name: cert}", [secret()], None),
        (
            "{name: cert}",
            [secret(**{"tls.crt": "hello", "tls.key": PEM["tls.key"]})],
            ("InvalidCertificateRef", "known"),
        ),
        ("{name: cert}", [secret(**{"tls.crt": PEM["tls.crt"]})], ("InvalidCertificateRef", "known")),
        ("{kind: ConfigMap, name: cert}", [secret()], ("InvalidCertificateRef", "known")),
        ("{group: example.net, kind: Vault, name: cert}", [secret()], ("InvalidCertificateRef", "likely")),
        ("{name: cert, namespace: vault}", [secret(namespace="vault")], ("RefNotPermitted", "known")),
        ("{name: cert, namespace: vault}", [secret()], ("RefNotPermitted", "unknown")),
        (
            "{name: made}",
            [
                secret(),
                """
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop}
spec: {secretName: made, dnsNames: [shop.example], issuerRef: {name: ca}}
""",
            ],
            None,
        ),
        (
            "{name: made}",
            [
                secret(),
                """
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: web, namespace: shop}
spec: {target: {name: made}}
""",
            ],
            None,
        ),
    ],
)
def test_certificates(load: Load, certificate: str, documents: list[str], verdict: tuple[str, str] | None) -> None:
    listener = f"{{name: web, port: 443, protocol: HTTPS, tls: {{certificateRefs: [{certificate}]}}}}"
    world = load(CLASS, *documents, gateway(listener))
    assert [(reason, certainty) for reason, _, certainty in world.verdicts] == ([verdict] if verdict else [])


def test_certificate_of_an_issuer_annotation_is_made_later(load: Load) -> None:
    listener = "{name: web, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: later}]}}"
    annotated = gateway(listener).replace(
        "namespace: shop}", "namespace: shop, annotations: {cert-manager.io/cluster-issuer: ca}}", 1
    )
    assert load(CLASS, secret(), annotated).verdicts == []


def frontend(validation: str) -> str:
    return f"  tls: {{frontend: {{default: {{validation: {validation}}}}}}}"


CA = """
apiVersion: v1
kind: ConfigMap
metadata: {name: ca, namespace: shop}
data: {ca.crt: pem}
"""
HTTPS = "{name: web, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("{group: '', kind: ConfigMap, name: ca}", None),
        ("{group: '', kind: ConfigMap, name: other}", "InvalidCACertificateRef"),
        ("{group: '', kind: Service, name: blue}", "InvalidCACertificateKind"),
        ("{group: '', kind: ConfigMap, name: ca, namespace: bank}", "RefNotPermitted"),
    ],
)
def test_client_certificates(load: Load, reference: str, reason: str | None) -> None:
    bank = CA.replace("shop", "bank")
    guarded = gateway(HTTPS, more=frontend(f"{{caCertificateRefs: [{reference}]}}"))
    world = load(CLASS, SERVICES, secret(), CA, bank, guarded, route(TO_BLUE))
    assert [found for found, *_ in world.verdicts] == ([reason] if reason else [])
    assert world.ask("https://shop.example/").outcome == "error"
    assert world.ask("https://shop.example/", client_certificate=True).outcome == ("error" if reason else "backend")


def test_client_certificates_may_be_optional(load: Load) -> None:
    optional = "{mode: AllowInsecureFallback, caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}"
    world = load(CLASS, SERVICES, secret(), CA, gateway(HTTPS, more=frontend(optional)), route(TO_BLUE))
    assert world.backend("https://shop.example/") == "blue"


def test_class_that_nobody_defines(load: Load) -> None:
    world = load(GATEWAY.replace("gatewayClassName: edge", "gatewayClassName: egde"))
    assert world.verdicts == [("NoGatewayClass", "front", "known")]
    assert world.text_at("NoGatewayClass") == "egde"


def test_class_that_is_called_as_usual_is_unknown(load: Load) -> None:
    world = load(GATEWAY.replace("gatewayClassName: edge", "gatewayClassName: eg"))
    assert world.verdicts == [("NoGatewayClass", "front", "unknown")]


@pytest.mark.parametrize("name", ["azure-alb-external", "gke-l7-global-external-managed", "istio"])
def test_class_that_an_installation_makes_is_there(load: Load, name: str) -> None:
    world = load(GATEWAY.replace("gatewayClassName: edge", f"gatewayClassName: {name}"))
    assert world.verdicts == []


def test_parameters_that_are_nowhere(load: Load) -> None:
    reference = "  infrastructure: {parametersRef: {group: example.net, kind: Tuning, name: fast}}"
    world = load(CLASS, gateway("{name: web, port: 80, protocol: HTTP}", more=reference))
    assert world.verdicts == [("InvalidParameters", "front", "unknown")]
