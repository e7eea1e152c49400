"""What is known of Secrets with certificates, by what the set holds beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingress_lint.engine import read
from ingress_lint.manifests import Options
from ingress_lint.routes.tls_secrets import TLSSecrets
from ingress_lint.routes.verdicts import Certainty

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  tls: [{hosts: [shop.example.com], secretName: kept-tls}]
"""


def secret(name: str, namespace: str = "shop", more: str = "", data: str = "password: secret") -> str:
    return f"""
apiVersion: v1
kind: Secret
metadata: {{name: {name}, namespace: {namespace}}}
type: kubernetes.io/tls
stringData: {{{data}}}
{more}
"""


PAIR = "tls.crt: -----BEGIN CERTIFICATE-----, tls.key: -----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("documents", "assume", "certainty"),
    [
        ([], "auto", Certainty.UNKNOWN),
        ([], "complete", Certainty.KNOWN),
        ([], "partial", None),
        ([secret("database")], "auto", Certainty.UNKNOWN),
        ([secret("kept-tls", data=PAIR)], "auto", Certainty.KNOWN),
        ([secret("front-tsl", data=PAIR)], "auto", Certainty.LIKELY),
        ([secret("front-tls", "edge", data=PAIR)], "auto", Certainty.LIKELY),
        ([secret("front-tls", data=PAIR)], "auto", None),
        ([secret("front-tls", data="cert: a, key: b")], "auto", None),
        ([secret("front-tls", data="'tls.crt': '', 'tls.key': ''")], "auto", None),
        ([secret("front-tls")], "auto", Certainty.KNOWN),
        ([secret("front-tls", data="tls.crt: ${CERT}, tls.key: ${KEY}")], "auto", None),
        ([secret("front-tls", more="sops: {version: 3.9.0}")], "auto", None),
    ],
)
def test_certainty(tmp_path: Path, documents: list[str], assume, certainty: Certainty | None) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text("---".join([INGRESS, *documents]), encoding="utf-8")
    (held,) = read(Options((str(file),), assume=assume)).sets
    ingress = next(held.graph.ingresses)
    fault = TLSSecrets(held.graph).fault(ingress, "shop", "front-tls")
    assert (fault.certainty if fault else None) == certainty


@pytest.mark.parametrize(
    "annotation", ["cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme"]
)
def test_issuer(tmp_path: Path, annotation: str) -> None:
    file = tmp_path / "manifest.yaml"
    written = INGRESS.replace("namespace: shop}", f"namespace: shop, annotations: {{{annotation}: 'true'}}}}")
    file.write_text("---".join([written, secret("kept-tls", data=PAIR)]), encoding="utf-8")
    (held,) = read(Options((str(file),))).sets
    assert TLSSecrets(held.graph).fault(next(held.graph.ingresses), "shop", "front-tls") is None
