"""Which rules speak of the reason for which a suite expects a condition to be false."""

from __future__ import annotations

from typing import Any

_CERTIFICATE = "IL105 IL106 IL113"
_CONFORMANCE = {
    "RefNotPermitted": "IL113",
    "NoMatchingParent": "IL112",
    "NotAllowedByListeners": "IL112",
    "NoMatchingListenerHostname": "IL112",
    "NotAllowed": "IL112 IL114",
    "BackendNotFound": "IL401",
    "InvalidKind": "IL410 IL401",
    "InvalidRouteKinds": "IL114",
    "InvalidCertificateRef": _CERTIFICATE,
    "InvalidClientCertificateRef": _CERTIFICATE,
    "NoValidCACertificate": "IL105 IL106 IL502",
    "InvalidCACertificateRef": f"{_CERTIFICATE} IL502",
    "InvalidCACertificateKind": "IL105 IL106 IL502",
    "ListenersNotValid": f"{_CERTIFICATE} IL112 IL114",
    "ProtocolConflict": "IL114",
    "HostnameConflict": "IL114",
    "UnsupportedProtocol": "IL002 IL114",
    "UnsupportedAddress": "IL002 IL114",
}
"""Reasons of the Gateway API."""
_ROUTING = _CONFORMANCE | {
    "Conflicted": "IL114 IL502",
    "UnsupportedValue": "IL002 IL114",
    "InvalidParameters": "IL101",
}
_ROUTING_OTHERS = f"{_CERTIFICATE} IL002 IL101 IL112 IL114 IL401 IL409 IL410"
_GOLDEN = _CONFORMANCE | {
    "Conflicted": "IL003 IL103 IL114 IL118 IL502",
    # Envoy Gateway
    "PortNotFound": "IL402",
    "PortNotSpecified": "IL002 IL402",
    "InvalidBackendRef": "IL002 IL113 IL118 IL401 IL402 IL410 IL502",
    "InvalidBackendTLS": f"{_CERTIFICATE} IL118 IL401 IL502",
    "UnsupportedRefValue": "IL002 IL110 IL118 IL410",
    "UnsupportedAddressType": "IL002 IL401 IL410",
    "InvalidAddress": "IL002 IL107 IL401 IL410 IL509",
    "EndpointsNotFound": "IL403 IL405",
    "TargetNotFound": "IL118 IL401",
    "InvalidRule": "IL002 IL103 IL112 IL114 IL410",
    "UnsupportedTLSMode": "IL002 IL114 IL503",
    "PartiallyInvalidCertificateRef": _CERTIFICATE,
    # Istio
    "InvalidTLS": f"{_CERTIFICATE} IL002 IL114",
    "InvalidDestination": "IL401 IL402 IL410",
    "InvalidDestinationPermit": "IL113",
    "InvalidDestinationNotFound": "IL401 IL402 IL405",
    "InvalidDestinationKind": "IL410",
    "InvalidParentReference": "IL112 IL113",
    "ParentNotFound": "IL112",
    "HostnameIntersection": "IL112",
    "ParentNotAccepted": "IL112 IL113 IL114",
    "NoMatchingHostname": "IL112",
    "PortUnavailable": "IL114 IL117",
}
"""Reasons of controllers' own suites; of others any error or warning speaks."""
_REFUSALS = {"IL122", "IL123", "IL124"}
"""Rules that speak of any refusal."""


def speaking_codes(part: str, status: dict[str, Any]) -> set[str] | None:
    """The codes of which one must be reported on the object; None where any error or warning will do."""
    condition = status["condition"]
    if part == "routing":
        return set(_ROUTING.get(condition["reason"], _ROUTING_OTHERS).split())
    if "codes" in status:
        return {*status["codes"], *_REFUSALS} if status["codes"] else None
    message = condition.get("message") or ""
    if "not accessible to" in message or "ReferenceGrant" in message:
        return {"IL113"}
    known = _GOLDEN.get(condition["reason"])
    return {*known.split(), *_REFUSALS} if known else None
