"""`runbook`: what each phase asks, what it predicts, and that nothing a manifest holds gets loose in a shell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main

CLASS = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: alb}
spec: {controller: ingress.k8s.aws/alb}
---
"""
SHOP = (
    CLASS
    + """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations: {ANNOTATIONS}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example/web:1, ports: [{containerPort: 8080}]}]}
"""
)
URL = "http://shop.example.com/cart?id=1"
CONTROLLER = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: edge}
spec:
  selector: {matchLabels: {app: controller}}
  template:
    metadata: {labels: {app: controller}}
    spec:
      containers: [{name: controller, image: "registry.k8s.io/ingress-nginx/controller:v1.13.3"}]
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: edge}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: controller}
  ports: [{name: http, port: 80}, {name: https, port: 443}]
"""


TLS = SHOP.replace("  rules:", "  tls: [{hosts: [shop.example.com], secretName: shop}]\n  rules:")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def shop(ingress_class: str = "nginx", annotations: str = "{}", text: str = SHOP) -> str:
    return text.replace("ingressClassName: nginx", f"ingressClassName: {ingress_class}").replace(
        "{ANNOTATIONS}", annotations
    )


def run(text: str, *arguments: str) -> Result:
    Path("shop.yaml").write_text(text)
    return CliRunner().invoke(main, ("runbook", *arguments, "shop.yaml"), catch_exceptions=False)


def phases(text: str, *arguments: str) -> list[str]:
    result = run(text, *(arguments or ("--url", URL)))
    assert result.exit_code == 0, result.output
    found = re.split(r"^\d  ", result.stdout, flags=re.MULTILINE)
    assert len(found) == 6
    return found


def test_the_service_is_asked_as_the_gateway_asks_it() -> None:
    one = phases(shop())[1]
    assert "kubectl --namespace=shop run ingress-lint-debug --rm -i" in one
    assert "--header 'Host: shop.example.com'" in one
    assert "\"http://web.shop.svc:80\"'/cart?id=1'" in one


def test_what_is_asked_is_what_the_rewritten_request_asks() -> None:
    rewriting = (
        "{nginx.ingress.kubernetes.io/rewrite-target: /front, nginx.ingress.kubernetes.io/backend-protocol: HTTPS}"
    )
    assert "--insecure --header" in phases(shop(annotations=rewriting))[1]
    assert "\"https://web.shop.svc:80\"'/front?id=1'" in phases(shop(annotations=rewriting))[1]


def test_grpc_is_asked_by_grpcurl() -> None:
    one = phases(shop(annotations="{nginx.ingress.kubernetes.io/backend-protocol: GRPC}"))[1]
    assert "fullstorydev/grpcurl" in one
    assert '-plaintext -max-time 10 -authority shop.example.com "web.shop.svc:80" list' in one


def test_a_method_that_changes_things_is_announced() -> None:
    found = phases(shop(), "--url", URL, "--method", "POST", "--header", "X-A: b c")
    for phase in (found[1], found[4]):
        assert "this sends a real POST" in phase
        assert "--request POST" in phase
        assert "'X-A: b c'" in phase or "'x-a: b c'" in phase


def test_endpoints_and_selector() -> None:
    two = phases(shop())[2]
    assert "the selector app=web fits the pods of Deployment shop/web" in two
    assert "get endpointslices.discovery.k8s.io --selector=kubernetes.io/service-name=web" in two
    assert "get pods --label-columns=app" in two
    assert "--selector=app=web" in two
    assert '"http://$POD_IP:8080"' in two


def test_the_labels_that_differ_are_told_and_predicted() -> None:
    two = phases(shop(text=SHOP.replace("selector: {app: web}, ports", "selector: {app: wbe}, ports")))[2]
    assert "the selector app=wbe fits no pod" in two
    assert "Deployment shop/web come closest: the selector wants app=wbe, and they have" in two
    assert "no endpoints, and no pod with these labels" in two
    assert "predicted by IL403" in two


def test_a_service_that_is_missing_is_predicted() -> None:
    one = phases(shop(text=SHOP.replace("name: web, port: {number: 80}", "name: wbe, port: {number: 80}")))[1]
    assert "these manifests do not hold this Service" in one
    assert re.search(r"Could not resolve host.*\n.*predicted by IL401", one)


def test_no_node_port_with_pod_targets() -> None:
    assert "does not apply: ingress-nginx sends to the addresses of pods" in phases(shop())[3]
    ip = phases(shop("alb", "{alb.ingress.kubernetes.io/target-type: ip}"))[3]
    assert "does not apply: ALB sends to the addresses of pods" in ip
    assert "kubectl" not in ip


def test_node_port_with_node_targets() -> None:
    three = phases(shop("alb", "{alb.ingress.kubernetes.io/target-type: instance}"))[3]
    assert "NODE_PORT=30080" in three
    assert "does not apply" not in three
    chosen = SHOP.replace(", nodePort: 30080", "")
    three = phases(shop("alb", "{alb.ingress.kubernetes.io/target-type: instance}", chosen))[3]
    assert "NODE_PORT=$(kubectl --namespace=shop get service/web" in three


def test_the_controllers_own_service_is_in_front() -> None:
    found = phases(shop() + CONTROLLER)
    assert "itself stands behind Service edge/front" in found[3]
    assert "externalTrafficPolicy is Local" in found[3]
    assert "ADDRESS=$(kubectl --namespace=edge get service/front" in found[4]


def test_the_health_check_is_asked() -> None:
    four = phases(
        shop("alb", "{alb.ingress.kubernetes.io/target-type: ip, alb.ingress.kubernetes.io/healthcheck-path: /up}")
    )[4]
    assert "Ask what the health check of the ALB asks" in four
    assert '"http://$POD_IP:8080"/up' in four


def test_the_load_balancer_is_asked_by_its_address() -> None:
    four = phases(shop())[4]
    assert "ADDRESS=$(kubectl --namespace=shop get ingress.networking.k8s.io/web" in four
    assert "\"http://$ADDRESS:80\"'/cart?id=1'" in four
    assert "openssl" not in four


def test_tls_is_asked_with_resolve() -> None:
    found = phases(shop(text=TLS), "--url", "https://shop.example.com/")
    assert '--resolve shop.example.com:443:"$IP" https://shop.example.com:443/' in found[4]
    assert "-servername shop.example.com" in found[4]
    assert "https://shop.example.com:443/" in found[5]


def test_the_internet() -> None:
    five = phases(shop())[5]
    for wanted in ("getent ahosts shop.example.com", "%{size_download}", "X-Padding", "nf_conntrack_count", "-M do"):
        assert wanted in five


def test_a_redirect_has_no_service() -> None:
    redirecting = "{nginx.ingress.kubernetes.io/permanent-redirect: 'https://www.example.com/'}"
    found = phases(shop(annotations=redirecting))
    for phase in found[1:4]:
        assert "follow it with --url https://www.example.com/" in " ".join(phase.split())
    assert "301, with Location https://www.example.com/" in found[4]


def test_a_path_that_nobody_takes() -> None:
    found = phases(shop(text=SHOP.replace("path: /,", "path: /shop,")))
    assert "does not apply" in found[1]
    assert "none to expect: by these manifests the client sees 404" in found[4]


def test_a_gateway() -> None:
    text = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec: {gatewayClassName: example, listeners: [{name: tcp, port: 5432, protocol: TCP}]}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: db, namespace: edge}
spec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: db, port: 5432}]}]}
"""
    found = phases(text, "--url", "tcp://db.example.com:5432")
    assert 'nc -z -v -w 5 "db.edge.svc" "5432"' in found[1]
    assert "get gateway.gateway.networking.k8s.io/front" in found[4]
    assert 'nc -z -v -w 5 "$ADDRESS" 5432' in found[4]
    assert "curl" not in found[5]


