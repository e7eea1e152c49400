"""The phases outside the cluster: the load balancer or gateway, and the internet in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Final

from ingress_lint.controllers.lowering.entries import Entry
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.runbook import shell
from ingress_lint.runbook.cluster import pod_address
from ingress_lint.runbook.model import Check, Failure
from ingress_lint.tracing.asking import Asked
from ingress_lint.tracing.hops import location
from ingress_lint.tracing.model import Trace

_GATEWAY_GROUP: Final = "gateway.networking.k8s.io"
_OF_BALANCER: Final = "{.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}"
_OF_GATEWAY: Final = "{.status.addresses[0].value}"


_OVER_TLS: Final = (
    Failure(
        "a certificate that is not trusted, or names another host",
        "the gateway shows its own certificate, or one for another host",
        ("IL104", "IL105", "IL106"),
    ),
    Failure("421", "a connection is reused for a host of another listener", ("IL121",)),
)


_OVER_HTTP: Final = (
    Failure(
        "404 with the gateway's own page",
        "no route takes this host and path, or another one takes them first",
        ("IL102", "IL103", "IL107", "IL108", "IL109", "IL112", "IL115"),
    ),
    Failure("404 of the application", "the path is rewritten into one that it does not know", ("IL110",)),
    Failure("301 or 308, again and again", "a redirect to the same URL", ("IL111",)),
    Failure(
        "400",
        "TLS against plain HTTP, or a PROXY header that one side does not know",
        ("IL213", "IL214", "IL502"),
    ),
    Failure("413 or 431", "a limit on the body or the headers", ("IL211", "IL216")),
    Failure(
        "502",
        "the pod speaks another protocol, closes the connection, or no target is healthy",
        ("IL201", "IL202", "IL203", "IL209", "IL401", "IL502", "IL503", "IL507", "IL511"),
    ),
    Failure(
        "500 or 503",
        "no healthy target: phase 2 says whether there are endpoints at all",
        (
            "IL201",
            "IL202",
            "IL203",
            "IL205",
            "IL401",
            "IL402",
            "IL403",
            "IL405",
            "IL408",
            "IL409",
            "IL410",
            "IL501",
        ),
    ),
    Failure("504", "the pod takes longer than the gateway waits, or cannot be reached", ("IL210", "IL404", "IL508")),
)


def address_check(trace: Trace, entry: Entry, own: KubernetesObject[Service] | None) -> Check:
    """Finds the address of the gateway. `own` is the Service in front of its pods, where the manifests hold it."""
    item = _addressed(trace, entry, own)
    if item is None:
        commands: tuple[str, ...] = (
            "kubectl get services --all-namespaces | grep -E 'LoadBalancer|NodePort'",
            f"ADDRESS=  # the EXTERNAL-IP of the Service in front of {quote(entry.title)}",
        )
    else:
        path = _OF_GATEWAY if item.group == _GATEWAY_GROUP else _OF_BALANCER
        commands = (
            shell.variable("ADDRESS", item.namespace, shell.resource(item), path),
            'echo "$ADDRESS"',
            shell.kubectl(item.namespace, f"describe {shell.resource(item)}"),
        )
    return Check(
        f"Find the address of {entry.title}",
        commands,
        "an address or a host name, and no warning among the events and conditions",
        (
            Failure(
                "no address",
                "no controller has taken the object, or the cloud could not make the load balancer",
                ("IL101", "IL112", "IL114", "IL204", "IL407"),
            ),
            Failure(
                "a warning: a Service, Secret or port is not found",
                "the controller leaves out the route, or all of the object's",
                ("IL105", "IL113", "IL118", "IL401", "IL402", "IL410"),
            ),
        ),
    )


def _addressed(trace: Trace, entry: Entry, own: KubernetesObject[Service] | None) -> AnyObject | None:
    """The object whose status holds the address."""
    if own is not None:
        return own
    owner = entry.frontend.owner
    if isinstance(owner.body, Service) or (owner.kind == "Gateway" and owner.group == _GATEWAY_GROUP):
        return owner
    candidates = [trace.route.owner] if trace.route is not None else []
    candidates += [owner, *(route.owner for route in entry.routes)]
    return next((item for item in candidates if isinstance(item.body, Ingress | LegacyIngress)), None)


def request_check(trace: Trace, entry: Entry) -> Check:
    """Sends the request to the load balancer itself, by its address."""
    asked = trace.asked
    commands = _to_the_address(asked)
    facts: tuple[str, ...] = ()
    http = asked.request.protocol in ("http", "grpc")
    if shell.changes_things(asked.request.method) and asked.request.protocol == "http":
        facts = (f"this sends a real {asked.request.method}; ask for something harmless where that matters",)
    return Check(
        f"Send the request to {entry.title}, past DNS",
        commands,
        _expected(trace),
        (
            Failure(
                "Connection refused, or a timeout before anything is answered",
                "nothing listens on this port, or a firewall or source range closes it",
                ("IL101", "IL114", "IL117", "IL207", "IL215"),
            ),
            *(_OVER_TLS if trace.asked.request.encrypted else ()),
            *(_OVER_HTTP if http else ()),
        ),
        facts,
    )


def _expected(trace: Trace) -> str:
    answer = trace.answer
    if answer is not None and answer.redirect is not None:
        return f"{answer.redirect.status}, with Location {location(answer.redirect)}"
    if trace.outcome == "backend":
        return "the answer of phase 1" + (", with the same status" if trace.status is not None else "")
    said = f"{trace.status}" if trace.status is not None else "no answer"
    return f"none to expect: by these manifests the client sees {said} ({trace.why})"


def _to_the_address(asked: Asked) -> tuple[str, ...]:
    request = asked.request
    port = request.port
    if request.protocol in ("http", "grpc"):
        show = r"--write-out '%{http_code} %{redirect_url} in %{time_total} s\n'"
        options = f"{shell.CURL} {show}{shell.method(request.method)}"
        sent = shell.headers(request.headers)
        target = shell.path(request.path) + (f"?{request.query_string}" if request.query_string else "")
        host = shell.in_url(request.host)
        if not request.secure:
            named = shell.headers(request.headers, request.host)
            return (f'{options}{named} "http://$ADDRESS:{port}"{quote(target)}',)
        if request.server_name != request.host:
            sent = shell.headers(request.headers, request.host)
            host = shell.in_url(request.server_name)
        url = quote(f"https://{host}:{port}{target}")
        return (_ADDRESS_OF_NAME, f'{options}{sent} --resolve {quote(f"{host}:{port}:")}"$IP" {url}')
    if request.protocol == "tls":
        name = quote(request.server_name)
        return (f'openssl s_client -connect "$ADDRESS:{port}" -servername {name} -brief < /dev/null',)
    datagrams = " -u" if request.protocol == "udp" else ""
    return (f'nc{datagrams} -z -v -w 5 "$ADDRESS" {port}',)


_ADDRESS_OF_NAME: Final = "IP=$(getent ahosts \"$ADDRESS\" | awk '{print $1; exit}')  # also where ADDRESS is a name"


def certificate_check(asked: Asked) -> Check:
    """Looks at the certificate that clients are shown."""
    name = quote(asked.request.server_name)
    connect = (
        f'openssl s_client -connect "$ADDRESS:{asked.request.port}" -servername {name} < /dev/null 2> /dev/null \\'
    )
    return Check(
        "Look at the certificate",
        (connect, "  | openssl x509 -noout -subject -issuer -enddate -ext subjectAltName"),
        f"{asked.request.server_name} among the names, and a date to come",
        (
            Failure("a fake or default certificate", "the Secret is not there or of no use", ("IL104", "IL105")),
            Failure("another name, or a date gone by", "the certificate in the Secret is the wrong one", ("IL106",)),
            Failure("no certificate", "TLS is not ended here", ("IL114", "IL214", "IL503")),
        ),
    )


def health_checks(backend: BackendRef, selector: dict[str, str], port: int | None) -> Iterator[Check]:
    """Asks what the load balancer's own health check asks. `port` is the pods', None where that is unknown."""
    check = backend.health_check
    if check is None or check.path is None or not selector:
        return
    nodes = check.target is TargetKind.NODE
    number = check.resolved_port or (None if nodes else port)
    scheme = "https" if check.protocol.value in ("HTTPS", "HTTP2") else "http"
    host = shell.headers({}, check.host.value) if check.host else ""
    path = quote(shell.path(check.path.value))
    at = "$NODE" if nodes else "$POD_IP"
    found = (
        shell.variable("NODE", "", "nodes", '{.items[0].status.addresses[?(@.type=="InternalIP")].address}')
        if nodes
        else pod_address(backend.namespace, selector)
    )
    commands = [found] + ([] if number else ["PORT=  # the port that the health check asks"])
    url = f'"{scheme}://{at}:{number or "$PORT"}"{path}'
    insecure = " --insecure" if scheme == "https" else ""
    commands += shell.in_pod(backend.namespace, shell.CURL_IMAGE, f"{shell.CURL} {shell.TIMED}{insecure}{host} {url}")
    codes = check.codes.value if check.codes else "200"
    yield Check(
        f"Ask what the health check of the {check.by} asks",
        tuple(commands),
        (f"one of the codes {codes}" if set(codes) & set(",-") else codes)
        + (f", within {check.timeout.value:g} s" if check.timeout else ""),
        (
            Failure("404 or another code", "every target counts as unhealthy: 502 or 503 for all", ("IL201", "IL205")),
            Failure("Connection refused", "the check asks a port where nobody listens", ("IL202", "IL204")),
            Failure("an empty reply or a TLS error", "the check speaks another protocol than the pod", ("IL203",)),
            Failure("200, slowly", "the check gives up before the pod answers", ("IL205", "IL512")),
            Failure("200, and the readiness probe fails, or the reverse", "they ask different endpoints", ("IL504",)),
        ),
        (
            f"it asks for {check.protocol.value} {check.path.value}{'' if check.path.explicit else ' (nobody wrote that)'}",
        ),
    )
