"""Commands for a POSIX shell. Names, hosts and paths come from manifests, so each is quoted, and never an option."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Final
from urllib.parse import quote as percent_encoded

from ingress_lint.objects.model import AnyObject
from ingress_lint.values.patterns import deferred

CURL_IMAGE: Final = "curlimages/curl:8.11.1"
GRPCURL_IMAGE: Final = "fullstorydev/grpcurl:v1.9.1"
OPENSSL_IMAGE: Final = "alpine/openssl:3.3.2"
BUSYBOX_IMAGE: Final = "busybox:1.37"
CURL: Final = "curl --globoff --silent --show-error --output /dev/null --max-time 10"
TIMED: Final = r"--write-out '%{http_code} in %{time_total} s\n'"
_TOKEN: Final = deferred(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A header's name (RFC 9110, 5.6.2). curl would read a file for one that starts with `@`."""
_HARMLESS_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def kubectl(namespace: str, words: str) -> str:
    """A kubectl command; `words` are quoted already. Cluster-scoped where `namespace` is empty."""
    return f"kubectl --namespace={quote(namespace)} {words}" if namespace else f"kubectl {words}"


def named(kind: str, name: str) -> str:
    """An object as an argument of kubectl. With the kind before it, no name can be taken for an option."""
    return quote(f"{kind}/{name}")


def resource(item: AnyObject) -> str:
    """An object as an argument of kubectl, its group included where it is not one of Kubernetes' own."""
    kind = item.kind.lower()
    return named(f"{kind}.{item.group}" if "." in item.group else kind, item.name)


def variable(name: str, namespace: str, words: str, path: str) -> str:
    """An assignment of a field of an object to a variable."""
    return f"{name}=$({kubectl(namespace, f'get {words} --output=jsonpath={quote(path)}')})"


def in_pod(namespace: str, image: str, command: str) -> tuple[str, ...]:
    """A command run in a pod that is gone afterwards."""
    run = f"run ingress-lint-debug --rm -i --quiet --restart=Never --image={image} -- \\"
    return kubectl(namespace, run), f"  {command}"


def headers(values: Mapping[str, str], host: str = "") -> str:
    """The options of curl for headers, those left out that HTTP does not allow."""
    lines = [f"Host: {host}"] if host else []
    for name, value in values.items():
        if _TOKEN.fullmatch(name) and not (host and name.lower() == "host"):
            lines.append(f"{name}: {value}" if value else f"{name};")
    return "".join(f" --header {quote(line)}" for line in lines)


def method(name: str) -> str:
    """The option of curl for a method."""
    if name == "GET":
        return ""
    return " --head" if name == "HEAD" else f" --request {quote(name)}"


def changes_things(name: str) -> bool:
    """Whether a request of this method may change something at the application."""
    return name not in _HARMLESS_METHODS


def in_url(host: str) -> str:
    """A host for a URL, in which nothing can end the host."""
    return percent_encoded(host, safe=".-_")


def path(text: str) -> str:
    """A path for a URL."""
    return text if text.startswith("/") else f"/{text}"


def selector(labels: Mapping[str, str]) -> str:
    """The option of kubectl for pods with labels."""
    return f"--selector={quote(','.join(f'{key}={value}' for key, value in labels.items()))}"


def columns(keys: Iterable[str]) -> str:
    """The option of kubectl that shows labels as columns."""
    return f"--label-columns={quote(','.join(keys))}"
