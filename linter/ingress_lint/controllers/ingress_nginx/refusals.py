"""What ingress-nginx's admission webhook refuses: paths that do not fit their type, and snippets.

kubernetes/ingress-nginx:internal/ingress/controller/controller.go (CheckIngress), internal/ingress/inspector/rules.go
(the characters of paths), internal/ingress/controller/config/config.go (`strict-validate-path-type`, on by default since
1.12; `allow-snippet-annotations`, off since 1.9; `annotations-risk-level`, High since 1.12). Dots in paths are allowed
since kubernetes/ingress-nginx#13798, in 1.12.6 and 1.13.2 (cert-manager.io, release notes 1.18).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ingress_lint.controllers.ingress_nginx.settings import Settings
from ingress_lint.controllers.shared.base import IngressObject, PathContext
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.patterns import deferred

_SWITCH: Final = "strict-validate-path-type"
_PLAIN: Final = deferred(r"/[A-Za-z0-9._/-]*")
_STRICT_SINCE: Final = (1, 12)
_DOTS_SINCE: Final[Mapping[tuple[int, ...], tuple[int, ...]]] = {(1, 12): (1, 12, 6), (1, 13): (1, 13, 2)}
"""The first patch of a release that allows dots in plain paths; later releases all do."""
_SNIPPETS: Final = ("configuration-snippet", "server-snippet", "auth-snippet", "modsecurity-snippet", "stream-snippet")
_ALLOW: Final = "allow-snippet-annotations"
_RISK: Final = "annotations-risk-level"
_OFF_SINCE: Final = (1, 9)
_TURNED_AWAY: Final = "its admission webhook turns the Ingress away, and clients get 404, or what was there before"


def refused_path(context: PathContext, settings: Settings) -> Verdict | None:
    """Why an Ingress is refused for one of its paths; None where it is not, or where its installation has no webhook.

    Exact, Prefix and no type take plain paths only; ImplementationSpecific takes all.
    """
    value, kind = context.path_value or "", context.path_type or "Prefix"
    if context.is_default or not value or kind == "ImplementationSpecific":
        return None
    if _PLAIN.fullmatch(value) and not ("." in value and _refuses_dots(settings.installation.version)):
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
        f"{kind}: {_TURNED_AWAY}",
        certainty,
        fix="use `pathType: ImplementationSpecific`, or a plain path",
    )


def _refuses_dots(version: tuple[int, ...]) -> bool:
    """Whether a release takes a dot for no plain character; one that is not known does not."""
    return bool(version) and version < _DOTS_SINCE.get(version[:2], _STRICT_SINCE)


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


def snippets(ingress: IngressObject, prefix: str) -> Sequence[str]:
    """The annotations of an Ingress that hold snippets."""
    return [key for name in _SNIPPETS if (key := f"{prefix}/{name}") in ingress.annotations]


def refused_snippets(settings: Settings) -> Iterator[Verdict]:
    """One verdict for all snippets of an Ingress, where the administrator allows none, or none of that risk."""
    ingress = settings.ingress
    keys = snippets(ingress, settings.installation.prefix)
    ban = _ban(settings) if keys else None
    if ban is None:
        return
    why, certainty, fix = ban
    first, *more = keys
    yield Verdict(
        Reason.UNKNOWN_ANNOTATION,
        ingress,
        ingress.annotation_place(first).key(),
        f"ingress-nginx refuses `{first}` on Ingress `{ingress.name}`, as {why}: {_TURNED_AWAY}",
        certainty,
        tuple((f"`{key}` neither", ingress.annotation_place(key).key()) for key in more),
        fix,
    )


def _ban(settings: Settings) -> tuple[str, Certainty, str] | None:
    """Why snippets are refused, how sure that is and what to do; None where they are not."""
    installation, allowed = settings.installation, settings.boolean(_ALLOW, False)
    if installation.seen and not installation.webhook:
        return None
    fix = f"do without it, or set `{_ALLOW}` in the controller's ConfigMap"
    if allowed.explicit and not allowed.value:
        return f"`{_ALLOW}` is off", Certainty.KNOWN, fix
    if not allowed.explicit:
        if installation.version and installation.version < _OFF_SINCE:
            return None
        certainty = Certainty.KNOWN if installation.version and installation.told else Certainty.LIKELY
        return f"`{_ALLOW}` is off by default since 1.9", certainty, fix
    if installation.version < _STRICT_SINCE or ((risk := settings.text(_RISK)) and risk.value == "Critical"):
        return None
    return f"`{_RISK}` is below Critical, which snippets are", Certainty.KNOWN, f"set `{_RISK}: Critical` there as well"
