"""What a client gets where an error finding lies on its request's way: one row for each rule, by kind of proxy.

A message may name one of several statuses, as it knows more of the fault than its code tells (whether a probe keeps the pod
out of rotation, what a controller makes of a missing object). The row then lists what it may be, and the message decides, so
that a trace says what the finding says.

Sources: the section `What you see` of each rule's page, and

- nginx: 502 for a connection that is refused, reset or no HTTP, 504 for one that times out (nginx/nginx:src/http/
  ngx_http_upstream.c, `ngx_http_upstream_next`); Kong and F5 NGINX are built on it
- Envoy: 503 for a connection that is refused, times out or fails in the handshake, and for no healthy host; 502 for
  another protocol (response flags UF, UC, UH and UPE; envoyproxy/envoy:source/common/router/router.cc)
- Traefik: 502 for a connection that fails, 504 for one that times out, 500 for a handshake that fails
  (traefik/traefik:pkg/proxy/httputil/proxy.go, `ComputeStatusCode`)
- HAProxy: 503 for a connection that fails in any way, 502 for an answer that is no HTTP (docs.haproxy.org, management guide)
- GKE: 502 where no backend of an Ingress is healthy, 503 "no healthy upstream" on a Gateway (FairwindsOps/goldilocks#825)
- Application Gateway: 502 where no backend is healthy (learn.microsoft.com, application-gateway-troubleshooting-502)
- ALB: 503 without a target, 502 for a target that resets or speaks otherwise, 504 for one that does not answer
  (docs.aws.amazon.com, elasticloadbalancing/latest/application/load-balancer-troubleshooting.html)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec import Struct

from ingress_lint.symptoms import matching


class Kind(Enum):
    """Kinds of proxies and load balancers that tell their clients the same of the same fault."""

    NGINX = "nginx"
    ENVOY = "Envoy"
    TRAEFIK = "Traefik"
    HAPROXY = "HAProxy"
    GKE_INGRESS = "GKE Ingress"
    GKE_GATEWAY = "GKE Gateway"
    APPLICATION_GATEWAY = "Application Gateway"
    ALB = "ALB"


KINDS: Final[Mapping[str, Kind]] = {
    "ingress-nginx": Kind.NGINX,
    "nginx-ingress": Kind.NGINX,
    "nginx-gateway-fabric": Kind.NGINX,
    "kong": Kind.NGINX,
    "kong-gateway": Kind.NGINX,
    "envoy-gateway": Kind.ENVOY,
    "istio": Kind.ENVOY,
    "contour": Kind.ENVOY,
    "contour-gateway": Kind.ENVOY,
    "cilium": Kind.ENVOY,
    "kgateway": Kind.ENVOY,
    "traefik": Kind.TRAEFIK,
    "traefik-gateway": Kind.TRAEFIK,
    "haproxy": Kind.HAPROXY,
    "haproxytech-gateway": Kind.HAPROXY,
    "haproxy-ingress": Kind.HAPROXY,
    "haproxy-ingress-gateway": Kind.HAPROXY,
    "gke": Kind.GKE_INGRESS,
    "gke-gateway": Kind.GKE_GATEWAY,
    "agic": Kind.APPLICATION_GATEWAY,
    "aws-load-balancer-controller": Kind.ALB,
    "aws-gateway": Kind.ALB,
}
"""The kind of each controller, by the name that routes have it under; others are of no kind that is known."""


class Effect(Enum):
    """What becomes of a request for which a finding is an error."""

    ANSWERED = "the proxy answers with an error"
    TOLD = "it answers with an error where the message names one"
    FOLLOWED = "following the request shows it already"
    OBEYED = "its verdict says what becomes of the route, and following the request obeys it"
    REFUSED = "the connection is not opened, or not kept"
    HANDSHAKE = "a client that checks certificates ends the TLS handshake"
    LOOPS = "redirects lead nowhere"
    KEPT_AWAY = "the route is not there, so that requests find none, or it answers what the message names"
    NONE = "no answer follows from it"


class Prediction(Struct, frozen=True):
    """What follows from an error of one rule. `why` tells what the effect's own words leave open."""

    effect: Effect
    status: int | None = None
    """What the client gets where nothing below says otherwise; None where no HTTP answer arrives."""
    by: Mapping[Kind, int] = {}
    """What it gets from proxies of a kind."""
    told: tuple[int, ...] = ()
    """What the message may name instead, the likelier first."""
    why: str = ""

    def decides(self, message: str, *, encrypted: bool) -> bool:
        """Whether an error with this message changes what becomes of a request that finds its route."""
        if self.effect in (Effect.TOLD, Effect.KEPT_AWAY) or (self.effect is Effect.HANDSHAKE and not encrypted):
            return self._named(message) is not None
        return self.effect in (Effect.ANSWERED, Effect.HANDSHAKE, Effect.REFUSED)

    def status_from(self, controller: str, message: str = "") -> int | None:
        """What the client gets from a controller, for a finding with this message."""
        if self.effect is Effect.LOOPS:
            return next((status for status in self.told if f"({status})" in message), None)
        kind = KINDS.get(controller)
        expected = self.status if kind is None else self.by.get(kind, self.status)
        named = self._named(message, expected)
        return expected if named is None else named

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that clients get from some proxy, whatever a message names."""
        certain = {status for status in (self.status, *self.by.values()) if status is not None}
        return tuple(str(status) for status in sorted(certain))

    def told_behind(self, message: str) -> int | None:
        """What a client of HTTP gets through a balancer of connections: what the proxy behind it says of what arrives."""
        return self._named(message) if self.effect is Effect.REFUSED else None

    def _named(self, message: str, expected: int | None = None) -> int | None:
        """The likeliest of what it may be that a message names."""
        named = {symptom.name for symptom in matching(message) if symptom.status}
        return next((status for status in (expected, *self.told) if str(status) in named), None)


def _answered(status: int, *told: int, **by: int) -> Prediction:
    """An error status, by kind where that matters; the keywords are names of kinds."""
    return Prediction(Effect.ANSWERED, status, {Kind[name]: own for name, own in by.items()}, told)


def _told(*statuses: int) -> Prediction:
    return Prediction(Effect.TOLD, told=statuses)


def _none(why: str) -> Prediction:
    return Prediction(Effect.NONE, why=why)


_UNHEALTHY: Final = _answered(503, GKE_INGRESS=502, APPLICATION_GATEWAY=502)
_CLOSED: Final = _answered(502, 503, ENVOY=503, HAPROXY=503)
CONNECTION_LOST: Final = _answered(502, ENVOY=503)
"""What follows where a pod takes the connection and closes it before it has answered."""
_FOLLOWED: Final = Prediction(Effect.FOLLOWED)
_OBEYED: Final = Prediction(Effect.OBEYED)
_KEPT_AWAY: Final = Prediction(Effect.KEPT_AWAY)
_CERTIFICATE: Final = _told(502, 503, 500)
"""Only a proxy that checks a pod's certificate answers with an error; a client that checks none is answered."""
_REFUSED_OBJECT: Final = _none("the API server refuses the object, and what was there before goes on")
_WHICH: Final = _none("which of the two counts is not known, so that either may answer")

