"""The phases inside the cluster: the Service, its endpoints, its NodePort."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Final

from ingress_lint.facts.endpoints import nearest_workload
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.runbook import shell
from ingress_lint.runbook.asking import Question
from ingress_lint.runbook.model import Check, Failure

_SERVICE_FAILURES: Final = (
    Failure("Could not resolve host", "the Service is not there, or has another name or namespace", ("IL401",)),
    Failure(
        "Connection refused",
        "no pod is behind the Service, or none listens on the target port (127.0.0.1 inside the pod does not count)",
        ("IL402", "IL403", "IL405", "IL408", "IL501", "IL509", "IL510"),
    ),
    Failure(
        "a timeout",
        "a NetworkPolicy drops the packets (it may let the gateway in and not this pod), or the pod network does",
        ("IL404", "IL508"),
    ),
    Failure(
        "an empty reply, a reset, `wrong version number`, or 400 that speaks of HTTPS",
        "one side speaks TLS, HTTP/2 or a mesh's mTLS and the other does not",
        ("IL502", "IL503", "IL507", "IL511"),
    ),
)
_HTTP_FAILURE: Final = Failure(
    "404 or 5xx", "the application itself answers so: it gets a path or host that it does not know", ("IL110",)
)


def service_check(backend: BackendRef, question: Question) -> Check:
    """Asks the Service, as the gateway would, but past every load balancer."""
    space = backend.namespace
    port = backend.service_port.port.port if backend.service_port else backend.port.value if backend.port else ""
    facts = []
    if shell.changes_things(question.method):
        facts.append(f"this sends a real {question.method}; ask for something harmless where that matters")
    if backend.service.missing:
        facts.append("these manifests do not hold this Service")
    host = f"{shell.in_url(backend.name)}.{shell.in_url(space)}.svc"
    return Check(
        f"Ask {backend} from a debug pod",
        question.ask(space, host, shell.in_url(str(port))),
        question.healthy,
        (*_SERVICE_FAILURES, _HTTP_FAILURE) if question.is_http else _SERVICE_FAILURES,
        tuple(facts),
    )


def endpoint_checks(backend: BackendRef, question: Question, graph: ObjectGraph) -> Iterator[Check]:
    """Compares the Service's selector with the pods, and asks a pod without the Service."""
    service = backend.service.object
    space, name = backend.namespace, shell.named("service", backend.name)
    slices = quote(f"kubernetes.io/service-name={backend.name}")
    commands = [
        shell.kubectl(space, f"get {name} --output=wide"),
        shell.kubectl(space, f"get endpointslices.discovery.k8s.io --selector={slices} --output=wide"),
    ]
    selector = graph.selector(service) if service is not None and isinstance(service.body, Service) else {}
    if selector:
        commands.append(shell.kubectl(space, f"get pods {shell.columns(selector)}"))
    target = backend.service_port.target if backend.service_port else None
    where = f", at port {target}" if target is not None else ""
    yield Check(
        f"Compare the endpoints of {backend} with its selector",
        tuple(commands),
        f"ENDPOINTS lists the address of every ready pod{where}; each of those pods is READY and carries the labels",
        (
            Failure("NotFound", "the Service is not there: the gateway answers 503 or 500", ("IL401",)),
            Failure(
                "no endpoints, and no pod with these labels",
                "the selector and the pods' labels differ",
                ("IL403", "IL408"),
            ),
            Failure("no endpoints, and no pods at all", "0 replicas, or pods that cannot start", ("IL405",)),
            Failure(
                "pods with these labels, and none of them READY",
                "the readiness probe fails: wrong port, wrong path, too little time",
                ("IL504", "IL506", "IL512"),
            ),
            Failure(
                "endpoints at a port that the container does not listen on",
                "the target port is not the container's",
                ("IL402", "IL501", "IL510"),
            ),
            Failure("endpoints of another application's pods", "the selector is too broad", ("IL404",)),
        ),
        tuple(_label_facts(service, selector, graph)) if service is not None else (),
    )
    if selector and service is not None:
        meant = None if graph.selected_by(service) else nearest_workload(service, selector, graph)
        yield _pod_check(backend, dict(meant.labels) if meant is not None else selector, question)


def _label_facts(service: KubernetesObject[Service], selector: dict[str, str], graph: ObjectGraph) -> Iterator[str]:
    """What the manifests say of selector and labels; where they differ, the labels that do."""
    if not selector:
        written = graph.endpoints_of(service)
        yield f"it has no selector; {', '.join(map(str, written)) or 'nothing in these manifests'} fills it"
        return
    shown = ", ".join(f"{key}={value}" for key, value in selector.items())
    workloads = graph.selected_by(service)
    for workload in workloads:
        yield f"the selector {shown} fits the pods of {workload}"
    if workloads:
        return
    yield f"the selector {shown} fits no pod in these manifests"
    nearest = nearest_workload(service, selector, graph)
    if nearest is None:
        return
    for key, value in selector.items():
        if (found := nearest.labels.get(key)) != value:
            has = f"have {key}={found}" if found is not None else f"have no label {key}"
            yield f"the pods of {nearest} come closest: the selector wants {key}={value}, and they {has}"


