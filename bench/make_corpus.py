"""Writes a corpus of manifests: apps of a Deployment, a Service and an Ingress each, one file an app in nested folders.

    python bench/make_corpus.py FOLDER [--apps 2000] [--repository]

`--repository` writes them as a repository that Flux deploys: three files an app, its manifests, a kustomization that lists
them, and the object that applies it. The same number of apps gives the same bytes. Most apps are in order; every `FAULT_EVERY`th has one of the faults that
people really make, so that a linter has findings to locate and to write as well.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_APPS: Final = 2_000
FAULT_EVERY: Final = 50
FAULTS: Final = ("service-name", "service-port", "selector", "target-port", "health-check")
TEAMS: Final = ("checkout", "catalog", "search", "identity", "billing", "shipping", "media", "support")
WORDS: Final = ("api", "web", "worker", "gateway", "events", "report", "sync", "admin", "feed", "export")
LANGUAGES: Final = ("node", "java", "python", "go")


@dataclass(frozen=True)
class App:
    """What differs from app to app."""

    number: int
    team: str
    name: str
    language: str
    port: int
    replicas: int
    controller: str
    fault: str

    @property
    def path(self) -> str:
        """Its file, below the corpus folder."""
        return f"{self.team}/{self.number // 40:03}/{self.name}.yaml"


def apps(count: int) -> Iterator[App]:
    """The first `count` apps."""
    dice = random.Random(20240501)
    for number in range(count):
        team = dice.choice(TEAMS)
        yield App(
            number=number,
            team=team,
            name=f"{team}-{dice.choice(WORDS)}-{number:05}",
            language=dice.choice(LANGUAGES),
            port=dice.choice((3000, 8000, 8080, 8443, 9000)),
            replicas=dice.randint(2, 6),
            controller=dice.choices(("nginx", "alb", "gce"), (8, 3, 1))[0],
            fault=FAULTS[number // FAULT_EVERY % len(FAULTS)] if number % FAULT_EVERY == FAULT_EVERY - 1 else "",
        )


def manifest(app: App) -> str:
    """The three objects of an app."""
    return "---\n".join((_deployment(app), _service(app), _ingress(app)))


def _deployment(app: App) -> str:
    return f"""\
# {app.name}: owned by team {app.team}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {app.name}
  namespace: {app.team}
  labels:
    app.kubernetes.io/name: {app.name}
    app.kubernetes.io/part-of: {app.team}
    app.kubernetes.io/version: "1.{app.number % 30}.{app.number % 7}"
    app.kubernetes.io/managed-by: kustomize
spec:
  replicas: {app.replicas}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: {app.name}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {app.name}
        app.kubernetes.io/part-of: {app.team}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9090"
        checksum/config: "{app.number * 2654435761 % 2**64:016x}"
    spec:
      serviceAccountName: {app.name}
      terminationGracePeriodSeconds: 60
      securityContext:
        runAsNonRoot: true
        fsGroup: 10001
      containers:
        - name: app
          image: registry.example.com/{app.team}/{app.name}:1.{app.number % 30}.{app.number % 7}
          imagePullPolicy: IfNotPresent
          ports:
            - name: http
              containerPort: {app.port}
              protocol: TCP
            - name: metrics
              containerPort: 9090
          env:
            - name: PORT
              value: "{app.port}"
            - name: RUNTIME
              value: {app.language}
            - name: LOG_LEVEL
              value: info
            - name: POD_IP
              valueFrom:
                fieldRef:
                  fieldPath: status.podIP
            - name: DATABASE_URL
              valueFrom:
                secretKeyRef:
                  name: {app.name}-database
                  key: url
          envFrom:
            - configMapRef:
                name: {app.team}-common
                optional: true
          resources:
            requests:
              cpu: {50 * (1 + app.number % 8)}m
              memory: {64 * (1 + app.number % 16)}Mi
            limits:
              memory: {128 * (1 + app.number % 16)}Mi
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 5
            failureThreshold: 3
          livenessProbe:
            httpGet:
              path: /healthz
              port: http
            initialDelaySeconds: 15
            periodSeconds: 10
          lifecycle:
            preStop:
              exec:
                command: ["sleep", "20"]
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {{}}
"""


def _service(app: App) -> str:
    selected = f"{app.name}-v2" if app.fault == "selector" else app.name
    target = "web" if app.fault == "target-port" else "http"
    kind = "NodePort" if app.controller == "gce" else "ClusterIP"
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {app.name}
  namespace: {app.team}
  labels:
    app.kubernetes.io/name: {app.name}
    app.kubernetes.io/part-of: {app.team}
spec:
  type: {kind}
  selector:
    app.kubernetes.io/name: {selected}
  ports:
    - name: http
      port: 80
      targetPort: {target}
      protocol: TCP
    - name: metrics
      port: 9090
      targetPort: metrics
"""


