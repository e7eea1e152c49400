"""Paths that ingress-nginx's admission webhook refuses for their type.

kubernetes/ingress-nginx:internal/ingress/inspector/rules.go (the characters), internal/ingress/controller/controller.go
(CheckIngress), internal/ingress/controller/config/config.go (`strict-validate-path-type`, on by default since 1.12).
"""

from __future__ import annotations

import re
from typing import Final

from ingress_lint.controllers.base import PathContext
from ingress_lint.controllers.ingress_nginx_settings import Settings
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_SWITCH: Final = "strict-validate-path-type"
_PLAIN: Final = re.compile(r"/[A-Za-z0-9._/-]*")
_STRICT_SINCE: Final = (1, 12)


def refused_path(context: PathContext, settings: Settings) -> Verdict | None:
    """Why an Ingress is refused for one of its paths; None where it is not, or where its installation has no webhook.

    Exact, Prefix and no type take plain paths only; ImplementationSpecific takes all.
    """
    value, kind = context.path_value or "", context.path_type or "Prefix"
    if context.is_default or not value or kind == "ImplementationSpecific" or _PLAIN.fullmatch(value):
        return None
    certainty = _strict(settings)
    if certainty is None:
        return None
    ingress = context.ingress
    since = "" if certainty is Certainty.KNOWN else " since 1.12"
    return Verdict(
        Reason.UNSUPPORTED_VALUE,
        ingress,
        context.place.at("path"),
        f"path `{value}` of Ingress `{ingress.name}` has characters that ingress-nginx{since} refuses with pathType "
        f"{kind}: its admission webhook turns the Ingress away, and clients get 404, or what was there before",
        certainty,
        fix="use `pathType: ImplementationSpecific`, or a plain path",
    )


def _strict(settings: Settings) -> Certainty | None:
    """How sure it is that paths are checked, None where they are not."""
    installation, switch = settings.installation, settings.boolean(_SWITCH, True)
    if installation.seen and not installation.webhook:
        return None
    if switch.explicit:
        return Certainty.KNOWN if switch.value else None
    if installation.version:
        known = installation.version >= _STRICT_SINCE
        return (Certainty.KNOWN if installation.told else Certainty.LIKELY) if known else None
    return Certainty.LIKELY