def test_every_finding_is_told_in_some_phase() -> None:
    found = phases(shop(text=SHOP.replace("targetPort: 8080", "targetPort: nowhere")))
    assert "IL501" in "".join(found)
    assert "IL116" in found[4]


def test_markdown() -> None:
    result = run(
        shop(text=SHOP.replace("selector: {app: web}, ports", "selector: {app: wbe}, ports")),
        "--url",
        URL,
        "--format",
        "markdown",
    )
    assert result.exit_code == 0
    assert result.stdout.count("\n## ") == 5
    assert "```sh\nkubectl --namespace=shop" in result.stdout
    assert "| You see | It means | Predicted by |" in result.stdout
    assert "**IL403**" in result.stdout
    assert "Does not apply: " in result.stdout


def test_usage() -> None:
    assert run(shop()).exit_code == 2
    assert run(shop(), "--url", "shop").exit_code == 2
    nobody = run(shop("nginx") + shop("alb").replace(CLASS, "---"), "--url", "http://nobody.example.com/")
    assert nobody.exit_code == 1
    assert "nobody serves `nobody.example.com`" in nobody.stderr
    assert run(shop(), "--url", URL, "--connect", "nowhere").exit_code == 2


HOSTILE = "$(touch owned)`touch owned`';touch owned;'\";touch owned;\"\ntouch owned\n#"


