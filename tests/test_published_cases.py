"""Requests of published conformance suites, which must not be answered worse than they were.

The cases are kept apart; INGRESS_LINT_CASES names their folder. A suite's folder holds one folder a test, with
`manifests.yaml` and `cases.json`: `requests` with what the suite expects, `statuses` that must be false and why, and the
Secrets that the suite generates. `published_cases.json` records how many answers are right; raise it with what you get.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.commands.following import Follower
from ingress_lint.commands.options import Given
from ingress_lint.engine import Options, check
from ingress_lint.output.trace_json import Encoder
from ingress_lint.packs import load_rules
from ingress_lint.tracing.asking import asked_item

_NAMED = os.environ.get("INGRESS_LINT_CASES", "")
_FOLDER = Path(_NAMED).resolve()
_RECORDED = json.loads((Path(__file__).parent / "published_cases.json").read_text(encoding="utf-8"))

pytestmark = [
    pytest.mark.skipif(not _NAMED, reason="INGRESS_LINT_CASES names no folder of published cases"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates of the cases"),
]

_ANY_FAULT = frozenset({"IL002", "IL101", "IL105", "IL106", "IL112", "IL113", "IL114", "IL401", "IL409", "IL410"})
_CODES = {
    "RefNotPermitted": {"IL113"},
    "NoMatchingParent": {"IL112"},
    "NotAllowedByListeners": {"IL112"},
    "NoMatchingListenerHostname": {"IL112"},
    "NotAllowed": {"IL112", "IL114"},
    "BackendNotFound": {"IL401"},
    "InvalidKind": {"IL410", "IL401"},
    "InvalidRouteKinds": {"IL114"},
    "InvalidCertificateRef": {"IL105", "IL106", "IL113"},
    "InvalidClientCertificateRef": {"IL105", "IL106", "IL113"},
    "NoValidCACertificate": {"IL105", "IL106", "IL502"},
    "InvalidCACertificateRef": {"IL105", "IL106", "IL113", "IL502"},
    "InvalidCACertificateKind": {"IL105", "IL106", "IL502"},
    "ListenersNotValid": {"IL105", "IL106", "IL112", "IL113", "IL114"},
    "ProtocolConflict": {"IL114"},
    "HostnameConflict": {"IL114"},
    "Conflicted": {"IL114", "IL502"},
    "UnsupportedProtocol": {"IL002", "IL114"},
    "UnsupportedValue": {"IL002", "IL114"},
    "UnsupportedAddress": {"IL002", "IL114"},
    "InvalidParameters": {"IL101"},
}
"""For the reason of a false condition the codes of which one must be reported on its object."""


@pytest.mark.parametrize("suite", sorted(_RECORDED))
def test_requests(suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: list[str] = []
    right = 0
    for folder, cases in _tests(suite, tmp_path):
        wanted = [case for case in cases["requests"] if "runtime-behaviour" not in case["tags"]]
        if not wanted:
            continue
        monkeypatch.chdir(folder)
        follower = Follower(Given((str(folder),)))
        encoder = Encoder(follower.locator)
        for position, case in enumerate(wanted):
            [followed] = follower.follow(asked_item({"id": case["id"], **case["request"]}, position))
            why = difference(case, encoder.encode(followed.trace, followed.findings))
            right += why is None
            wrong += [f"{case['id']}: {why}"] if why else []
    print("\n".join(wrong))
    assert right >= _RECORDED[suite]["requests"], "\n".join(wrong)


@pytest.mark.parametrize("suite", sorted(name for name, counts in _RECORDED.items() if counts.get("statuses")))
def test_statuses(suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: list[str] = []
    right = 0
    rules = load_rules()
    for folder, cases in _tests(suite, tmp_path):
        if not cases["statuses"]:
            continue
        monkeypatch.chdir(folder)
        findings = check(Options(paths=["."]), rules).findings
        for case in cases["statuses"]:
            item, reason = case["object"], case["condition"]["reason"]
            found = {
                finding.code
                for finding in findings
                if finding.object is not None
                and (finding.object.kind, finding.object.name) == (item["kind"], item["name"])
                and (finding.object.namespace or "default") == (item.get("namespace") or "default")
            }
            if found & _CODES.get(reason or "", _ANY_FAULT):
                right += 1
            else:
                wrong.append(f"{case['id']}: {item['kind']} {item['name']}: {reason}: {sorted(found)}")
    assert right >= _RECORDED[suite]["statuses"], "\n".join(wrong)


def _tests(suite: str, tmp_path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every test of a suite: a folder with its manifests and the Secrets that it generates, and its cases."""
    root = _FOLDER / "routing" / suite
    for source in sorted(path for path in root.iterdir() if path.is_dir()):
        cases = json.loads((source / "cases.json").read_text(encoding="utf-8"))
        folder = tmp_path / source.name
        folder.mkdir()
        shutil.copy(source / "manifests.yaml", folder)
        for number, wish in enumerate(cases["generate"]):
            secret = {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "kubernetes.io/tls",
                "metadata": {"namespace": wish["namespace"], "name": wish["name"]},
                "data": _certificate(tuple(wish["hosts"])),
            }
            (folder / f"secret-{number}.json").write_text(json.dumps(secret), encoding="utf-8")
        yield folder, cases