def _pod_check(backend: BackendRef, selector: dict[str, str], question: Question) -> Check:
    space = backend.namespace
    port = backend.service_port.pod_port if backend.service_port else None
    named = "" if port is not None else "PORT=  # the container's port\n"
    commands = (
        pod_address(space, selector),
        *(line for line in named.splitlines()),
        *question.ask(space, "$POD_IP", str(port) if port is not None else "$PORT"),
    )
    return Check(
        "Ask one pod directly, without the Service (`kubectl port-forward` would skip the network and prove nothing)",
        commands,
        "the same answer as from the Service",
        (
            Failure(
                "Connection refused",
                "the application listens on another port, or on 127.0.0.1 only",
                ("IL501", "IL506", "IL509", "IL510"),
            ),
            Failure("a timeout", "a NetworkPolicy drops the packets", ("IL508",)),
            Failure(
                "an answer here, and none from the Service",
                "the Service's ports or selector are wrong, or kube-proxy is",
                ("IL402", "IL403", "IL404"),
            ),
        ),
    )


def pod_address(namespace: str, selector: dict[str, str]) -> str:
    """Puts the address of one pod into POD_IP."""
    return shell.variable("POD_IP", namespace, f"pods {shell.selector(selector)}", "{.items[0].status.podIP}")


# -- NodePorts ------------------------------------------------------------------------------------------------------

_WHY_NONE: Final = {
    TargetKind.POD: "sends to the addresses of pods",
    TargetKind.CLUSTER_IP: "sends to the cluster IP of the Service, from inside the cluster",
}


def no_node_port(backend: BackendRef, gateway: str) -> str:
    """Why no NodePort is on the way, empty where one is, or may be."""
    target = backend.target
    if target.value not in _WHY_NONE:
        return ""
    why = f" ({target.why})" if target.why else ""
    return f"{gateway} {_WHY_NONE[target.value]}{why}, so no NodePort of {backend.name} is on the way"


def node_port_check(
    service: KubernetesObject[Service], port: int, node_port: int | None, question: Question, *, certain: bool = True
) -> Check:
    """Asks every node for a Service's NodePort."""
    space = service.namespace
    spec = service.body.spec
    field = f"{{.spec.ports[?(@.port=={port})].nodePort}}"
    found = (
        f"NODE_PORT={node_port}"
        if node_port
        else shell.variable("NODE_PORT", space, shell.named("service", service.name), field)
    )
    addresses = '{.items[*].status.addresses[?(@.type=="InternalIP")].address}'
    local = spec.external_traffic_policy == "Local"
    facts = (
        [] if certain else ["whether nodes or pods get the traffic is up to the cluster: ask nodes only if it is them"]
    )
    if local:
        facts.append("externalTrafficPolicy is Local: a node without a pod of this Service drops the packets")
    if not node_port:
        facts.append("the cluster chooses the number, so look it up first")
    return Check(
        f"Ask every node for the NodePort of {service}",
        (found, shell.variable("NODES", "", "nodes", addresses), *_ask_nodes(space, question)),
        "every node that runs one of the pods answers as in phase 1, the others time out"
        if local
        else "every node gives the same answer as in phase 1",
        (
            Failure("no NODE_PORT", "the Service has none, and the load balancer has no way in", ("IL204", "IL407")),
            Failure(
                "Connection refused on every node",
                "the NodePort is another one, or kube-proxy is not there",
                ("IL208",),
            ),
            Failure(
                "an answer from some nodes only",
                "externalTrafficPolicy Local, or a node whose firewall or kube-proxy differs",
                ("IL206",),
            ),
            Failure("a timeout on every node", "a firewall or security group closes the NodePort range", ("IL207",)),
            Failure(
                "an answer here, and unhealthy targets at the load balancer",
                "its health check asks another port, path or protocol",
                ("IL201", "IL202", "IL203"),
            ),
        ),
        tuple(facts),
    )


def _ask_nodes(namespace: str, question: Question) -> tuple[str, ...]:
    if not question.is_http:
        command = 'sh -c \'port=$1; shift; for node; do nc -z -v -w 5 "$node" "$port"; done\' sh "$NODE_PORT" $NODES'
        return shell.in_pod(namespace, shell.BUSYBOX_IMAGE, command)
    scheme = "https" if question.protocol.over_tls else "http"
    options = " --insecure" if question.protocol.over_tls else ""
    each = (
        f'echo "$node"; {shell.CURL}{options} --write-out "%{{http_code}} in %{{time_total}} s\\n" '
        f'--header "$host" "{scheme}://$node:$port$path"'
    )
    script = f"port=$1 path=$2 host=$3; shift 3; for node; do {each}; done"
    host, path = quote(f"Host: {question.host}"), quote(shell.path(question.path))
    return (
        *shell.in_pod(namespace, shell.CURL_IMAGE, f"sh -c {quote(script)} \\"),
        f'  sh "$NODE_PORT" {path} {host} $NODES',
    )
