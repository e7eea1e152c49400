"""What ingress-nginx refuses: of its admission webhook paths that do not fit their type, and snippets; of nginx itself a
configuration that has one location twice.

kubernetes/ingress-nginx:internal/ingress/controller/controller.go (CheckIngress), internal/ingress/inspector/rules.go
(the characters of paths), internal/ingress/controller/config/config.go (`strict-validate-path-type`, on by default since
1.12; `allow-snippet-annotations`, off since 1.9; `annotations-risk-level`, High since 1.12); kubernetes/ingress-nginx#13798
(dots in paths, taken since 1.12.6 and 1.13.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ingress_lint.controllers.ingress_nginx.settings import Settings
from ingress_lint.controllers.shared.base import IngressObject, PathContext
from ingress_lint.routes.verdicts import Certainty, Fate, Reason, Verdict
from ingress_lint.values.patterns import deferred

_SWITCH: Final = "strict-validate-path-type"
_PLAIN: Final = deferred(r"/[A-Za-z0-9._/-]*")
_STRICT_SINCE: Final = (1, 12)
_DOTS_SINCE: Final = ((1, 12, 6), (1, 13, 2))
"""In the releases of 1.12, and in all later ones."""
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
    if _PLAIN.fullmatch(value) and ("." not in value or _takes_dots(settings.installation.version)):
        return None
    certainty = _strict(settings)
    if certainty is None:
        return None
    ingress, known = context.ingress, certainty is Certainty.KNOWN
    since = "" if known else " since 1.12"
    runs = known and settings.installation.seen
    return Verdict(
        Reason.PATH_REFUSED,
        ingress,
        context.place.at("path"),
        f"path `{value}` of Ingress `{ingress.name}` has characters that ingress-nginx{since} refuses with pathType "
        f"{kind}: {_TURNED_AWAY}",
        certainty,
        fix="use `pathType: ImplementationSpecific`, or a plain path",
        fate=Fate.NOT_APPLIED if runs else Fate.GOES_ON,
        status=404,
    )


def _takes_dots(version: tuple[int, ...]) -> bool:
    """Whether plain paths may hold dots; unknown counts as yes."""
    since = next((start for start in _DOTS_SINCE if start[:2] == version[:2]), _DOTS_SINCE[-1])
    return len(version) < len(since) or version >= since


def located_twice(first: PathContext, second: PathContext) -> Verdict:
    """Why nginx takes no configuration: two paths of one host come to one location."""
    one, other = first.path_value, second.path_value
    ingress = second.ingress
    of_first = f"`{one}` of Ingress `{first.ingress.name}`" if first.ingress is not ingress else f"`{one}`"
    return Verdict(
        Reason.CONFIGURATION_REFUSED,
        ingress,
        second.place.at("path"),
        f"path `{other}` of Ingress `{ingress.name}` comes to the same nginx location as {of_first}, "
        f"`{location_of(second)}`; nginx refuses a configuration with a duplicate location, so that no later change of any "
        f"Ingress arrives, and clients get 404 or what was there before",
        related=((f"path `{one}`", first.place.at("path")),),
        fix="keep one of the two paths; a Prefix matches with and without the slash at its end",
        fate=Fate.NOT_APPLIED,
        status=404,
    )


def location_of(context: PathContext) -> str | None:
    """The nginx location of a path that is no regular expression; None for the root and for exact ones.

    kubernetes/ingress-nginx:internal/ingress/controller/controller.go, updateServerLocations: a Prefix ends in a slash, and
    without it becomes an exact location besides.
    """
    value = context.path_value or "/"
    if context.is_default or value == "/" or context.path_type == "Exact" or not _PLAIN.fullmatch(value):
        return None
    return value.rstrip("/") + "/" if context.path_type == "Prefix" else value


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
