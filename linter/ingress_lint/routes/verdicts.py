"""What a controller refuses, and why: a reference it may not follow, a listener it cannot open, a route that hangs on
nothing. Each verdict is one sentence about one place, so that a rule reports it without knowing the controller, and it
says what becomes of the traffic, which choosing and answering obey: a finding and a trace are one answer.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject


class Reason(StrEnum):
    """Why, as the Gateway API's status conditions call it; other controllers' refusals use the same words."""

    # of routes and what they hang on
    NO_MATCHING_PARENT = "NoMatchingParent"
    NOT_ALLOWED_BY_LISTENERS = "NotAllowedByListeners"
    NO_MATCHING_LISTENER_HOSTNAME = "NoMatchingListenerHostname"
    NO_ROUTER = "NoRouter"
    """A route that its controller does not make, as it does not find what the route names; the finding there tells it."""
    # of whole configurations
    CONFIGURATION_REFUSED = "ConfigurationRefused"
    """What makes a controller, or the webhook before it, refuse all that it is given, and keep what it has."""
    PATH_REFUSED = "PathRefused"
    """A path for which an admission webhook turns its object away; the match that it belongs to says so."""
    # of references
    REF_NOT_PERMITTED = "RefNotPermitted"
    BACKEND_NOT_FOUND = "BackendNotFound"
    INVALID_KIND = "InvalidKind"
    TARGET_NOT_FOUND = "TargetNotFound"
    EXTENSION_NOT_FOUND = "ExtensionNotFound"
    # of listeners
    PROTOCOL_CONFLICT = "ProtocolConflict"
    HOSTNAME_CONFLICT = "HostnameConflict"
    UNSUPPORTED_PROTOCOL = "UnsupportedProtocol"
    UNSUPPORTED_VALUE = "UnsupportedValue"
    INVALID_ROUTE_KINDS = "InvalidRouteKinds"
    INVALID_CERTIFICATE_REF = "InvalidCertificateRef"
    INVALID_CLIENT_CERTIFICATE_REF = "InvalidClientCertificateRef"
    INVALID_CA_CERTIFICATE_REF = "InvalidCACertificateRef"
    INVALID_CA_CERTIFICATE_KIND = "InvalidCACertificateKind"
    PORT_UNAVAILABLE = "PortUnavailable"
    """A port that nothing leads to: no Service in front of the gateway has it."""
    NOT_ALLOWED = "NotAllowed"
    """A ListenerSet that its Gateway does not take."""
    NO_CERTIFICATE = "NoCertificate"
    """A listener that must end TLS and names no certificate."""
    # of gateways
    NO_INGRESS_CLASS = "NoIngressClass"
    """An Ingress whose class nobody defines, or without a class where none is the default."""
    SEVERAL_DEFAULT_CLASSES = "SeveralDefaultClasses"
    NO_GATEWAY_CLASS = "NoGatewayClass"
    """A Gateway of a class that nobody defines; its status stays `Pending`."""
    UNSUPPORTED_ADDRESS = "UnsupportedAddress"
    INVALID_PARAMETERS = "InvalidParameters"
    RETIRED = "Retired"
    """Served by a controller that its project has retired."""
    VERSION_SKEW = "VersionSkew"
    """Needed in a version or kind that the set's own definitions lack."""
    # of certificates
    SOLVER_UNREACHABLE = "SolverUnreachable"
    """An ACME challenge that nobody would be led to."""
    # of annotations
    FOREIGN_ANNOTATION = "ForeignAnnotation"
    UNKNOWN_ANNOTATION = "UnknownAnnotation"
    """A key that its controller does not know or is told to refuse, or a value that it does not take."""
    MISPLACED_SETTING = "MisplacedSetting"
    """A setting where its controller does not look for it."""
    # of policies and other objects that hang on routes
    INVALID = "Invalid"
    """One that is there and that its controller rejects, for a value or for a reference within it."""
    NO_VALID_CA_CERTIFICATE = "NoValidCACertificate"
    CONFLICTED = "Conflicted"
    """An older policy has its target."""
    TLS_CONFLICTED = "TLSConflicted"
    """An older BackendTLSPolicy has its port."""
    OVERRIDDEN = "Overridden"
    """A policy nearer to the route takes its place."""


class Certainty(StrEnum):
    """How sure a verdict is."""

    KNOWN = "known"
    LIKELY = "likely"
    """It follows from what most implementations do, or from what a set that looks whole does not hold."""
    UNKNOWN = "unknown"
    """The set does not hold what would decide it."""

    @classmethod
    def of_missing(cls, existence: Existence) -> Certainty:
        """How sure it is that an object is not there."""
        return cls.KNOWN if existence is Existence.MISSING else cls.UNKNOWN


class Fate(StrEnum):
    """What becomes of the requests of a route for which something is refused.

    What is refused of a listener or a backend is told by the listener (`usable`) and the backend (`refusal`).
    """

    GOES_ON = "goes on"
    """They are served as if what is refused were not there, or nothing here says otherwise."""
    ANSWERED = "answered"
    """The route is there, and its controller answers all of its requests with an error."""
    DROPPED = "dropped"
    """The route is not there: the next one that fits answers, or nobody does."""
    NOT_APPLIED = "not applied"
    """Nothing of the configuration gets through, so that what was there before goes on, or nothing at all."""


class Verdict(Struct, frozen=True):
    """One refusal. `object` is the one whose status would tell, `message` a sentence that says what clients see."""

    reason: Reason
    object: AnyObject
    place: Place
    message: str
    certainty: Certainty = Certainty.KNOWN
    related: tuple[tuple[str, Place], ...] = ()
    """Further places, each with its caption."""
    fix: str = ""
    listener: str = ""
    """The listener concerned, where it is one of several."""
    fate: Fate = Fate.GOES_ON
    status: int | None = None
    """What clients of the route get, where it is answered or not applied; None where no HTTP answer arrives."""

    @property
    def known(self) -> bool:
        """Whether there is no doubt of it, so that it decides."""
        return self.certainty is Certainty.KNOWN
