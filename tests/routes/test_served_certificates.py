"""What clients get where a proxy looks at the certificates of pods."""

from __future__ import annotations

import pytest

from ingress_lint.controllers.lowering.entries import entries
from ingress_lint.engine import Options, read
from ingress_lint.routes.answering import answer
from ingress_lint.tracing.asking import asked
from tests.conftest import FIXTURES


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("bad/backend-policy-asks-for-another-name", 503),
        ("bad/backend-policy-asks-for-other-identities", 503),
        ("good/backend-policy-asks-for-its-name", 200),
        ("good/backend-policy-asks-for-one-of-its-names", 200),
        ("good/backend-serves-an-unknown-certificate", 200),
        ("good/backend-certificate-renewed-by-cert-manager", 200),
    ],
)
def test_status(case: str, status: int) -> None:
    (held,) = read(Options(paths=[str(FIXTURES / "IL106" / case)])).sets
    (entry,) = entries(held.graph, held.routes, held.frontends)
    got = answer(asked("http://search.example.com/").request, entry.table, held.graph)
    assert got.status == status, got.why
