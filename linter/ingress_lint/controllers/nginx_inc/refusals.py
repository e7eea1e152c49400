"""Policies that F5 NGINX rejects: each route that names one answers 500.

nginx/kubernetes-ingress:pkg/apis/configuration/validation/policy.go; docs.nginx.com, policy-resource, "Invalid policies";
nginx/kubernetes-ingress#10463.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ingress_lint.controllers.shared.policies.fields import settings
from ingress_lint.controllers.shared.policies.rejected import EACH, Refused, Value, wrong_values
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.verdicts import Fate, Verdict
from ingress_lint.values.addresses import network
from ingress_lint.values.patterns import deferred

_REFUSED: Final = Refused(
    "F5 NGINX", "state Invalid, reason Rejected", "clients of the routes that name it get 500", Fate.ANSWERED, 500
)
_RATE: Final = deferred(r"[1-9][0-9]{0,17}r/[sSmM]")
_KINDS: Final = frozenset(
    {
        "accessControl",
        "apiKey",
        "basicAuth",
        "cache",
        "cors",
        "egressMTLS",
        "externalAuth",
        "hsts",
        "ingressMTLS",
        "jwt",
    }
    | {"oidc", "rateLimit", "waf"}
)
"""The fields of which a Policy has exactly one."""


def _range(value: Any) -> str | None:
    known = not isinstance(value, str) or network(value) is not None
    return None if known else "which is neither an IP address nor a range such as `10.0.0.0/8`"


def _rate(value: Any) -> str | None:
    return "which is no rate such as `10r/s`" if isinstance(value, str) and not _RATE.fullmatch(value) else None


def _code(value: Any) -> str | None:
    return "which is not between 400 and 599" if isinstance(value, int) and not 400 <= value <= 599 else None


def _positive(value: Any) -> str | None:
    return "and must be more than 0" if isinstance(value, int) and value <= 0 else None


def _both(value: Any) -> str | None:
    both = isinstance(value, dict) and value.get("allow") is not None and value.get("deny") is not None
    return "has both `allow` and `deny`, and may have one" if both else None


_VALUES: Final = (
    Value(("accessControl", "allow", EACH), _range),
    Value(("accessControl", "deny", EACH), _range),
    Value(("accessControl",), _both, fix="make a Policy for each; the first that fits an address decides"),
    Value(("rateLimit", "rate"), _rate),
    Value(("rateLimit", "rejectCode"), _code),
    Value(("rateLimit", "burst"), _positive),
    Value(("rateLimit", "delay"), _positive),
)


def rejections(policy: AnyObject) -> Sequence[Verdict]:
    """Why a Policy is rejected."""
    found = list(wrong_values(policy, _VALUES, _REFUSED))
    first, *more = sorted(settings(policy) & _KINDS) or ("",)
    if more:
        every = ", ".join(f"`{name}`" for name in (first, *more))
        what = f"Policy `{policy.name}` has {every}, and a Policy may have one of them"
        found.append(_REFUSED.verdict(policy, policy.at("spec", more[0]).key(), what, fix="make a Policy for each"))
    return found