@cache
def _certificate(hosts: tuple[str, ...]) -> dict[str, str]:
    names = ",".join(("URI:" if "://" in host else "DNS:") + host for host in hosts) or "DNS:example.com"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /O=Example"
    made = subprocess.run(
        ["openssl", *options.split(), "-addext", f"subjectAltName={names}", "-keyout", "-", "-out", "-"],
        check=True,
        capture_output=True,
    ).stdout
    key, marker, certificate = made.partition(b"-----BEGIN CERTIFICATE-----")
    parts = {"tls.key": key, "tls.crt": marker + certificate}
    return {name: base64.b64encode(text).decode() for name, text in parts.items()}


# -- what a suite expects, against an answer --------------------------------------------------------------------------


def difference(case: dict[str, Any], got: dict[str, Any]) -> str | None:
    """What an answer has otherwise than the suite expects, None where it is right."""
    want, outcome = case["expected"], got["outcome"]
    failed = want.get("error") in ("connection_rejected", "tls_request_failure")
    if failed or want.get("grpc_code_not") or want.get("status_not"):
        return None if outcome in ("error", "no-route") else f"expected a failure, got {outcome} {got['status']}"
    if want.get("error"):
        return None if got["status"] != 200 else f"expected {want['error']}, got 200"
    if want.get("grpc_code") == "Unimplemented":
        return None if outcome == "no-route" else f"expected no route, got {outcome}"
    followed = "redirect-followed" in case["tags"] and outcome == "redirect"
    return (
        _status(want, got, followed=followed)
        or (None if followed else _backend(want, got))
        or _redirect(want, got)
        or (_upstream(want, got) if outcome == "backend" else None)
        or _mirrors(want, got)
    )


def _status(want: dict[str, Any], got: dict[str, Any], *, followed: bool) -> str | None:
    statuses = want.get("status") or []
    if not statuses:
        return None
    if any(status < 300 for status in statuses):
        right = got["outcome"] == "backend" or followed
        return None if right else f"expected a backend, got {got['outcome']} {got['status']}"
    return None if got["status"] in statuses else f"expected status {statuses}, got {got['status']}"


def _backend(want: dict[str, Any], got: dict[str, Any]) -> str | None:
    backends = [backend for backend in got["backends"] if backend["share"] > 0]
    if want.get("weights"):
        shares = {backend["name"]: backend["share"] for backend in backends}
        near = all(abs(shares.get(name, 0) - share) < 0.02 for name, share in want["weights"].items())
        return None if near else f"expected shares {want['weights']}, got {shares}"
    if not want.get("backend"):
        return None
    for backend in backends:
        if backend["name"] == want["backend"] and want.get("namespace") in (None, backend["namespace"]):
            return None
    return f"expected backend {want['backend']}, got {[backend['name'] for backend in backends]}"


def _redirect(want: dict[str, Any], got: dict[str, Any]) -> str | None:
    redirect = got["redirect"] or {}
    for part in ("scheme", "host", "path", "port"):
        expected = (want.get("redirect") or {}).get(part)
        if expected and str(redirect.get(part)) != str(expected):
            return f"expected redirect {part} {expected}, got {redirect.get(part)}"
    return None


def _upstream(want: dict[str, Any], got: dict[str, Any]) -> str | None:
    upstream, sent = got["upstream"] or {}, want.get("backend_request") or {}
    for part in ("host", "path"):
        if sent.get(part) and upstream.get(part) != sent[part]:
            return f"expected upstream {part} {sent[part]}, got {upstream.get(part)}"
    headers = upstream.get("headers") or {}
    for name, value in (sent.get("headers") or {}).items():
        if name.lower() != "host" and headers.get(name.lower()) != value:
            return f"expected upstream header {name}: {value}, got {headers.get(name.lower())}"
    for name in sent.get("absent_headers") or []:
        if name.lower() in headers:
            return f"expected no upstream header {name}"
    return None


def _mirrors(want: dict[str, Any], got: dict[str, Any]) -> str | None:
    names = {mirror["name"] for mirror in got["mirrors"]}
    for mirror in want.get("mirrored_to") or []:
        if mirror["name"] not in names:
            return f"expected a mirror to {mirror['name']}"
    return None
