"""Names of hosts and of objects that are named like hosts: DNS labels and subdomains, in lower case.

kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go (RFC 1123).
"""

from __future__ import annotations

from typing import Final

from ingress_lint.values.patterns import deferred

LONGEST_LABEL: Final = 63
LONGEST_NAME: Final = 253
_LABEL: Final = deferred(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = deferred(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*")


def is_label(text: str) -> bool:
    """Whether it is one label: at most 63 letters, digits and dashes, no dash at either end (IsDNS1123Label)."""
    return len(text) <= LONGEST_LABEL and _LABEL.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Whether it is a name of labels with dots between them, of at most 253 characters (IsDNS1123Subdomain)."""
    return len(text) <= LONGEST_NAME and _SUBDOMAIN.fullmatch(text) is not None
