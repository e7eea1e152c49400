"""Every field that a version of the Gateway API serves is read without complaint, and a wrong one is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingress_lint.engine import Options, read

EVERYTHING = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec:
  controllerName: example.net/gateways
  description: all of them
  parametersRef: {group: example.net, kind: Tuning, name: fast, namespace: infra}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: edge
  addresses: [{type: IPAddress, value: 192.0.2.1}, {type: Hostname}]
  infrastructure: {labels: {a: b}, annotations: {c: d}, parametersRef: {group: example.net, kind: Tuning, name: fast}}
  backendTLS: {clientCertificateRef: {name: client}}
  listeners:
    - name: web
      port: 443
      protocol: HTTPS
      hostname: '*.example'
      tls:
        mode: Terminate
        certificateRefs: [{group: '', kind: Secret, name: cert, namespace: infra}]
        options: {example.net/min: '1.2'}
        frontendValidation: {caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}
      allowedRoutes:
        kinds: [{group: gateway.networking.k8s.io, kind: HTTPRoute}]
        namespaces:
          from: Selector
          selector: {matchExpressions: [{key: team, operator: In, values: [shop]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front, namespace: infra, sectionName: web, port: 443}]
  useDefaultGateways: None
  hostnames: [a.example]
  rules:
    - name: all
      matches:
        - path: {type: RegularExpression, value: /a.*}
          method: PATCH
          headers: [{type: RegularExpression, name: a, value: b.*}]
          queryParams: [{type: Exact, name: q, value: '1'}]
      filters:
        - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], add: [], remove: [c]}}
        - {type: ResponseHeaderModifier, responseHeaderModifier: {remove: [c]}}
        - {type: RequestMirror, requestMirror: {backendRef: {name: copy, port: 80}, fraction: {numerator: 1, denominator: 3}}}
        - type: CORS
          cors:
            allowOrigins: ['https://*.example']
            allowCredentials: true
            allowMethods: [GET]
            allowHeaders: [a]
            exposeHeaders: [b]
            maxAge: 60
        - type: ExternalAuth
          externalAuth:
            protocol: HTTP
            backendRef: {name: auth, port: 80}
            http: {path: /auth, allowedHeaders: [a], allowedResponseHeaders: [b]}
            forwardBody: {maxSize: 1024}
        - {type: ExtensionRef, extensionRef: {group: example.net, kind: Limit, name: slow}}
      backendRefs:
        - {group: '', kind: Service, name: web, namespace: shop, port: 80, weight: 1, filters: []}
      timeouts: {request: 10s, backendRequest: 1h1m1s1ms}
      retry: {codes: [500, 503], attempts: 2, backoff: 100ms}
      sessionPersistence:
        sessionName: a
        absoluteTimeout: 1h
        idleTimeout: 5m
        type: Cookie
        cookieConfig: {lifetimeType: Permanent}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: GRPCRoute
metadata: {name: calls}
spec:
  parentRefs: [{name: front}]
  rules: [{matches: [{method: {type: Exact, service: a.B, method: C}, headers: [{name: a, value: b}]}]}]
---
apiVersion: gateway.networking.k8s.io/v1alpha3
kind: BackendTLSPolicy
metadata: {name: tls}
spec:
  targetRefs: [{group: '', kind: Service, name: web, sectionName: https}]
  validation:
    wellKnownCACertificates: System
    hostname: web.example
    subjectAltNames: [{type: Hostname, hostname: web.example}, {type: URI, uri: 'spiffe://web'}]
  options: {example.net/min: '1.2'}
"""


def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    monkeypatch.chdir(tmp_path)
    Path("manifest.yaml").write_text(text, encoding="utf-8")
    return [problem.message for problem in read(Options(paths=["manifest.yaml"])).problems]


def test_every_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(tmp_path, monkeypatch, EVERYTHING) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("gatewayClassName: edge", "gatewayClass: edge"),
        ("port: 443\n", "port: '443'\n"),
        ("weight: 1", "weight: -1"),
        ("type: RegularExpression, value: /a.*", "type: Prefix, value: /a.*"),
        ("request: 10s", "request: 10"),
        ("method: PATCH", "method: patch"),
    ],
)
def test_wrong_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str) -> None:
    assert right in EVERYTHING
    assert problems(tmp_path, monkeypatch, EVERYTHING.replace(right, wrong))
