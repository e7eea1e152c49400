"""## What it does
Looks at how large kube-proxy, or a script, makes the nodes' conntrack tables, and how long dead entries stay in them.

## What you see
Under load, new connections time out at random while established ones go on. The nodes log
`nf_conntrack: table full, dropping packet`. Load balancers answer 502 or 504, with healthy pods behind them.

## Why it breaks
Every connection through a Service has an entry in the conntrack table of each node that it passes. kube-proxy makes room
for `maxPerCore` entries a core and `min` at least. With `maxPerCore: 0` it leaves the kernel's own limit and ignores
`min`. An entry whose connection is half closed stays for `tcpCloseWaitTimeout`: the kernel alone would drop it after a
minute, kube-proxy's default is an hour.

## Example
Bad:
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    conntrack:
      maxPerCore: 0
      min: 65536
```
Good:
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    conntrack:
      maxPerCore: 131072
      min: 524288
      tcpCloseWaitTimeout: 2m0s
```

## Fix
Raise `min` and `maxPerCore` (an entry takes about 300 bytes), shorten the timeouts, and have connections reused so that
fewer entries are needed. NodeLocal DNSCache keeps the pods' DNS lookups out of the table.

## Prove it
```sh
kubectl debug node/NODE -it --image=busybox -- \\
  sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max
kubectl debug node/NODE -it --image=busybox -- sh -c 'dmesg | grep nf_conntrack'
```

## How sure
A warning for a table smaller than kube-proxy's default minimum of 131072 on a node of four cores, for a `min` that is
ignored, and for timeouts longer than kube-proxy's defaults. A note where the hour for half-closed connections is written
out. Settings left out are never reported.

## References
- https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/#kubeproxy-config-k8s-io-v1alpha1-KubeProxyConntrackConfiguration
- https://github.com/kubernetes/kubernetes/issues/97377
- https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from ingress_lint.facts.kernel.index import kernel_settings
from ingress_lint.facts.kernel.sysctls import CONNTRACK_LIMITS, ScriptedSysctl
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.durations import go_duration
from ingress_lint.values.numbers import whole

if TYPE_CHECKING:
    from ingress_lint.facts.kernel.kube_proxy import Conntrack, Said

_MINIMUM: Final = 131_072
_PER_CORE: Final = 32_768
_CORES: Final = 4
_CLOSE_WAIT: Final = 3600
_ESTABLISHED: Final = 86_400
_UDP: Final = 180
_TABLE_SIZES: Final = CONNTRACK_LIMITS - {"net.netfilter.nf_conntrack_expect_max", "net.netfilter.nf_conntrack_buckets"}
_SCRIPTED_CLOSE_WAIT: Final = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
_FULL: Final = "when it is full, the node drops new connections and clients time out"


class ConntrackCapacity(Rule):
    """A conntrack table that fills up."""

    code: ClassVar[str] = "IL304"
    name: ClassVar[str] = "conntrack-capacity"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "the nodes' conntrack table is small, or keeps dead entries for long"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the nodes' table of connections is too small, or keeps dead entries for too long",
            often=("conntrack-full",),
            sometimes=("502", "504", "connect-timeout", "connection-failure", "hang", "tls-handshake-timeout"),
        ),
    )

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Looks at every kube-proxy configuration and every script of the set."""
        settings = kernel_settings(graph)
        for conntrack in settings.conntracks:
            yield from self._size(conntrack)
            yield from self._timeouts(conntrack, settings.node_local_dns)
        for scripted in settings.scripted_sysctls:
            size = whole(scripted.value)
            if scripted.on_the_host and scripted.privileged and size is not None:
                yield from self._scripted(scripted, size)

    def _size(self, conntrack: Conntrack) -> Iterator[Finding]:
        maximum, minimum, per_core = conntrack.maximum, conntrack.minimum, conntrack.max_per_core
        if maximum is not None and maximum.number:
            if maximum.number < _MINIMUM:
                yield self.finding(
                    maximum.place,
                    f"kube-proxy makes the conntrack table of every node {maximum.number} entries large "
                    f"(`{maximum.setting}`), fewer than its own minimum of {_MINIMUM}; {_FULL}",
                    fix=f"remove `{maximum.setting}`, or raise it",
                )
        elif per_core is not None and per_core.number == 0:
            if minimum is not None and minimum.number:
                yield self.finding(
                    per_core.place,
                    f"`{per_core.setting}` is 0, with which kube-proxy leaves the kernel's own limit and ignores "
                    f"`{minimum.setting}` of {minimum.number}; when the table is full, the node drops new connections and "
                    "clients time out",
                    related=[Related(f"`{minimum.setting}` has no effect", minimum.place)],
                    fix=f"set `{per_core.setting}` to {_PER_CORE} or more, its default, for `{minimum.setting}` to count",
                )
        else:
            yield from self._capacity(minimum, per_core)

    def _capacity(self, minimum: Said | None, per_core: Said | None) -> Iterator[Finding]:
        least = _MINIMUM if minimum is None or minimum.number is None else minimum.number
        each = _PER_CORE if per_core is None or per_core.number is None else per_core.number
        capacity = max(least, each * _CORES)
        said = min((said for said in (minimum, per_core) if said is not None), key=_number, default=None)
        if said is None or capacity >= _MINIMUM:
            return
        others = [other for other in (minimum, per_core) if other is not None and other is not said]
        yield self.finding(
            said.place,
            f"kube-proxy makes the conntrack table of a node with {_CORES} cores {capacity} entries large, the larger of "
            f"{least} (min) and {each} x {_CORES} (maxPerCore), where its defaults make {_MINIMUM}; {_FULL}",
            related=[Related(f"`{other.setting}` is {other.text}", other.place) for other in others],
            fix=f"raise min to {_MINIMUM} or more, or remove it",
        )

    def _timeouts(self, conntrack: Conntrack, node_local_dns: bool) -> Iterator[Finding]:
        close_wait = conntrack.close_wait
        if close_wait is not None and (seconds := go_duration(close_wait.text) or 0) >= _CLOSE_WAIT:
            standard = seconds == _CLOSE_WAIT
            yield self.finding(
                close_wait.place,
                f"half-closed connections stay in the conntrack table for {close_wait.text} (`{close_wait.setting}`"
                f"{', the default of kube-proxy' if standard else ''}), where the kernel alone keeps them for 60 s: an app "
                f"that does not close its sockets fills the table with dead entries; {_FULL}",
                severity=Severity.NOTE if standard else None,
                fix=f"set `{close_wait.setting}` to a few minutes, such as 2m0s",
            )
        established = conntrack.established
        if established is not None and (go_duration(established.text) or 0) > _ESTABLISHED:
            yield self._long(
                established, "established connections whose ends are gone", "24h, the default of kube-proxy"
            )
        for udp in (conntrack.udp, conntrack.udp_stream):
            if udp is not None and not node_local_dns and (go_duration(udp.text) or 0) > _UDP:
                yield self._long(udp, "every DNS lookup of a pod", "the kernel's 30 s to 3 min")

    def _long(self, said: Said, what: str, instead: str) -> Finding:
        return self.finding(
            said.place,
            f"the conntrack table keeps an entry for {what} for {said.text} (`{said.setting}`), longer than {instead}; "
            f"{_FULL}",
            fix=f"remove `{said.setting}`, or shorten it",
        )

    def _scripted(self, scripted: ScriptedSysctl, value: int) -> Iterator[Finding]:
        who = f"container `{scripted.container.name}` of {scripted.workload}"
        if scripted.name in _TABLE_SIZES and 0 < value < _MINIMUM:
            yield self.finding(
                scripted.place,
                f"{who} makes the nodes' conntrack table {value} entries large, fewer than the {_MINIMUM} of kube-proxy's "
                f"minimum; {_FULL}",
                fix=f"raise `{scripted.name}`, or leave it to kube-proxy",
            )
        elif scripted.name == _SCRIPTED_CLOSE_WAIT and value > _CLOSE_WAIT:
            yield self.finding(
                scripted.place,
                f"{who} has the nodes keep half-closed connections in the conntrack table for {value} s, where the kernel "
                f"alone keeps them for 60 s; {_FULL}",
                fix=f"lower `{scripted.name}`",
            )


def _number(said: Said) -> int:
    return said.number or 0
