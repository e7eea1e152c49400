"""What clients see of a setting that nobody reads, by what its key is about."""

from __future__ import annotations

from typing import Final

from ingress_lint.values.patterns import deferred

_BY_SUBJECT: Final = tuple(
    (deferred(words), seen)
    for words, seen in (
        (
            r"health-?check|health-probe|^check|backend-config",
            "health checks keep to their defaults, and clients get 502 or 503 where pods do not answer those",
        ),
        (r"rewrite|strip-path|path-prefix", "pods are asked for paths that they do not have, and clients get 404"),
        (
            r"protocol|ssl-services|server-ssl|serversscheme|secure-backends|grpc|passthrough|neg$",
            "pods are spoken to in the default way, and clients get 502 where they expect another",
        ),
        (r"redirect", "redirects follow the controller's default"),
        (r"body-size", "the default limit holds, and larger uploads get 413"),
        (r"timeout|time-?out", "the default time holds, and slow requests get 504"),
        (r"auth|oauth|jwt", "requests pass without that check"),
        (r"whitelist|allowlist|allow-list|denylist|deny-list|source-range|inbound-cidrs", "nobody is kept out"),
        (r"regex|path-type", "paths are not taken for regular expressions, and clients get 404"),
        (r"canary|weight|blue-green", "traffic is not split"),
        (r"affinity|sticky|cookie|session", "clients change pods in the middle of a session"),
        (r"cors", "browsers refuse the answers"),
        (r"certificate|ssl-|tls", "TLS keeps to its defaults"),
        (r"middleware|plugin|snippet", "requests pass without it"),
        (r"scheme|internal|subnet|target-type", "the load balancer is made by its defaults"),
    )
)


def consequence(key: str) -> str:
    """The end of a sentence, by the first subject that a key names."""
    name = key.rpartition("/")[2]
    return next(
        (seen for words, seen in _BY_SUBJECT if words.search(name)), "requests are handled as if it were not there"
    )
