"""What the API server checks beyond the form of each field, where it decides whether a route can exist.

Each check names the function of kubernetes/kubernetes that makes it; what a newer release allows is allowed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from ingress_lint.load.document import Pointer
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.model import LabelSelector, Model
from ingress_lint.objects.networking import (
    DEFAULT_BACKEND_FIELD,
    Ingress,
    IngressBackend,
    LegacyIngress,
    NetworkPolicy,
)
from ingress_lint.objects.schema_messages import LEFT_OUT, REFUSED, SchemaError, describe, name_of
from ingress_lint.objects.workloads import (
    AppsWorkload,
    Container,
    CronJob,
    Pod,
    PodSpec,
    PodTemplate,
    Probe,
    Workload,
)
from ingress_lint.values.addresses import network
from ingress_lint.values.hosts import is_label, is_subdomain
from ingress_lint.values.patterns import deferred
from ingress_lint.values.ports import LONGEST_NAME, is_number, is_port_name

_LABEL_NAME: Final = deferred(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\Z")
_INGRESS_CLASS: Final = "kubernetes.io/ingress.class"
_NAMED_LIKE_HOSTS: Final = (Ingress, LegacyIngress, Workload, Pod, CronJob, NetworkPolicy)

Found = Iterator[SchemaError]


def _fault(pointer: Pointer, message: str, fix: str = "", *, at_key: bool = False) -> SchemaError:
    return SchemaError(pointer, message + REFUSED, pointer, at_key=at_key, fix=fix, instead=LEFT_OUT)


def check(api_version: str, body: Model, value: dict[str, Any]) -> Found:
    """What the API server would refuse in an object whose fields all have the right form."""
    name = value["metadata"].get("name")
    if isinstance(name, str):
        yield from _check_name(body, name)
    if isinstance(body, Service):
        yield from _check_service(body, value)
    elif isinstance(body, Ingress):
        yield from _check_ingress(body, value)
    elif isinstance(body, LegacyIngress):
        if not _get(value, ("spec", "rules")) and body.spec.default_backend is None:
            yield _fault(("spec",), "an Ingress needs `rules` or a `backend`, and this one has neither")
    elif isinstance(body, NetworkPolicy):
        yield from _check_selector(("spec", "podSelector"), body.spec.pod_selector)
    elif isinstance(body, Pod):
        yield from _check_pod(("spec",), body.spec, value)
    elif isinstance(body, CronJob):
        template = body.spec.job_template.spec.template
        yield from _check_template(("spec", "jobTemplate", "spec", "template"), template, value)
    elif isinstance(body, Workload):
        yield from _check_template(("spec", "template"), body.spec.template, value)
        if isinstance(body, AppsWorkload) and api_version == "apps/v1":
            yield from _check_apps(body)


def check_labels(pointer: Pointer, labels: Mapping[str, Any]) -> Found:
    """Keys and values of labels or of a selector (apimachinery/pkg/apis/meta/v1/validation: ValidateLabels)."""
    for key, value in labels.items():
        if isinstance(value, str) and not _is_label_value(value):
            form = "is longer than 63 characters" if len(value) > 63 else "has a character that no label may have there"
            yield _fault((*pointer, key), f"the value of label `{key}`, {describe(value)}, {form}")
        if not _is_label_key(key):
            yield _fault((*pointer, key), f"`{key}` is no label key", at_key=True)


@lru_cache(4096)
def _is_label_value(value: str) -> bool:
    return not value or (len(value) <= 63 and _LABEL_NAME.match(value) is not None)


@lru_cache(4096)
def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    good_prefix = not slash or is_subdomain(prefix)
    return bool(good_prefix and len(name) <= 63 and _LABEL_NAME.match(name))


def _check_name(body: Model, name: str) -> Found:
    pointer = ("metadata", "name")
    if isinstance(body, Service):
        if len(name) > 63:
            yield _fault(
                pointer, f"the Service's name has {len(name)} characters, and a DNS label at most 63", "shorten it"
            )
        elif not is_label(name):
            yield _fault(
                pointer,
                f"the Service's name `{name}` is no DNS label (lower case letters, digits and `-`), so it could not be "
                "resolved",
            )
    elif isinstance(body, _NAMED_LIKE_HOSTS) and not is_subdomain(name):
        yield _fault(pointer, f"`{name}` is no name of an object (lower case letters, digits, `-` and `.`)")


# -- Service (pkg/apis/core/validation: ValidateService) ----------------------------------------------------------------


def _check_service(service: Service, value: dict[str, Any]) -> Found:
    spec = service.spec
    ports = spec.ports
    if not _get(value, ("spec", "ports")) and spec.type != "ExternalName" and not spec.headless:
        yield _fault(("spec",), "a Service needs at least one port, and this one has none", "add `ports`")
    if spec.type == "ExternalName" and not spec.external_name:
        yield _fault(("spec",), "a Service of type ExternalName needs `externalName`", "add `externalName`")
    if spec.headless and spec.type in ("NodePort", "LoadBalancer"):
        yield _fault(
            ("spec", "clusterIP"),
            f"a Service of type {spec.type} cannot be headless (`clusterIP: None`)",
            "remove `clusterIP`, or use type ClusterIP",
        )
    exposed = spec.type in ("NodePort", "LoadBalancer")
    if spec.external_traffic_policy == "Local" and not exposed and not spec.external_ips:
        yield _fault(
            ("spec", "externalTrafficPolicy"),
            f"`externalTrafficPolicy` is for Services reached from outside, and this one is of type {spec.type}",
            "remove it, or use type LoadBalancer or NodePort",
        )
    if spec.load_balancer_source_ranges and spec.type != "LoadBalancer":
        yield _fault(
            ("spec", "loadBalancerSourceRanges"),
            f"`loadBalancerSourceRanges` is for type LoadBalancer, and this Service is of type {spec.type}",
            "remove it",
        )
    for index, text in enumerate(spec.load_balancer_source_ranges):
        if network(text) is None:
            yield _fault(
                ("spec", "loadBalancerSourceRanges", index), f"{describe(text)} is no range of addresses (CIDR)"
            )
    for index, port in enumerate(ports):
        yield from _check_service_port(("spec", "ports", index), port, len(ports))
        if port.node_port and spec.type == "ClusterIP":
            yield _fault(
                ("spec", "ports", index, "nodePort"),
                "`nodePort` is for types NodePort and LoadBalancer, and this Service is of type ClusterIP",
                "remove it, or use type NodePort",
            )
    yield from _repeated(("spec", "ports"), ports, lambda port: port.name, "name", "the port name `{}`")
    yield from _repeated(
        ("spec", "ports"), ports, lambda port: (port.port, port.protocol), "port", "port {0[0]} with protocol {0[1]}"
    )


def _check_service_port(pointer: Pointer, port: ServicePort, count: int) -> Found:
    if not port.name and count > 1:
        yield _fault(
            pointer, f"{name_of(pointer)} has no name, which each port of a Service with several needs", "add `name`"
        )
    elif port.name and not is_label(port.name):
        yield _fault(
            (*pointer, "name"), f"the port name `{port.name}` is no DNS label (lower case letters, digits and `-`)"
        )
    yield from _check_port_reference((*pointer, "targetPort"), port.target_port or port.port)


@lru_cache(4096)
def _is_port_reference(port: int | str) -> bool:
    """Whether it is a port by number or name (pkg/apis/core/validation: ValidatePortNumOrName)."""
    if isinstance(port, int):
        return 1 <= port <= 65535
    return not port or (is_port_name(port) and not is_number(port))


def _check_port_reference(pointer: Pointer, port: int | str) -> Iterable[SchemaError]:
    return () if _is_port_reference(port) else _wrong_port(pointer, port)


def _wrong_port(pointer: Pointer, port: int | str) -> Found:
    if isinstance(port, int):
        yield _fault(pointer, f"`{pointer[-1]}` must be a port from 1 to 65535, and this is {port}")
    elif is_number(port):
        yield _fault(
            pointer,
            f"`{pointer[-1]}` is {describe(port)}, which is taken for a port's name, and a name needs a letter",
            f"write {port} without quotes",
        )
    else:
        form = (
            f"has {len(port)} characters, and at most {LONGEST_NAME} are allowed"
            if len(port) > LONGEST_NAME
            else "is no port name"
        )
        yield _fault(pointer, f"the port name `{port}` {form}")


def _repeated(
    pointer: Pointer, items: Sequence[Any], key: Callable[[Any], Any], field: str, words: str
) -> Iterable[SchemaError]:
    return _repetitions(pointer, items, key, field, words) if len(items) > 1 else ()


def _repetitions(pointer: Pointer, items: Sequence[Any], key: Callable[[Any], Any], field: str, words: str) -> Found:
    seen: set[Any] = set()
    for index, item in enumerate(items):
        found = key(item)
        if found and found in seen:
            yield _fault((*pointer, index, field), f"{words.format(found)} stands twice in {name_of(pointer)}")
        seen.add(found)


# -- Ingress (pkg/apis/networking/validation: ValidateIngress) ----------------------------------------------------------


def _check_ingress(ingress: Ingress, value: dict[str, Any]) -> Found:
    spec = ingress.spec
    if not _get(value, ("spec", "rules")) and spec.default_backend is None:
        yield _fault(("spec",), "an Ingress needs `rules` or a `defaultBackend`, and this one has neither")
    annotations = value["metadata"].get("annotations")
    by_annotation = annotations.get(_INGRESS_CLASS) if isinstance(annotations, dict) else None
    if spec.ingress_class_name is not None and by_annotation not in (None, spec.ingress_class_name):
        yield _fault(
            ("metadata", "annotations", _INGRESS_CLASS),
            f"this annotation names class `{by_annotation}` and `ingressClassName` names `{spec.ingress_class_name}`",
            "remove the annotation, which `ingressClassName` replaces",
        )
    if spec.default_backend is not None:
        yield from _check_backend(("spec", DEFAULT_BACKEND_FIELD[Ingress]), spec.default_backend, value)
    for i, rule in enumerate(spec.rules):
        for j, path in enumerate(rule.http.paths if rule.http else ()):
            pointer = ("spec", "rules", i, "http", "paths", j)
            yield from _check_path(pointer, path.path or "", required=path.path_type != "ImplementationSpecific")
            yield from _check_backend((*pointer, "backend"), path.backend, value)


def _check_path(pointer: Pointer, path: str, *, required: bool) -> Found:
    if (path or required) and not path.startswith("/"):
        found = f"and this is {describe(path)}" if path else "and this one has none"
        yield _fault((*pointer, "path"), f"a path must start with `/`, {found}", "start it with `/`")
    elif required:
        wrong = next((part for part in ("//", "/./", "/../", "%2f", "%2F") if part in path), None)
        wrong = wrong or next((part for part in ("/..", "/.") if path.endswith(part)), None)
        if wrong:
            yield _fault((*pointer, "path"), f"the path `{path}` contains `{wrong}`, which no Exact or Prefix path may")


def _check_backend(pointer: Pointer, backend: IngressBackend, value: dict[str, Any]) -> Found:
    if backend.service is None and backend.resource is None:
        written = _get(value, pointer)
        if not (isinstance(written, dict) and written.keys() & {"serviceName", "servicePort"}):
            yield _fault(pointer, "a backend needs `service` or `resource`, and this one has neither")
        return
    if backend.service is None:
        return
    if backend.resource is not None:
        yield _fault(
            (*pointer, "resource"), "a backend has `service` or `resource`, and this one has both", at_key=True
        )
    port = backend.service.port
    place = (*pointer, "service", "port")
    if port is None or (port.number is None and not port.name):
        if (_get(value, place) or {}) != {}:
            return  # what is there has been reported for its form
        yield _fault(place, f"the backend Service `{backend.service.name}` needs a port, by `number` or by `name`")
    elif port.number is not None and port.name:
        yield _fault(
            (*place, "name"),
            f"the port has both a `number` ({port.number}) and a `name` (`{port.name}`), and may have only one",
            "keep one of the two",
        )
    elif port.name:
        yield from _check_port_reference((*place, "name"), port.name)


# -- workloads (pkg/apis/apps/validation, pkg/apis/core/validation: ValidatePodSpec) ------------------------------------


def _check_apps(workload: AppsWorkload) -> Found:
    selector = workload.spec.selector
    if selector is None:
        yield _fault(("spec",), "the required field `selector` is missing in `spec`", "add `selector`")
    elif not selector.match_labels and not selector.match_expressions:
        yield _fault(("spec", "selector"), "the workload's selector is empty", "select by labels of the pod template")
    else:
        yield from _check_selector(("spec", "selector"), selector)
    if workload.spec.template is None:
        yield _fault(("spec",), "the required field `template` is missing in `spec`", "add `template`")


def _check_selector(pointer: Pointer, selector: LabelSelector) -> Found:
    for index, term in enumerate(selector.match_expressions):
        place = (*pointer, "matchExpressions", index)
        if term.operator in ("In", "NotIn") and not term.values:
            yield _fault(place, f"the operator {term.operator} needs `values`")
        elif term.operator in ("Exists", "DoesNotExist") and term.values:
            yield _fault((*place, "values"), f"the operator {term.operator} takes no `values`", at_key=True)


def _check_template(pointer: Pointer, template: PodTemplate | None, value: dict[str, Any]) -> Found:
    if template is not None:
        yield from check_labels((*pointer, "metadata", "labels"), template.metadata.labels)
        yield from _check_pod((*pointer, "spec"), template.spec, value)


def _check_pod(pointer: Pointer, pod: PodSpec, value: dict[str, Any]) -> Found:
    if not pod.containers and not _get(value, (*pointer, "containers")):
        yield _fault(pointer, "a pod needs at least one container, and this one has none", "add `containers`")
    for field, containers in (("containers", pod.containers), ("initContainers", pod.init_containers)):
        for index, container in enumerate(containers):
            yield from _check_container((*pointer, field, index), container)
        yield from _repeated((*pointer, field), containers, lambda item: item.name, "name", "the container name `{}`")


def _check_container(pointer: Pointer, container: Container) -> Found:
    if not container.name:
        yield _fault(pointer, f"the required field `name` is missing in {name_of(pointer)}", "add `name`")
    for index, port in enumerate(container.ports):
        if port.name:
            yield from _check_port_reference((*pointer, "ports", index, "name"), port.name)
    yield from _repeated((*pointer, "ports"), container.ports, lambda port: port.name, "name", "the port name `{}`")
    for field, probe in container.probes():
        yield from _check_probe((*pointer, field), field, probe)


def _check_probe(pointer: Pointer, field: str, probe: Probe) -> Found:
    with_port = (("httpGet", probe.http_get), ("tcpSocket", probe.tcp_socket))
    handlers = (*with_port, ("grpc", probe.grpc), ("exec", probe.exec))
    given = [name for name, handler in handlers if handler is not None]
    if not given:
        yield _fault(pointer, f"`{field}` must say how to probe (`httpGet`, `tcpSocket`, `grpc` or `exec`)")
    elif len(given) > 1:
        yield _fault((*pointer, given[1]), f"`{field}` has both `{given[0]}` and `{given[1]}`, and may have only one")
    for name, handler in with_port:
        if handler is not None:
            yield from _check_port_reference((*pointer, name, "port"), handler.port)
    if field != "readinessProbe" and probe.success_threshold not in (0, 1):
        yield _fault((*pointer, "successThreshold"), f"`successThreshold` of a `{field}` must be 1")


def _get(value: Any, pointer: Pointer) -> Any:
    for step in pointer:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
