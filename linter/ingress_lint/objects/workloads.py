"""Everything that makes pods: one model for any kind that carries a pod template."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from ingress_lint.objects.core import Protocol
from ingress_lint.objects.model import ClosedModel, IntOrString, LabelSelector, Many, Model, Port


class ContainerPort(ClosedModel, kw_only=True):
    """A port that a container declares; informational, except that a named one can be referred to."""

    name: str = ""
    container_port: Port
    protocol: Protocol = "TCP"
    host_port: int | None = None
    host_ip: Any = field(default=None, name="hostIP")


class HTTPHeader(Model):
    """A header that a probe sends."""

    name: str = ""
    value: str = ""


class HTTPGetAction(ClosedModel, kw_only=True):
    """An HTTP probe; `scheme` absent means HTTP."""

    path: str = "/"
    port: IntOrString
    scheme: Literal["HTTP", "HTTPS"] = "HTTP"
    host: str = ""
    http_headers: Many[HTTPHeader] = ()
    protocol: str | None = None
    """The wire protocol, HTTP/1.1 where absent (since Kubernetes 1.37)."""


class TCPSocketAction(ClosedModel):
    """A probe that only connects."""

    port: IntOrString
    host: str = ""


class GRPCAction(ClosedModel):
    """A probe by the gRPC health protocol."""

    port: Port
    service: str | None = None
    mode: str | None = None
    """TLS or Plaintext, the latter where absent (since Kubernetes 1.37)."""


class Probe(ClosedModel):
    """A readiness, liveness or startup probe; times in seconds."""

    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    grpc: GRPCAction | None = None
    exec: Any = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None


class EnvVar(Model):
    """An environment variable; `value` absent where it comes from elsewhere."""

    name: str = ""
    value: str | None = None
    value_from: Any = None


class VolumeMount(Model):
    """Where a container sees a volume."""

    name: str = ""
    mount_path: str = ""
    sub_path: str = ""


class SleepAction(Model):
    """A pause, in seconds."""

    seconds: int = 0


class ExecAction(Model):
    """A command that runs in the container."""

    command: Many[str] = ()


class LifecycleHandler(Model):
    """What runs at a turn of a container's life; None for what is not written."""

    exec: ExecAction | None = None
    sleep: SleepAction | None = None
    http_get: Any = None
    tcp_socket: Any = None


class Lifecycle(Model):
    """A container's hooks; `pre_stop` runs before it is told to end."""

    pre_stop: LifecycleHandler | None = None


class Container(Model):
    """A container as far as its listening, its probes and its command go."""

    name: str = ""
    image: str = ""
    command: Many[str] = ()
    args: Many[str] = ()
    env: Many[EnvVar] = ()
    env_from: Many[Any] = ()
    ports: Many[ContainerPort] = ()
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    restart_policy: str | None = None
    security_context: Any = None
    volume_mounts: Many[VolumeMount] = ()

    def probes(self) -> tuple[tuple[str, Probe], ...]:
        """Its probes, each with the name of its field."""
        found = (
            ("readinessProbe", self.readiness_probe),
            ("livenessProbe", self.liveness_probe),
            ("startupProbe", self.startup_probe),
        )
        return tuple((name, probe) for name, probe in found if probe is not None)


class Volume(Model):
    """A volume, by its source where that is a Secret or a ConfigMap."""

    name: str = ""
    secret: Any = None
    config_map: Any = None
    projected: Any = None


class ReadinessGate(Model):
    """A condition that a pod waits for before it is ready."""

    condition_type: str = ""


class PodSpec(Model):
    """The pod's containers and what they share."""

    containers: Many[Container] = ()
    init_containers: Many[Container] = ()
    volumes: Many[Volume] = ()
    host_network: bool = False
    host_ipc: Any = field(default=None, name="hostIPC")
    host_aliases: Many[Any] = ()
    service_account_name: str = ""
    termination_grace_period_seconds: int | None = None
    security_context: Any = None
    affinity: Any = None
    topology_spread_constraints: Many[Any] = ()
    node_selector: dict[str, Any] = field(default_factory=dict)
    readiness_gates: Many[ReadinessGate] = ()


class TemplateMetadata(Model):
    """A pod template's own metadata."""

    labels: dict[str, Any] = field(default_factory=dict)
    annotations: dict[str, Any] = field(default_factory=dict)


class PodTemplate(Model):
    """What each pod of a workload is made from."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Model):
    """The part that Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, Rollout and their like share.

    `selector` is a label selector, or plain labels (ReplicationController, DeploymentConfig).
    """

    replicas: int | None = None
    selector: Any = None
    template: PodTemplate | None = None


class Workload(Model):
    """A workload with its template under `spec.template`."""

    spec: WorkloadSpec = WorkloadSpec()


class StrictWorkloadSpec(WorkloadSpec):
    """The same for the kinds of Kubernetes' own, whose selector has a known form."""

    selector: LabelSelector | None = None


class AppsWorkload(Workload):
    """A workload of the apps group."""

    spec: StrictWorkloadSpec = StrictWorkloadSpec()


class Pod(Model):
    """A bare Pod; its own metadata carries the labels."""

    spec: PodSpec = PodSpec()


class JobTemplate(Model):
    """The template of a CronJob's Jobs."""

    spec: WorkloadSpec = WorkloadSpec()


class CronJobSpec(Model):
    """A CronJob's spec."""

    job_template: JobTemplate = JobTemplate()


class CronJob(Model):
    """A CronJob, whose pods are made two templates down."""

    spec: CronJobSpec = CronJobSpec()


class Scaler(Model):
    """A HorizontalPodAutoscaler or KEDA ScaledObject: what it scales is not for the manifest to say."""

    spec: dict[str, Any] = field(default_factory=dict)
