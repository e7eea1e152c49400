"""A server of charts that runs here: a repository with an index, and a registry (OCI)."""

from __future__ import annotations

import io
import json
import tarfile
from base64 import b64decode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

CHART = "apiVersion: v2\nname: {}\nversion: {}\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.cncf.helm.config.v1+json"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def archive(name: str, version: str, templates: str | dict[str, str]) -> bytes:
    """A packaged chart: with files by their paths in it, or with a ConfigMap of a name alone."""
    files = {"templates/map.yaml": MAP.format(templates)} if isinstance(templates, str) else templates
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as stream:
        for path, text in ({"Chart.yaml": CHART.format(name, version)} | files).items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(text)
            stream.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


class Packages:
    """What the server has. `answers` are the contents by path, or the status to answer with; None says nothing at all."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, bytes | int | None] = {}
        self.silence = Event()
        self.login = ""
        """The user and password, with a colon between them, without which it answers 401; empty where anybody may ask."""
        self._types: dict[str, str] = {}
        self._tags: dict[str, list[str]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                answer = outer.answers.get(self.path, 404)
                given = self.headers.get("Authorization", "").removeprefix("Basic ")
                if outer.login and b64decode(given).decode() != outer.login:
                    answer = 401
                if answer is None:
                    outer.silence.wait(30)
                    return
                content = answer if isinstance(answer, bytes) else b"no"
                self.send_response(answer if isinstance(answer, int) else 200)
                self.send_header("Content-Type", outer._types.get(self.path, "text/plain"))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def do_HEAD(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.address}"

    def index(self, *charts: tuple[str, str, str | dict[str, str]]) -> None:
        """Makes a repository of charts: the name, version and templates of each."""
        entries: dict[str, list[dict[str, object]]] = {}
        for name, version, templates in charts:
            file = f"{name}-{version}.tgz"
            self.answers[f"/{file}"] = archive(name, version, templates)
            entry = {"name": name, "version": version, "apiVersion": "v2", "urls": [f"{self.url}/{file}"]}
            entries.setdefault(name, []).append(entry)
        self.answers["/index.yaml"] = json.dumps({"apiVersion": "v1", "entries": entries}).encode()

    def push(self, name: str, version: str, templates: str | dict[str, str]) -> str:
        """Puts a chart into the registry below `charts`; the digest of its manifest."""
        at = f"/v2/charts/{name}"
        config = json.dumps({"name": name, "version": version, "apiVersion": "v2"}).encode()
        layer = archive(name, version, templates)
        for content in (config, layer):
            self.answers[f"{at}/blobs/{_digest(content)}"] = content
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _descriptor(CONFIG, config),
                "layers": [_descriptor(LAYER, layer)],
            }
        ).encode()
        for tag in (version, _digest(manifest)):
            self.answers[f"{at}/manifests/{tag}"] = manifest
            self._types[f"{at}/manifests/{tag}"] = MANIFEST
        self._tags.setdefault(name, []).append(version)
        self.answers[f"{at}/tags/list"] = json.dumps({"name": f"charts/{name}", "tags": self._tags[name]}).encode()
        return _digest(manifest)


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"
