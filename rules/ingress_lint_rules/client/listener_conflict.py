"""## What it does
Checks that a Gateway's listeners can all be opened: that no two claim one port with different protocols or the same
hostname, that each that ends TLS names a certificate, and that the TLS mode and the kinds of routes fit the protocol;
and that the Gateway asks for addresses of types that there are.

## What you see
Connections to the port are refused or reset, although the Gateway has an address. Its status says `Conflicted: True`,
`Accepted: False` or `Programmed: False` for the listener. Of two ListenerSets the later one is not opened.

## Why it breaks
One port can carry several listeners only where the gateway can tell their clients apart: HTTP by its Host header, TLS by
the server name. It opens none of those that it cannot tell apart.

## Example
Bad:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: istio
  listeners:
    - {name: shop, port: 80, protocol: HTTP, hostname: shop.example.com}
    - {name: store, port: 80, protocol: HTTP, hostname: shop.example.com}
```
Good:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: istio
  listeners:
    - {name: shop, port: 80, protocol: HTTP, hostname: shop.example.com}
    - {name: store, port: 80, protocol: HTTP, hostname: store.example.com}
```

## Fix
Give one of them another port or hostname. For TLS, name a certificate under `tls.certificateRefs`, or use protocol TLS
with mode Passthrough and a TLSRoute where the pods end TLS.

## Prove it
```sh
kubectl -n NAMESPACE get gateway GATEWAY -o jsonpath='{.status.listeners}'
```

## How sure
Always an error: both listeners are written in the set. A warning for a kind of route that only the implementation knows,
and for a type of address whose domain is another than that of the GatewayClass's controller.

## References
- https://gateway-api.sigs.k8s.io/reference/spec/#listener
- https://gateway-api.sigs.k8s.io/guides/tls/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class ListenerConflict(Rule):
    """A listener that its gateway cannot open as it is written."""

    code: ClassVar[str] = "IL114"
    name: ClassVar[str] = "listener-conflict"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "listeners clash, or one cannot be opened as it is written"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the gateway does not open the listener",
            often=("connection-refused", "connection-reset"),
            sometimes=("wrong-certificate",),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset(
        {
            Reason.PROTOCOL_CONFLICT,
            Reason.HOSTNAME_CONFLICT,
            Reason.UNSUPPORTED_PROTOCOL,
            Reason.UNSUPPORTED_VALUE,
            Reason.INVALID_ROUTE_KINDS,
            Reason.NO_CERTIFICATE,
            Reason.UNSUPPORTED_ADDRESS,
        }
    )

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports what is refused of listeners, and of the addresses to open them on."""
        if verdict.reason is Reason.UNSUPPORTED_ADDRESS or verdict.listener:
            yield self.of_verdict(verdict)
