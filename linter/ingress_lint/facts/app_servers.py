"""Application servers in containers: how long each keeps an idle connection, or why it keeps none.

Recognised by what the manifest runs: command line, image, environment. Where the version decides and no image tag tells
it, or where a file that cannot be seen may say otherwise, the time is unknown. Sources are paths in each server's
repository, in the docstrings below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from msgspec import Struct

from ingress_lint.facts.evidence.container import ContainerEvidence
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.values.durations import server_time
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred


class Decided(Struct, frozen=True):
    """Something about a server and the text that decides it. `setting` is how that is written, empty for a default."""

    value: str
    place: Place
    setting: str = ""


class IdleTimeout(Struct, frozen=True):
    """How long a server keeps an idle connection; `setting` is empty where nobody set it."""

    seconds: float
    place: Place
    setting: str = ""


class AppServer(Struct, frozen=True):
    """A server as far as the manifest shows it. `place` is what gives it away.

    `idle` is None where it is unknown, or has no meaning. `knob` names what sets it.
    """

    name: str
    place: Place
    idle: IdleTimeout | None = None
    knob: str = ""
    closes: Decided | None = None
    """Why it closes every connection after one response, None where it does not."""
    likely: bool = False
    """Whether its kind is a guess, from habits rather than from what is run."""
    listens: tuple[str, int] | None = None
    """The address (empty for every one) and port that it opens unless told otherwise."""


class _Container(Struct, frozen=True):
    """What the recognisers look at."""

    container: WorkloadContainer
    graph: ObjectGraph
    evidence: ContainerEvidence
    path: str
    """The image without registry and tag, such as `library/node`."""
    tag: str

    @property
    def image(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def image_place(self) -> Place:
        return self.container.at("image")

    def program(self, *names: str) -> Place | None:
        """Where one of `names` is run."""
        for word, place in self.evidence.words:
            if word.rpartition("/")[2] in names:
                return place
        return None

    def setting(self, *names: str) -> Decided | None:
        """The first of `names` (in snake case) that the command line or the environment sets."""
        for name in names:
            setting = self.evidence.named_settings.get(name)
            if setting is not None:
                return Decided(setting.value, setting.place, setting.written)
        return None

    def directive(self, pattern: re.Pattern[str]) -> Decided | None:
        """The first match in a mounted file; group 1 is the directive, group 2 its value."""
        for config_map, _ in self.evidence.config_maps:
            for key, text in config_map.body.data.items():
                if isinstance(text, str) and (found := pattern.search(text)):
                    return Decided(found[2], config_map.at("data", key), f"{found[1]} {found[2]}")
        return None

    def mounts(self, part: str) -> bool:
        """Whether a volume of any kind covers a path with `part`, so that its files may differ."""
        return any(part in mount.mount_path for mount in self.container.container.volume_mounts)

    def idle(self, default: float | None, *names: str, place: Place, unit: float = 1) -> IdleTimeout | None:
        """What one of `names` sets, in units of `unit` seconds, else the default."""
        told = self.setting(*names)
        if told is not None:
            seconds = server_time(told.value, unit)
            return None if seconds is None else IdleTimeout(seconds, told.place, told.setting)
        return None if default is None else IdleTimeout(default, place)


_IMAGE: Final = deferred(r"(?:[^/.:]*[.:][^/]*/)?([^:@]+)(?::([^@]*))?")
_MAJOR: Final = deferred(r"v?([0-9]+)")
_GUNICORN_KEEP_ALIVE: Final = deferred(r"^[ \t]*(keepalive)[ \t]*=[ \t]*([0-9]+)", re.MULTILINE)
_GUNICORN_WORKER: Final = deferred(r"""^[ \t]*(worker_class)[ \t]*=[ \t]*["']([\w.]+)["']""", re.MULTILINE)
_NGINX: Final = deferred(r"^[ \t]*(keepalive_timeout)\s+([0-9]+(?:ms|s|m|h)?)", re.MULTILINE)
_HTTPD: Final = deferred(r"^[ \t]*(KeepAliveTimeout)[ \t]+([0-9]+(?:ms)?)", re.MULTILINE | re.IGNORECASE)
_HTTPD_OFF: Final = deferred(r"^[ \t]*(KeepAlive)[ \t]+(Off)\b", re.MULTILINE | re.IGNORECASE)
_TOMCAT: Final = deferred(r"""\b(keepAliveTimeout|connectionTimeout)\s*=\s*["']([0-9]+)["']""")
_INGRESS_NGINX: Final = deferred(r"(ingress-nginx/controller|nginx-ingress-controller)$")
_NODE_PROGRAMS: Final = ("node", "npm", "npx", "yarn", "pnpm", "nest", "pm2-runtime", "ts-node", "next")
_LAST_NODE_WITH_5_SECONDS: Final = 25
_SHORTEST_IN_MILLISECONDS: Final = 1000
"""Below, a variable called KEEP_ALIVE_TIMEOUT is more likely an application's own, in seconds."""


@once_per_graph
def _known(_graph: ObjectGraph) -> dict[WorkloadContainer, AppServer | None]:
    """The servers of the containers that were asked for so far."""
    return {}


def app_server(container: WorkloadContainer, graph: ObjectGraph) -> AppServer | None:
    """The application server that a container runs, None where nothing shows it."""
    known = _known(graph)
    if container not in known:
        known[container] = _recognised(container, graph)
    return known[container]


def _recognised(container: WorkloadContainer, graph: ObjectGraph) -> AppServer | None:
    parsed = _IMAGE.match(container.container.image)
    path, tag = (parsed[1], parsed[2] or "") if parsed else ("", "")
    seen = _Container(container, graph, listening_evidence(graph).of(container), path, tag)
    return next((server for recogniser in _RECOGNISERS if (server := recogniser(seen)) is not None), None)


def named_config_map(container: WorkloadContainer, graph: ObjectGraph) -> KubernetesObject[ConfigMap] | None:
    """The ConfigMap that `--configmap` names; $(POD_NAMESPACE) is the pod's own."""
    own = container.workload.object.namespace
    for setting in listening_evidence(graph).of(container).settings:
        if setting.name == "configmap":
            namespace, _, name = setting.value.rpartition("/")
            return graph.config_map(own if not namespace or "$" in namespace else namespace, name)
    return None


def _gunicorn(seen: _Container) -> AppServer | None:
    """`sync` workers (the default, with one thread) close after each response; the others keep 2 s.

    UvicornWorker takes gunicorn's time too. benoitc/gunicorn:gunicorn/config.py, workers/gthread.py;
    encode/uvicorn:uvicorn/workers.py. The tiangolo images read KEEP_ALIVE, 5 (tiangolo/uvicorn-gunicorn-docker:
    docker-images/gunicorn_conf.py).
    """
    if seen.path.startswith("tiangolo/uvicorn-gunicorn") and not seen.evidence.words:
        idle = seen.idle(5, "keep_alive", place=seen.image_place)
        return AppServer("gunicorn (uvicorn workers)", seen.image_place, idle, "`KEEP_ALIVE`", listens=("", 80))
    place = seen.program("gunicorn")
    if place is None:
        return None
    options = dict(_gunicorn_options(seen))
    config_file = options.get("config")
    hidden = config_file is not None and not any(
        config_file.value.rpartition("/")[2] in config_map.body.data for config_map, _ in seen.evidence.config_maps
    )
    worker = options.get("worker-class") or seen.directive(_GUNICORN_WORKER)
    threads = options.get("threads")
    kind = worker.value.rpartition(".")[2] if worker else "gthread" if threads and threads.value != "1" else "sync"
    name = "gunicorn" if hidden and worker is None else f"gunicorn ({kind} workers)"
    listens = ("127.0.0.1", 8000)
    told = options.get("keep-alive") or seen.directive(_GUNICORN_KEEP_ALIVE)
    if kind == "sync":
        closes = None if hidden else worker or Decided("sync", place)
        return AppServer(name, place, None, "`--keep-alive`", closes, listens=listens)
    if told is not None and told.value == "0":
        return AppServer(name, place, None, "`--keep-alive`", told, listens=listens)
    if told is not None:
        seconds = server_time(told.value, 1)
        idle = None if seconds is None else IdleTimeout(seconds, told.place, told.setting)
    else:
        idle = None if hidden else IdleTimeout(2, place)
    return AppServer(name, place, idle, "`--keep-alive`", listens=listens)


_GUNICORN_OPTIONS: Final = {"-k": "worker-class", "-c": "config"}
_GUNICORN_LONG: Final = frozenset({"worker-class", "config", "threads", "keep-alive"})


def _gunicorn_options(seen: _Container) -> Iterator[tuple[str, Decided]]:
    """Options as gunicorn takes them, what counts most last: GUNICORN_CMD_ARGS, then the command line."""
    words: list[tuple[str, Place]] = []
    if "GUNICORN_CMD_ARGS" in seen.evidence.variables:
        text, place = seen.evidence.variables["GUNICORN_CMD_ARGS"]
        words = [(word, place) for word in text.split()]
    words += seen.evidence.words
    for index, (word, place) in enumerate(words):
        name, has_value, value = word.partition("=")
        long = _GUNICORN_OPTIONS.get(name, name.removeprefix("--"))
        if not name.startswith("-") or long not in _GUNICORN_LONG:
            continue
        if has_value:
            yield long, Decided(value, place, name)
        elif index + 1 < len(words):
            yield long, Decided(words[index + 1][0], words[index + 1][1], name)


def _uvicorn(seen: _Container) -> AppServer | None:
    """5 s; `fastapi run` is uvicorn. encode/uvicorn:uvicorn/config.py, main.py (each option has a UVICORN_ variable)."""
    place = seen.program("uvicorn", "fastapi")
    told = seen.setting("uvicorn_timeout_keep_alive")
    if place is None and told is None:
        return None
    names = ("timeout_keep_alive", "uvicorn_timeout_keep_alive")
    found = place or (told.place if told else seen.image_place)
    idle = seen.idle(5, *names, place=found)
    off = Decided("0", idle.place, idle.setting) if idle is not None and idle.seconds == 0 else None
    kept = None if off else idle
    return AppServer("uvicorn", found, kept, "`--timeout-keep-alive`", off, listens=("127.0.0.1", 8000))


def _hypercorn(seen: _Container) -> AppServer | None:
    """5 s. pgjones/hypercorn:src/hypercorn/config.py; a configuration file may say otherwise."""
    place = seen.program("hypercorn")
    if place is None:
        return None
    default = None if seen.setting("config") else 5
    idle = seen.idle(default, "keep_alive", place=place)
    return AppServer("hypercorn", place, idle, "`--keep-alive`", listens=("127.0.0.1", 8000))


def _puma(seen: _Container) -> AppServer | None:
    """65 s from 7.0, 20 s before, and no manifest tells the version. puma/puma:lib/puma/configuration.rb."""
    place = seen.program("puma")
    if place is None:
        return None
    idle = seen.idle(None, "puma_persistent_timeout", place=place)
    return AppServer("Puma", place, idle, "`persistent_timeout`", listens=("", 9292))


def _next(seen: _Container) -> AppServer | None:
    """Node's time unless KEEP_ALIVE_TIMEOUT (ms) sets another. vercel/next.js:packages/next/src/build/utils.ts."""
    words = [word.rpartition("/")[2] for word, _ in seen.evidence.words]
    starts = ("next", "start") in pairwise(words)
    told = seen.setting("keep_alive_timeout")
    milliseconds = told is not None and (whole(told.value) or 0) >= _SHORTEST_IN_MILLISECONDS
    if not starts and not (milliseconds and seen.program("node")):
        return None
    place = seen.program("next", "node") or seen.image_place
    idle = seen.idle(_node_default(seen), "keep_alive_timeout", place=place, unit=0.001)
    knob = "`--keepAliveTimeout` (ms)" if starts else "`KEEP_ALIVE_TIMEOUT` (ms)"
    return AppServer("Next.js", place, idle, knob, likely=not starts, listens=("", 3000))


def _node(seen: _Container) -> AppServer | None:
    """5 s up to Node 25, 65 s since 26; only code changes it. nodejs/node:lib/_http_server.js; nodejs/node#62782."""
    place = seen.program(*_NODE_PROGRAMS)
    if place is None:
        return None
    default = _node_default(seen)
    idle = None if default is None else IdleTimeout(default, seen.image_place)
    return AppServer("Node.js", place, idle, "`server.keepAliveTimeout` in its code")


def _node_default(seen: _Container) -> float | None:
    found = _MAJOR.match(seen.tag) if seen.image == "node" else None
    version = whole(found[1]) if found else None
    if version is None:
        return None
    return 5 if version <= _LAST_NODE_WITH_5_SECONDS else 65


def _spring_boot(seen: _Container) -> AppServer | None:
    """Embedded Tomcat's 60 s, unless it runs on Jetty or Netty, which no manifest tells.

    spring-projects/spring-boot:module/spring-boot-tomcat/.../TomcatServerProperties.java;
    apache/tomcat:java/org/apache/coyote/http11/Constants.java. Times without a unit are milliseconds.
    """
    names = ("server_tomcat_keep_alive_timeout", "server_tomcat_connection_timeout")
    others = ("server_jetty_connection_idle_timeout", "server_netty_idle_timeout")
    told = seen.setting(*names, *others)
    java = seen.program("java")
    if told is None and (java is None or not _set_up_by_spring(seen)):
        return None
    place = java or (told.place if told else seen.image_place)
    idle = seen.idle(60, *names, *others, place=place, unit=0.001)
    knob = "`server.tomcat.keep-alive-timeout`"
    return AppServer("Spring Boot", place, idle, knob, likely=told is None, listens=("", 8080))


def _set_up_by_spring(seen: _Container) -> bool:
    return any(
        setting.name.startswith("spring_") or setting.name == "server_port" for setting in seen.evidence.settings
    )


def _tomcat(seen: _Container) -> AppServer | None:
    """20 s: keepAliveTimeout falls back to the connectionTimeout of the stock server.xml. apache/tomcat:conf/server.xml."""
    place = seen.program("catalina.sh") or (seen.image_place if seen.path in ("tomcat", "library/tomcat") else None)
    if place is None:
        return None
    told = seen.directive(_TOMCAT)
    milliseconds = whole(told.value) if told is not None else None
    if told is not None and milliseconds is not None:
        idle: IdleTimeout | None = IdleTimeout(milliseconds / 1000, told.place, told.setting)
    else:
        idle = None if seen.mounts("/tomcat/conf") else IdleTimeout(20, place)
    return AppServer("Tomcat", place, idle, "`keepAliveTimeout` of the Connector in server.xml", listens=("", 8080))


def _jetty(seen: _Container) -> AppServer | None:
    """30 s. jetty/jetty.project:jetty-core/jetty-server/src/main/config/modules/http.mod."""
    if seen.path not in ("jetty", "library/jetty") and seen.program("start.jar") is None:
        return None
    place = seen.program("start.jar") or seen.image_place
    idle = seen.idle(30, "jetty_http_idle_timeout", place=place, unit=0.001)
    return AppServer("Jetty", place, idle, "`jetty.http.idleTimeout` (ms)", listens=("", 8080))


def _httpd(seen: _Container) -> AppServer | None:
    """5 s. apache/httpd:include/httpd.h; the php images with apache in their tag run Debian's, which agrees."""
    place = seen.program("httpd-foreground", "apache2-foreground", "apachectl")
    stock = seen.path.removeprefix("library/")
    if stock == "httpd" or (stock in ("php", "wordpress", "nextcloud", "drupal") and "apache" in seen.tag):
        place = place or seen.image_place
    if place is None:
        return None
    off, told = seen.directive(_HTTPD_OFF), seen.directive(_HTTPD)
    seconds = server_time(told.value, 1) if told else None
    if told is not None and seconds is not None:
        idle: IdleTimeout | None = IdleTimeout(seconds, told.place, told.setting)
    else:
        idle = None if seen.mounts("/apache2") else IdleTimeout(5, place)
    return AppServer("Apache httpd", place, None if off else idle, "`KeepAliveTimeout`", off, listens=("", 80))


def _ingress_nginx(seen: _Container) -> AppServer | None:
    """75 s for clients, by its ConfigMap. kubernetes/ingress-nginx:internal/ingress/controller/config/config.go."""
    if not _INGRESS_NGINX.search(seen.path):
        return None
    config = named_config_map(seen.container, seen.graph)
    told = str(config.body.data.get("keep-alive", "")) if config is not None else ""
    place = seen.image_place
    seconds = whole(told)
    if config is not None and seconds is not None:
        place = config.at("data", "keep-alive")
        if seconds == 0:
            return AppServer("ingress-nginx", place, None, "`keep-alive`", Decided(told, place, "keep-alive"))
        return AppServer("ingress-nginx", seen.image_place, IdleTimeout(seconds, place, "keep-alive"), "`keep-alive`")
    return AppServer("ingress-nginx", place, IdleTimeout(75, place), "`keep-alive` in its ConfigMap")


def _nginx(seen: _Container) -> AppServer | None:
    """65 s by the stock nginx.conf. nginx/nginx:conf/nginx.conf."""
    if seen.path not in ("nginx", "library/nginx", "nginxinc/nginx-unprivileged"):
        return None
    told = seen.directive(_NGINX)
    seconds = server_time(told.value, 1) if told else None
    knob = "`keepalive_timeout`"
    listens = ("", 8080 if "unprivileged" in seen.path else 80)
    if told is not None and seconds == 0:
        return AppServer("nginx", seen.image_place, None, knob, told, listens=listens)
    if told is not None and seconds is not None:
        idle: IdleTimeout | None = IdleTimeout(seconds, told.place, told.setting)
    else:
        idle = None if seen.mounts("/etc/nginx") else IdleTimeout(65, seen.image_place)
    return AppServer("nginx", seen.image_place, idle, knob, listens=listens)


def _kestrel(seen: _Container) -> AppServer | None:
    """130 s. dotnet/aspnetcore:src/Servers/Kestrel/Core/src/KestrelServerLimits.cs."""
    place = seen.program("dotnet") or (seen.image_place if seen.path.endswith("dotnet/aspnet") else None)
    if place is None:
        return None
    changed = any(setting.name.endswith("limits__keep_alive_timeout") for setting in seen.evidence.settings)
    idle = None if changed else IdleTimeout(130, place)
    return AppServer("Kestrel", place, idle, "`Limits.KeepAliveTimeout` in its code", likely=True)


_RECOGNISERS: Final[tuple[Callable[[_Container], AppServer | None], ...]] = (
    _gunicorn,
    _uvicorn,
    _hypercorn,
    _puma,
    _next,
    _node,
    _spring_boot,
    _tomcat,
    _jetty,
    _httpd,
    _ingress_nginx,
    _nginx,
    _kestrel,
)
