"""The object graph of one set: immutable lookups that every later stage asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

from ingress_lint.graph.control_plane import CONTROL_PLANE_LABELS, POD_NAME, may_carry
from ingress_lint.graph.labels import LabelIndex
from ingress_lint.graph.likeness import LikenessIndex
from ingress_lint.graph.makers import BUILT_IN_GROUPS, CLUSTERS_OWN, OPERATED, PROMETHEUS_GROUP, Makers
from ingress_lint.graph.not_known import NotKnown
from ingress_lint.graph.resolution import Existence, Inquiries, Resolution
from ingress_lint.graph.set_context import SetContext
from ingress_lint.graph.workload import Workload, workload_of
from ingress_lint.load.document import Document, Place, Pointer
from ingress_lint.objects.core import ConfigMap, Endpoints, EndpointSlice, Namespace, Secret, Service
from ingress_lint.objects.group_kind import CONFIG_MAP, SECRET, SERVICE, GroupKind
from ingress_lint.objects.model import AnyObject, KubernetesObject, Model
from ingress_lint.objects.networking import Ingress, IngressClass, LegacyIngress, NetworkPolicy
from ingress_lint.objects.reading import string_map
from ingress_lint.objects.workloads import Scaler

Kind = TypeVar("Kind", bound=Model)

SERVICE_NAME_LABEL: Final = "kubernetes.io/service-name"
_TEST_HOOKS: Final = ("test", "test-success", "test-failure")
_TELLING: Final = (Existence.FOUND, Existence.EXTERNAL, Existence.MISSING, Existence.PARTIAL)
"""Answers, the most telling first."""


class ObjectGraph:
    """All objects of a set, with the lookups a request's way needs."""

    def __init__(self, objects: Iterable[AnyObject], context: SetContext | None = None) -> None:
        self.context = context or SetContext()
        self.objects: tuple[AnyObject, ...] = tuple(objects)
        self._by_body: defaultdict[type[Any], list[AnyObject]] = defaultdict(list)
        self._by_name: dict[tuple[GroupKind, str, str], AnyObject] = {}
        self._by_kind: defaultdict[GroupKind, list[AnyObject]] = defaultdict(list)
        self._kinds_in: set[tuple[GroupKind, str]] = set()
        workloads = []
        for item in self.objects:
            self._by_body[type(item.body)].append(item)
            kind = item.group_kind
            self._by_kind[kind].append(item)
            self._by_name.setdefault((kind, item.namespace, item.name), item)
            self._kinds_in.add((kind, item.namespace))
            workload = workload_of(item)
            if workload is not None:
                workloads.append(workload)
        self.workloads: tuple[Workload, ...] = tuple(workloads)
        self.not_known = NotKnown(self.objects, self.workloads)
        self._by_model: dict[type[Any], dict[tuple[str, str], AnyObject]] = {}
        self._likeness: dict[tuple[GroupKind, str], LikenessIndex[str]] = {}
        self._pod_likeness: dict[str, LikenessIndex[Workload]] = {}
        self._selected: dict[KubernetesObject[Service], tuple[Workload, ...]] = {}
        self._inquiries = Inquiries()
        self.kept: dict[object, Any] = {}
        """What `facts` keep of what they worked out for it."""

    # -- objects ----------------------------------------------------------------------------------------------------

    def of(self, *models: type[Kind]) -> Iterator[KubernetesObject[Kind]]:
        """The objects read by one of `models`, in input order within each."""
        for model in models:
            yield from self._by_body.get(model, ())

    @cached_property
    def groups(self) -> frozenset[str]:
        """The API groups of all objects."""
        return frozenset(api_version.rpartition("/")[0] for api_version in {item.api_version for item in self.objects})

    @cached_property
    def operated_groups(self) -> frozenset[str]:
        """The API groups of the custom resources that the set defines or holds, each with an operator somewhere."""
        groups = self.groups | self.context.custom_groups
        return frozenset(group for group in groups - BUILT_IN_GROUPS if not group.endswith(".k8s.io"))

    @cached_property
    def kinds(self) -> frozenset[GroupKind]:
        """The API groups and kinds of all objects."""
        read = {(item.api_version, item.kind) for item in self.objects}
        return frozenset(GroupKind(api_version.rpartition("/")[0], kind) for api_version, kind in read)

    def of_kind(self, *kinds: GroupKind) -> Iterator[AnyObject]:
        """The objects of these kinds, in input order within each."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    @property
    def services(self) -> Iterator[KubernetesObject[Service]]:
        """The Services."""
        return self.of(Service)

    @property
    def ingresses(self) -> Iterator[KubernetesObject[Ingress | LegacyIngress]]:
        """The Ingresses of every version."""
        return self.of(Ingress, LegacyIngress)

    @property
    def network_policies(self) -> Iterator[KubernetesObject[NetworkPolicy]]:
        """The NetworkPolicies."""
        return self.of(NetworkPolicy)

    @cached_property
    def ingress_classes(self) -> Mapping[str, KubernetesObject[IngressClass]]:
        """The IngressClasses by name."""
        return {item.name: item for item in self.of(IngressClass)}

    def get(self, kind: GroupKind, namespace: str, name: str) -> AnyObject | None:
        """An object by kind, namespace (empty where cluster-scoped) and name."""
        return self._by_name.get((kind, namespace, name))

    def named(self, model: type[Kind], namespace: str, name: str) -> KubernetesObject[Kind] | None:
        """The object read by `model` of this namespace (empty where cluster-scoped) and name.

        None also where it is too broken to read.
        """
        if model not in self._by_model:
            own: dict[tuple[str, str], AnyObject] = {}
            for item in self._by_body.get(model, ()):
                own.setdefault((item.namespace, item.name), item)
            self._by_model[model] = own
        found = self._by_model[model].get((namespace, name))
        if found is not None:
            self._inquiries.found(found.group_kind, namespace, name)
        return found

    def service(self, namespace: str, name: str) -> KubernetesObject[Service] | None:
        """A Service by name; None also where it is too broken to read."""
        return self.named(Service, namespace, name)

    def config_map(self, namespace: str, name: str) -> KubernetesObject[ConfigMap] | None:
        """A ConfigMap by name."""
        return self.named(ConfigMap, namespace, name)

    def secret(self, namespace: str, name: str) -> KubernetesObject[Secret] | None:
        """A Secret by name."""
        return self.named(Secret, namespace, name)

    def namespace(self, name: str) -> KubernetesObject[Namespace] | None:
        """A Namespace by name."""
        return self.named(Namespace, "", name)

    # -- existence --------------------------------------------------------------------------------------------------

    def resolve(self, kind: GroupKind, namespace: str, name: str) -> Resolution[Any]:
        """Whether an object exists, as far as this set can tell; one that is too broken to read is found, and unknown."""
        found = self._by_name.get((kind, namespace, name))
        if found is not None and found.broken:
            return Resolution(Existence.EXTERNAL, why=f"{found} is too broken to read")
        if found is not None:
            self._inquiries.found(kind, namespace, name)
            return Resolution(Existence.FOUND, found)
        context = self.context
        if why := self.not_known.names(kind, namespace, name):
            return Resolution(Existence.EXTERNAL, why=why)
        if context.encrypted and kind in (SECRET, CONFIG_MAP):
            return Resolution(Existence.EXTERNAL, why=f"{context.encrypted[0]} is encrypted and may hold it")
        if (kind.kind, namespace, name) in context.externals:
            return Resolution(Existence.EXTERNAL, why="it is declared to exist elsewhere")
        if unit := context.elsewhere.get(kind, {}).get((namespace, name)):
            return Resolution(Existence.EXTERNAL, why=f"{unit} holds it, which may run in another cluster")
        if context.unparsed:
            return Resolution(Existence.EXTERNAL, why=f"{context.unparsed[0]} did not parse and may hold it")
        if context.incomplete:
            return Resolution(Existence.EXTERNAL, why=context.incomplete)
        if unit := context.unchecked_in(namespace, name):
            return Resolution(Existence.EXTERNAL, why=f"{unit} may make it, which was not checked")
        if (kind, name) in context.generated:
            return Resolution(Existence.EXTERNAL, why="the kustomization generates it")
        if maker := self.makers.of(kind, namespace, name):
            return Resolution(Existence.EXTERNAL, why=f"{maker} may make it")
        if kind == SERVICE and name in OPERATED and PROMETHEUS_GROUP in self.operated_groups:
            return Resolution(Existence.EXTERNAL, why="the Prometheus operator makes it")
        if context.assume == "partial":
            return Resolution(Existence.PARTIAL, why="the set is taken to be partial")
        if context.assume == "complete":
            return Resolution(Existence.MISSING)
        if (kind, namespace) in self._kinds_in and namespace not in CLUSTERS_OWN:
            if self._inquiries.missing(kind, namespace, name):
                if context.gathered is None or context.gathered.would_hold(kind.group, kind.kind, name):
                    return Resolution(Existence.MISSING)
                why = f"what names it has nothing to do with the {kind.kind}s of the set"
                return Resolution(Existence.PARTIAL, why=why)
            return Resolution(
                Existence.PARTIAL, why=f"the set lacks most {kind.kind}s of namespace {namespace} that it names"
            )
        if namespace in CLUSTERS_OWN:
            return Resolution(Existence.PARTIAL, why=f"the cluster makes most of namespace {namespace} itself")
        return Resolution(Existence.PARTIAL, why=f"the set holds no {kind.kind} at all in namespace {namespace}")

    def lacks_more_than_told(self) -> bool:
        """Whether more is missing than a set with all its objects would lack, so that answers of `resolve` change."""
        if not self._inquiries.settle():
            return False
        self.kept.clear()
        return True

    def resolve_any(self, kinds: Sequence[GroupKind], namespace: str, name: str) -> Resolution[Any]:
        """Whether an object of one of several kinds exists, which count as one."""
        answers = [self.resolve(kind, namespace, name) for kind in kinds]
        return min(answers, key=lambda answer: _TELLING.index(answer.existence))

    def holds(self, kind: GroupKind, namespace: str) -> bool:
        """Whether the set has any object of this kind in this namespace."""
        return (kind, namespace) in self._kinds_in

    @cached_property
    def _names(self) -> Mapping[GroupKind, Mapping[str, list[str]]]:
        """The names of each kind in each namespace."""
        names: defaultdict[GroupKind, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for kind, namespace, name in self._by_name:
            names[kind][namespace].append(name)
        return names

    def namespaces_of(self, kind: GroupKind) -> Iterable[str]:
        """The namespaces that hold an object of this kind."""
        return self._names.get(kind, {}).keys()

    def namespaces_with(self, kind: GroupKind, name: str) -> list[str]:
        """The namespaces that hold an object of this kind and name."""
        return [space for space in self.namespaces_of(kind) if (kind, space, name) in self._by_name]

    def names_like(self, kind: GroupKind, namespace: str, name: str) -> list[str]:
        """Names of this kind and namespace that are worth comparing with a name that is not among them."""
        if (kind, namespace) not in self._likeness:
            here = self._names.get(kind, {}).get(namespace, ())
            self._likeness[kind, namespace] = LikenessIndex((found, found) for found in here)
        return self._likeness[kind, namespace].candidates(name)

    @cached_property
    def makers(self) -> Makers:
        """The custom resources that may make objects which no manifest shows."""
        return Makers(self.objects, self.workloads, deployed=self.context.deployed)

    @property
    def incomplete(self) -> bool:
        """Whether the cluster is known, or told, to hold more than this set."""
        context = self.context
        return context.assume == "partial" or bool(context.unparsed or context.incomplete or context.unchecked)

    def incomplete_in(self, namespace: str) -> bool:
        """Whether a namespace is known, or told, to hold more than this set shows."""
        context = self.context
        whole = not (context.assume == "partial" or context.unparsed or context.incomplete)
        return not whole or bool(context.unchecked_in(namespace))

    # -- selection --------------------------------------------------------------------------------------------------

    @cached_property
    def _pods(self) -> Mapping[str, LabelIndex[Workload]]:
        by_namespace: defaultdict[str, list[Workload]] = defaultdict(list)
        for workload in self.workloads:
            hook = workload.object.annotations.get("helm.sh/hook", "")
            if not hook.startswith(_TEST_HOOKS):
                by_namespace[workload.object.namespace].append(workload)
        return {
            namespace: LabelIndex((workload.labels, workload) for workload in workloads)
            for namespace, workloads in by_namespace.items()
        }

    def pods(self, namespace: str) -> LabelIndex[Workload]:
        """The pod templates of a namespace, by label."""
        return self._pods.get(namespace) or LabelIndex(())

    def pods_like(self, namespace: str, texts: Iterable[str]) -> list[Workload]:
        """The workloads of a namespace whose name or labels are worth comparing with `texts`."""
        if namespace not in self._pod_likeness:
            self._pod_likeness[namespace] = LikenessIndex(
                (text, workload)
                for workload in self.pods(namespace).matching({})
                for text in {workload.object.name, *workload.labels.values()}
            )
        index = self._pod_likeness[namespace]
        return list(dict.fromkeys(workload for text in texts for workload in index.candidates(text)))

    @staticmethod
    def selector(service: KubernetesObject[Service]) -> dict[str, str]:
        """What a Service selects by, without the labels that only the control plane sets."""
        selector = service.body.spec.selector
        return {key: value for key, value in string_map(selector).items() if key not in CONTROL_PLANE_LABELS}

    @staticmethod
    def control_plane_selector(service: KubernetesObject[Service]) -> dict[str, str]:
        """What a Service selects by of the labels that only the control plane sets."""
        selector = service.body.spec.selector
        if not selector or CONTROL_PLANE_LABELS.isdisjoint(selector):
            return {}
        return {key: value for key, value in string_map(selector).items() if key in CONTROL_PLANE_LABELS}

    def selected_by(self, service: KubernetesObject[Service]) -> tuple[Workload, ...]:
        """The workloads whose pods a Service selects; none where it has no selector."""
        if service not in self._selected:
            selector, given = self.selector(service), self.control_plane_selector(service)
            if POD_NAME in given:
                makers = self._named_like_pod(service.namespace, given[POD_NAME])
                found = [workload for workload in makers if selector.items() <= workload.labels.items()]
            else:
                found = self.pods(service.namespace).matching(selector) if service.body.spec.selector else []
            if given:
                found = [workload for workload in found if self._may_carry(workload, given)]
            self._selected[service] = tuple(found)
        return self._selected[service]

    @cached_property
    def _pods_by_name(self) -> Mapping[tuple[str, str], list[Workload]]:
        found: defaultdict[tuple[str, str], list[Workload]] = defaultdict(list)
        for namespace, pods in self._pods.items():
            for workload in pods.matching({}):
                found[namespace, workload.object.name].append(workload)
        return found

    def _named_like_pod(self, namespace: str, pod_name: str) -> list[Workload]:
        """The workloads of which a pod may have this name: by their own names, or the pod itself."""
        made = self._pods_by_name.get((namespace, pod_name.rpartition("-")[0]), ())
        return [*made, *self.pods(namespace).matching({POD_NAME: pod_name})]

    def _may_carry(self, workload: Workload, labels: Mapping[str, str]) -> bool:
        sized = not self.incomplete_in(workload.object.namespace) and not self.autoscaled(workload)
        return all(may_carry(workload, key, value, sized=sized) for key, value in labels.items())

    @cached_property
    def _endpoints(self) -> Mapping[tuple[str, str], list[AnyObject]]:
        found: defaultdict[tuple[str, str], list[AnyObject]] = defaultdict(list)
        for endpoints in self.of(Endpoints):
            found[endpoints.namespace, endpoints.name].append(endpoints)
        for endpoint_slice in self.of(EndpointSlice):
            found[endpoint_slice.namespace, endpoint_slice.labels.get(SERVICE_NAME_LABEL, "")].append(endpoint_slice)
        return found

    def endpoints_of(self, service: KubernetesObject[Service]) -> tuple[AnyObject, ...]:
        """The Endpoints and EndpointSlices that somebody wrote for a Service."""
        return tuple(self._endpoints.get((service.namespace, service.name), ()))

    @cached_property
    def _scaled(self) -> frozenset[tuple[str, str, str]]:
        scaled = set()
        for scaler in self.of(Scaler):
            target = scaler.body.spec.get("scaleTargetRef")
            if isinstance(target, dict):
                scaled.add((str(target.get("kind", "Deployment")), scaler.namespace, str(target.get("name", ""))))
        return frozenset(scaled)

    def autoscaled(self, workload: Workload) -> bool:
        """Whether an autoscaler of the set decides how many replicas a workload has."""
        item = workload.object
        return (item.kind, item.namespace, item.name) in self._scaled

    # -- places -----------------------------------------------------------------------------------------------------

    @cached_property
    def _by_document(self) -> Mapping[Document, dict[Pointer, AnyObject]]:
        found: defaultdict[Document, dict[Pointer, AnyObject]] = defaultdict(dict)
        for item in self.objects:
            found[item.document].setdefault(item.base, item)
        return found

    def object_at(self, place: Place) -> AnyObject | None:
        """The object that a place lies in."""
        by_base = self._by_document.get(place.document)
        if not by_base:
            return None
        pointer = place.pointer
        bases = (pointer[:length] for length in range(len(pointer) + 1))
        return next((by_base[base] for base in bases if base in by_base), None)
