"""The phase in front of everything: names, packet sizes, and the nodes' table of connections."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Final

from ingress_lint.runbook import shell
from ingress_lint.runbook.model import Check, Failure
from ingress_lint.tracing.asking import Asked

_MANY: Final = 50


def internet_checks(asked: Asked, namespace: str) -> Iterator[Check]:
    """What only shows from outside. `namespace` is where debug pods may run."""
    http = asked.request.protocol in ("http", "grpc")
    yield _names(asked)
    if http:
        yield _sizes(asked)
    yield _packets(namespace)
    yield _connections(namespace)
    if http:
        yield _repeated(asked)


def _names(asked: Asked) -> Check:
    host = quote(asked.request.host)
    return Check(
        "Compare DNS with the load balancer",
        (f"getent ahosts {host}", 'getent ahosts "$ADDRESS"'),
        "the same addresses twice",
        (
            Failure("no address", "the name has no record: external-dns or the zone is at fault, not these manifests"),
            Failure(
                "other addresses", "the name leads to another load balancer, a CDN, or one that is gone", ("IL121",)
            ),
        ),
    )


def _url(asked: Asked) -> str:
    request = asked.request
    scheme = "https" if request.secure else "http"
    query = f"?{request.query_string}" if request.query_string else ""
    return quote(f"{scheme}://{shell.in_url(request.host)}:{request.port}{shell.path(request.path)}{query}")


def _sizes(asked: Asked) -> Check:
    url = _url(asked)
    show = r"--write-out '%{http_code}, %{size_download} bytes in %{time_total} s\n'"
    return Check(
        "A small answer against a large one",
        (
            f"{shell.CURL} {show} --head {url}",
            f"{shell.CURL} {show} {url}  # any URL of this host whose answer has more than 1500 bytes",
            f"{shell.CURL} {show} --header \"X-Padding: $(printf 'a%.0s' $(seq 1 3000))\" {url}",
        ),
        "all three answer, the second with its full size, the third (a request larger than a packet) as the first",
        (
            Failure(
                "the first answers, the second hangs",
                "packets that are too large vanish on the way: an overlay's MTU above what the network carries, with "
                "ICMP blocked so that nobody is told",
                ("IL301", "IL302"),
            ),
            Failure("the third alone hangs", "the same, from the client to the pod", ("IL301", "IL302")),
            Failure("the third alone is 400 or 431", "a limit on headers", ("IL216",)),
            Failure("the third alone is 413", "a limit on the request's size", ("IL211",)),
        ),
    )


def _packets(namespace: str) -> Check:
    debug = shell.kubectl(namespace, 'debug "$NODE"')
    return Check(
        "Compare the packet sizes of pods and nodes",
        (
            *shell.in_pod(namespace, shell.BUSYBOX_IMAGE, "ip -o link show eth0"),
            "for NODE in $(kubectl get nodes --output=name); do",
            f"  {debug} --quiet --attach --image={shell.BUSYBOX_IMAGE} -- ip -o link",
            "done",
            'ping -c 3 -M do -s 1472 "$ADDRESS"  # 1500 bytes in all, from Linux; some networks drop every ping',
        ),
        "the pods' mtu is below the nodes' by what the overlay adds (VXLAN 50, IP-in-IP 20, WireGuard 60), or equal "
        "without one; the ping comes back, or says `message too long`",
        (
            Failure("pods have the nodes' mtu, under an overlay", "packets of full size do not fit", ("IL301",)),
            Failure("different nodes or pods, different sizes", "two places configure the same network", ("IL302",)),
        ),
    )


def _connections(namespace: str) -> Check:
    script = (
        "cd /proc/sys/net/netfilter; cat nf_conntrack_count nf_conntrack_max; "
        'cat /proc/net/stat/nf_conntrack; dmesg | grep -c "nf_conntrack: table full"'
    )
    debug = shell.kubectl(namespace, 'debug "$NODE"')
    sweep = "grep '/node-debugger-' | xargs " + shell.kubectl(namespace, "delete")
    return Check(
        "Read the connection tables of the nodes, twice, a minute apart",
        (
            "for NODE in $(kubectl get nodes --output=name); do",
            f'  echo "$NODE"; {debug} --quiet --attach --profile=sysadmin --image={shell.BUSYBOX_IMAGE} -- \\',
            f"    sh -c {quote(script)}",
            "done",
            f"{shell.kubectl(namespace, 'get pods --output=name')} | {sweep}  # debug pods stay until deleted",
        ),
        "the first number is well below the second, the columns insert_failed, drop and early_drop (hexadecimal, a "
        "line for each CPU) stay the same, and the last number is 0",
        (
            Failure(
                "the table is nearly full, or drop grows",
                "too many connections for too small a table: new ones are dropped, which looks like random timeouts",
                ("IL303", "IL304", "IL305", "IL306", "IL307"),
            ),
            Failure(
                "insert_failed grows",
                "two packets race for one entry, most often UDP to DNS: lookups that take 5 s",
                ("IL304", "IL305"),
            ),
        ),
    )


def _repeated(asked: Asked) -> Check:
    plain = f"{shell.CURL} --write-out '%{{http_code}}\\n' {_url(asked)}"
    return Check(
        f"Ask {_MANY} times, for what fails only now and then",
        (f"for N in $(seq 1 {_MANY}); do {plain}; sleep 1; done | sort | uniq -c",),
        f"{_MANY} times the same status",
        (
            Failure(
                "now and then a 502",
                "the pod closes idle connections before the gateway does, or pods are in rotation before they listen or "
                "after they end",
                ("IL209", "IL212", "IL305", "IL307", "IL505"),
            ),
            Failure(
                "every second or third a 503 or 404", "some pods, or two routes of one host, differ", ("IL103", "IL404")
            ),
        ),
    )
