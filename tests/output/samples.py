"""Hand-built reports: an ordinary one, an empty one, and one full of text that wants to break out."""

from __future__ import annotations

import sys
from types import ModuleType

from ingress_lint.finding import Hop, Severity
from ingress_lint.load.document import SourceFile
from ingress_lint.load.positions import Location
from ingress_lint.report import ObjectRef, PathSpot, Report, ReportedFinding, Spot, Summary
from ingress_lint.rule import Rule, RuleEntry
from ingress_lint.units.plan import Unit

INGRESS = SourceFile(
    "shop/ingress.yaml",
    """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: instance
    alb.ingress.kubernetes.io/healthcheck-path: /
spec:
  ingressClassName: alb
---
apiVersion: v1
kind: Service
metadata: {name: web}
""",
)
DEPLOYMENT = SourceFile(
    "shop/deployment.yaml",
    """\
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: web
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
""",
)
HOSTILE = SourceFile(
    "odd dir/a:b,c%0A\n[x]<é>.yaml",
    "kind: Service\n"
    'name: "\x1b[31mred\u202e" # \t漢字e\u0301 here\n'
    "data: "
    + "x" * 300
    + " needle "
    + "漢" * 200
    + "\n"
    + "list:\n"
    + "".join(f"  - {number}\n" for number in range(9))
    + "end: true\n",
)


def rule(code: str, name: str, severity: Severity, summary: str, documentation: str) -> RuleEntry:
    """A rule whose module holds only its page."""
    module = ModuleType(f"sample_{code}", documentation)
    sys.modules[module.__name__] = module
    described = {"code": code, "name": name, "severity": severity, "summary": summary, "__module__": module.__name__}
    return RuleEntry.of(type("SampleRule", (Rule,), described))


RULES = (
    rule(
        "IL201",
        "health-check-path-mismatch",
        Severity.ERROR,
        "a health check asks for a path that the pod does not serve",
        "## What it does\nCompares the path that is checked\nwith the probe's.\n\n## Fix\nSet `healthcheck-path`.",
    ),
    rule("IL305", "keep-alive", Severity.WARNING, "idle connections close early", ""),
    rule(
        "IL405",
        "service-unused",
        Severity.NOTE,
        "no route leads to it",
        "## What it does\nLooks for routes.",
    ),
)


def at(file: SourceFile, text: str, pointer: str = "") -> Location:
    """Where `text` first stands in `file`."""
    start = file.text.index(text)
    return Location(file.path, *file.line_and_column(start), *file.line_and_column(start + len(text)), pointer)


def finding(code: str, location: Location, message: str, **more: object) -> ReportedFinding:
    rule = next(rule for rule in RULES if rule.code == code)
    fields: dict[str, object] = {
        "code": code,
        "name": rule.name,
        "severity": rule.severity,
        "hop": rule.hop,
        "message": message,
        "object": None,
        "location": location,
        "related": (),
        "path": (),
        "fix": "",
        "identity": f"{code}-{location.line}",
    }
    return ReportedFinding(**(fields | more))  # type: ignore[arg-type]


_INGRESS_REF = ObjectRef("networking.k8s.io/v1", "Ingress", "shop", "shop")
_DEPLOYMENT_REF = ObjectRef("apps/v1", "Deployment", "shop", "web")
_CHECKED = at(INGRESS, "healthcheck-path: /", "/metadata/annotations/alb.ingress.kubernetes.io~1healthcheck-path")
_PROBE = at(DEPLOYMENT, "/healthz", "/spec/template/spec/containers/0/readinessProbe/httpGet/path")

ORDINARY = Report(
    findings=(
        finding(
            "IL201",
            _CHECKED,
            "the ALB checks `/` while pods of Deployment `web` are ready at `/healthz`; targets turn unhealthy",
            object=_INGRESS_REF,
            related=(Spot("the readiness probe asks here", _DEPLOYMENT_REF, _PROBE),),
            path=(
                PathSpot(Hop.CLIENT, "client", "a client asks for shop.example.com/", None, _CHECKED, False),
                PathSpot(Hop.LOAD_BALANCER, "ALB", "the ALB checks /", _INGRESS_REF, _CHECKED, False),
                PathSpot(Hop.NODE, "NodePort 30080", "it sends the packet to a node", None, _CHECKED, False),
                PathSpot(Hop.POD, "pod web:8080", "the pod answers 404", _DEPLOYMENT_REF, _PROBE, True),
            ),
            fix="set `alb.ingress.kubernetes.io/healthcheck-path: /healthz`",
            proof="ingress-lint runbook --url http://shop.example.com/ manifests",
        ),
        finding(
            "IL305",
            at(INGRESS, "ingressClassName: alb", "/spec/ingressClassName"),
            "the ALB keeps idle connections longer than the pod",
            object=_INGRESS_REF,
        ),
        finding(
            "IL305",
            at(INGRESS, "name: shop", "/metadata/name"),
            "idle connections close early",
            suppressed="the pods run nginx, which keeps them for 75 s",
        ),
        finding("IL405", Location("-", 3, 1, 3, 5, ""), "no route leads to Service `web`"),
    ),
    summary=Summary(
        files=2, documents=3, objects=3, routes=1, units=2, unchecked=1, error=1, warning=1, note=1, suppressed=1
    ),
    rules=RULES,
    units=(
        Unit(
            "charts/web",
            "chart",
            "charts/web",
            "charts/web/Chart.yaml",
            state="unchecked",
            reason="not rendered",
            routes=2,
        ),
        Unit("shop", "folder", "shop", objects=3, routes=1),
    ),
    files={file.path: file for file in (INGRESS, DEPLOYMENT)},
)

EMPTY = Report(
    findings=(),
    summary=Summary(files=1, documents=1, objects=1, units=1),
    rules=(),
    units=(Unit("shop", "folder", "shop", objects=1),),
)

_BAD = "\x1b]0;owned\x07\r\n::error::owned\n%0A::warning::x | <script>alert(1)</script> [a](1) `b|c` *d* \u202e\ud800"

UNTRUSTED = Report(
    findings=(
        finding(
            "IL201",
            at(HOSTILE, "here"),
            _BAD,
            object=ObjectRef("v1", "Service\x1b[2J", "n|s", "<b>"),
            related=(
                Spot(_BAD, None, at(HOSTILE, "needle")),
                Spot("the list of nine", None, at(HOSTILE, "list:" + HOSTILE.text.partition("list:")[2][:49])),
                Spot("beside", None, Location("/etc/a b.yaml", 1, 1, 1, 1, "")),
                Spot("the line's end", None, at(HOSTILE, "Service\n")),
                Spot("two lines", None, at(HOSTILE, "list:\n  - 0")),
                Spot("the last of a long line", None, at(HOSTILE, "漢" * 9 + "\n")),
            ),
            path=(
                PathSpot(Hop.CLIENT, "\x1b[1mclient\n", _BAD, None, at(HOSTILE, "kind"), True),
                PathSpot(Hop.POD, "pod | ::error::", "", None, at(HOSTILE, "end: true"), False),
            ),
            fix=_BAD,
            identity="",
        ),
    ),
    summary=Summary(files=1, documents=1, objects=1, units=1, error=1),
    rules=RULES,
    units=(Unit(_BAD, "kustomization", _BAD, _BAD, state="partial", reason=_BAD, objects=1),),
    files={HOSTILE.path: HOSTILE},
    unread=("lost.yaml: \x1bno such file\n::error::owned",),
)

SAMPLES = {"ordinary": ORDINARY, "empty": EMPTY, "untrusted": UNTRUSTED}