def quoted(text: str) -> str:
    """A double-quoted scalar of YAML."""
    return json.dumps(text)


def commands(markdown: str) -> str:
    """All blocks of code of a page."""
    return "\n".join(re.findall(r"^`{3,}sh\n(.*?)^`{3,}$", markdown, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("annotation", ["instance", "ip"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_name_gets_loose_in_a_shell(folder: Path, annotation: str, scheme: str) -> None:
    """Runs every command, with stand-ins for the programs it calls, and sees that nothing else was run."""
    settings = {
        "target-type": annotation,
        "healthcheck-path": f"/up{HOSTILE}",
        "listen-ports": '[{"HTTP":80},{"HTTPS":443}]',
    }
    named = {f"alb.ingress.kubernetes.io/{key}": value for key, value in settings.items()}
    text = shop("alb", json.dumps(named)).replace("namespace: shop", f"namespace: {quoted('shop' + HOSTILE)}")
    text = text.replace("name: web", f"name: {quoted('web' + HOSTILE)}").replace(
        "app: web", f"app: {quoted('x' + HOSTILE)}"
    )
    tools = folder / "tools"
    tools.mkdir()
    for tool in ("kubectl", "curl", "openssl", "getent", "ping", "nc", "xargs", "sleep"):
        (tools / tool).write_text("#!/bin/sh\necho 192.0.2.1\n")
        (tools / tool).chmod(0o755)
    url = f"{scheme}://shop.example.com/$(touch${{IFS}}owned)`touch${{IFS}}owned`';touch${{IFS}}owned;'"
    result = run(text, "--url", url, "--header", f"X-A: {HOSTILE}", "--format", "markdown")
    assert result.exit_code == 0, result.output
    script = commands(result.stdout)
    assert script.count("touch owned") > 5
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        check=False,
        cwd=folder,
        env={"PATH": f"{tools}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (folder / "owned").exists()
    in_text = run(text, "--url", url, "--header", f"X-A: {HOSTILE}").stdout
    assert all(line in in_text for line in script.splitlines())


def test_a_name_is_never_an_option_or_a_host_of_its_own() -> None:
    text = SHOP.replace("name: web", "name: --kubeconfig=x@evil.example/").replace(
        "namespace: shop", "namespace: --all"
    )
    script = commands(run(shop(text=text), "--url", URL, "--format", "markdown").stdout)
    assert "service/--kubeconfig=x@evil.example/" in script
    assert "--namespace=--all" in script
    assert "http://--kubeconfig%3Dx%40evil.example%2F.--all.svc:80" in script
    assert not re.search(r"\s['\"]?--(kubeconfig|all)\b", script)


def test_a_header_name_is_never_a_file_to_read() -> None:
    text = shop(annotations="{}")
    script = commands(run(text, "--url", URL, "--header", "@/etc/passwd: x", "--format", "markdown").stdout)
    assert "passwd" not in script


def test_control_characters_are_written_out() -> None:
    text = shop(text=SHOP.replace("name: web", 'name: "web\\e[31m\\u202e"'))
    for form in ("text", "markdown"):
        shown = run(text, "--url", URL, "--format", form).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