PREDICTIONS: Final[Mapping[str, Prediction]] = {
    "IL001": _REFUSED_OBJECT,
    "IL002": _REFUSED_OBJECT,
    "IL003": _WHICH,
    "IL004": _none("requests are followed by the value that counts, the later one"),
    "IL005": _REFUSED_OBJECT,
    "IL006": _REFUSED_OBJECT,
    "IL010": _none("nothing is known of what was not rendered"),
    "IL011": _none("requests are followed by the settings that count"),
    "IL101": Prediction(Effect.KEPT_AWAY, told=(404,)),
    "IL103": _none("requests are followed to the route that wins"),
    "IL104": _none("who does not check certificates is answered all the same"),
    "IL105": _CERTIFICATE,
    "IL106": _CERTIFICATE,
    "IL107": _KEPT_AWAY,
    "IL108": _KEPT_AWAY,
    "IL110": _none("whether the pod knows the path that it gets is not known"),
    "IL111": Prediction(Effect.LOOPS, told=(308, 307, 302, 301)),
    "IL112": _KEPT_AWAY,
    "IL113": Prediction(Effect.KEPT_AWAY, told=(404, 500, 503)),
    "IL114": _KEPT_AWAY,
    "IL117": Prediction(Effect.REFUSED),
    "IL118": Prediction(Effect.KEPT_AWAY, told=(404, 500, 503, 403)),
    "IL119": _told(500),
    "IL122": _OBEYED,
    "IL123": _OBEYED,
    "IL201": _UNHEALTHY,
    "IL202": _UNHEALTHY,
    "IL203": _UNHEALTHY,
    "IL204": _UNHEALTHY,
    "IL207": Prediction(Effect.REFUSED, told=(403, 502)),
    "IL208": _REFUSED_OBJECT,
    "IL213": Prediction(Effect.REFUSED, told=(400,)),
    "IL214": Prediction(Effect.REFUSED, told=(400,)),
    "IL301": _none("only what is larger than a packet gets lost"),
    "IL303": _told(503),
    "IL401": _FOLLOWED,
    "IL402": _FOLLOWED,
    "IL403": _FOLLOWED,
    "IL405": _FOLLOWED,
    "IL406": _told(404, 500, 503, 502),
    "IL407": _told(503, 502, 404),
    "IL408": _told(503),
    "IL409": _FOLLOWED,
    "IL410": _FOLLOWED,
    "IL501": _CLOSED,
    "IL502": _answered(502, 502, 503, ENVOY=503, TRAEFIK=500, HAPROXY=503),
    "IL503": Prediction(Effect.HANDSHAKE),
    "IL506": _told(503),
    "IL507": _answered(502),
    "IL508": _answered(504, ENVOY=503, HAPROXY=503, GKE_INGRESS=502, GKE_GATEWAY=503),
    "IL509": _CLOSED,
    "IL510": _CLOSED,
    "IL511": _answered(502, 403, ENVOY=503),
    "IL513": _answered(403, 502, 503),
}
"""What follows from an error of each rule."""