def _ingress(app: App) -> str:
    host = f"{app.name}.{app.team}.example.com"
    service = f"{app.name}-web" if app.fault == "service-name" else app.name
    port = 8088 if app.fault == "service-port" else 80
    return f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {app.name}
  namespace: {app.team}
  labels:
    app.kubernetes.io/name: {app.name}
    app.kubernetes.io/part-of: {app.team}
  annotations:
{_annotations(app)}\
spec:
  ingressClassName: {app.controller}
  tls:
    - hosts:
        - {host}
      secretName: {app.name}-tls
  rules:
    - host: {host}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {service}
                port:
                  number: {port}
          - path: /v1
            pathType: Prefix
            backend:
              service:
                name: {app.name}
                port:
                  name: http
"""


def _annotations(app: App) -> str:
    if app.controller == "alb":
        path = "/status" if app.fault == "health-check" else "/healthz"
        return f"""\
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/group.name: {app.team}
    alb.ingress.kubernetes.io/listen-ports: '[{{"HTTP": 80}}, {{"HTTPS": 443}}]'
    alb.ingress.kubernetes.io/ssl-redirect: "443"
    alb.ingress.kubernetes.io/healthcheck-path: {path}
    alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=60
"""
    if app.controller == "gce":
        return """\
    kubernetes.io/ingress.global-static-ip-name: frontend
    kubernetes.io/ingress.allow-http: "false"
"""
    return """\
    cert-manager.io/cluster-issuer: letsencrypt
    nginx.ingress.kubernetes.io/ssl-redirect: "true"
    nginx.ingress.kubernetes.io/proxy-body-size: 8m
    nginx.ingress.kubernetes.io/proxy-read-timeout: "60"
"""


def write(folder: Path, count: int) -> int:
    """Writes `count` apps below `folder` and returns how many bytes they take."""
    size = 0
    for app in apps(count):
        size += _put(folder / app.path, manifest(app))
    return size


def write_repository(folder: Path, count: int) -> int:
    """Writes `count` apps as a repository that Flux deploys, and returns how many bytes they take."""
    size = _put(folder / "clusters/prod/flux-system.yaml", _flux("flux-system", "clusters/prod"))
    for app in apps(count):
        built = f"apps/{app.path.removesuffix('.yaml')}"
        size += _put(folder / built / "app.yaml", manifest(app))
        size += _put(folder / built / "kustomization.yaml", "resources:\n  - app.yaml\n")
        size += _put(folder / f"clusters/prod/{app.path}", _flux(app.name, built))
    return size


def write_charts(folder: Path, count: int) -> int:
    """Writes `count` apps as a chart each, and returns how many bytes they take."""
    size = 0
    for app in apps(count):
        chart = folder / app.name
        size += _put(chart / "Chart.yaml", f"apiVersion: v2\nname: {app.name}\nversion: 1.0.0\n")
        size += _put(chart / "values.yaml", f"team: {app.team}\nreplicas: {app.replicas}\n")
        size += _put(chart / "templates/_helpers.tpl", _HELPERS)
        for name, text in (("deployment", _deployment(app)), ("service", _service(app)), ("ingress", _ingress(app))):
            labels = f"    app.kubernetes.io/name: {app.name}\n    app.kubernetes.io/part-of: {app.team}\n"
            template = text.replace(labels, '    {{- include "labels" . | nindent 4 }}\n', 1)
            template = template.replace(f"replicas: {app.replicas}", "replicas: {{ .Values.replicas }}")
            size += _put(chart / f"templates/{name}.yaml", template)
    return size


_HELPERS: Final = """{{- define "labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/part-of: {{ .Values.team }}
{{- end }}
"""


def _flux(name: str, path: str) -> str:
    return f"""apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: {name}
  namespace: flux-system
spec:
  interval: 10m
  path: ./{path}
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
"""


def _put(file: Path, text: str) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.write_bytes(text.encode())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write a corpus of manifests.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--apps", type=int, default=DEFAULT_APPS, help=f"how many apps (default: {DEFAULT_APPS:,})")
    parser.add_argument("--repository", action="store_true", help="as a repository that Flux deploys")
    options = parser.parse_args()
    size = (write_repository if options.repository else write)(options.folder, options.apps)
    print(f"{options.folder}: {options.apps:,} apps, {3 * options.apps:,} objects, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
