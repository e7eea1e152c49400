"""Applications that are told to serve everything under one path, and so answer 404 (or a redirect) anywhere else."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from ingress_lint.facts.answers import absolute
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place

_SETTINGS: Final = frozenset(
    {
        "kc_http_relative_path",  # keycloak.org/server/all-config, http-relative-path
        "http_relative_path",
        "micronaut_server_context_path",  # docs.micronaut.io, micronaut.server.context-path
        "quarkus_http_root_path",  # quarkus.io/guides/all-config, quarkus.http.root-path
        "server_context_path",  # Spring Boot 1
        # spring-projects/spring-boot:documentation/spring-boot-docs, server.servlet.context-path and so on
        "server_servlet_context_path",
        "spring_webflux_base_path",
        # prometheus/prometheus:cmd/prometheus/main.go, alertmanager and thanos alike
        "web_route_prefix",
    }
)


class BasePath(Struct, frozen=True):
    """The path under which an application serves everything. `setting` is how the manifest writes it."""

    path: str
    setting: str
    place: Place

    def covers(self, path: str) -> bool:
        """Whether a path lies there."""
        return path == self.path or path.startswith(self.path + "/")


def base_path(container: WorkloadContainer, graph: ObjectGraph) -> BasePath | None:
    """The path that a container is told to serve everything under; None where it is the root or unknown."""
    for setting in listening_evidence(graph).of(container).settings:
        path = absolute(setting.value).rstrip("/")
        if setting.name in _SETTINGS and path and "$" not in path and "{" not in path and "://" not in path:
            return BasePath(path, str(setting), setting.place)
    return None
