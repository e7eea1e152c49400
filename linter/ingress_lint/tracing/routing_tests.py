"""Routing tests: a YAML file that lists requests and what must answer them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ingress_lint.load import files
from ingress_lint.load.document import Pointer
from ingress_lint.load.settings_file import SettingsError, SettingsFile, setting, written
from ingress_lint.tracing.asking import Asked, RequestError, asked
from ingress_lint.values.spelling import close_matches

_ANSWERS: Final = ("backend", "redirect", "status")


class RoutingTestError(Exception):
    """A file of routing tests that cannot be used; the message names file, line and setting."""


BackendName = Annotated[str, Field(pattern=r"^[^/:\s]+/[^/:\s]+(:[^/:\s]+)?$", examples=["shop/cart:80"])]
Status = Annotated[int, Field(ge=100, le=599)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Expectation(_Settings):
    """What must answer. Name at least one: a backend, a redirect or a status; a redirect may have its status as well."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [name]} for name in _ANSWERS],
            "not": {"required": ["backend", "redirect"]},
        }
    )

    backend: BackendName | Annotated[list[BackendName], Field(min_length=1)] | None = Field(
        None,
        description="The backend that gets the request, as `namespace/name:port`; the port by number or name, or left "
        "out for any. A list names all that share the requests, by weight or as a canary.",
    )
    redirect: str | None = Field(
        None,
        description="The URL that the client is sent to.",
        json_schema_extra={"format": "uri"},
    )
    status: Status | None = Field(
        None, description="The status that the client sees; 200 stands for any answer of a backend."
    )

    @model_validator(mode="after")
    def _names_one(self) -> Expectation:
        if self.backend is not None and self.redirect is not None:
            raise PydanticCustomError("two_answers", "a request gets to a backend or is redirected, never both")
        if all(getattr(self, name) is None for name in _ANSWERS):
            raise PydanticCustomError("no_answer", "name what must answer: `backend`, `redirect` or `status`")
        return self

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that must share the requests."""
        if self.backend is None:
            return ()
        return (self.backend,) if isinstance(self.backend, str) else tuple(self.backend)

    def __str__(self) -> str:
        parts = [" and ".join(self.backends), f"a redirect to {self.redirect}" if self.redirect else ""]
        parts.append(f"status {self.status}" if self.status is not None else "")
        return ", ".join(part for part in parts if part)


class RoutingTest(_Settings):
    """A request, and what must answer it."""

    name: str = Field("", description="What the test is called; the request itself where it is left out.")
    url: str = Field(description="Scheme, host, port, path and query.", examples=["https://shop.example.com/cart"])
    method: str | None = Field(None, description="The method; GET, or POST for gRPC, where it is left out.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers of the request.")
    connect: str | None = Field(
        None, description="Enter at this Gateway, Ingress class or LoadBalancer Service: `namespace/name` or a name."
    )
    protocol: Literal["http", "https", "grpc", "tls", "tcp", "udp"] | None = Field(
        None, description="What the request speaks, where the URL's scheme does not say it."
    )
    sni: str | None = Field(None, description="The server name of the TLS handshake, where it is not the URL's host.")
    client_cert: bool = Field(False, description="Whether the client shows a valid certificate.")
    expect: Expectation


class RoutingTests(_Settings):
    """The tests of one file."""

    requests: list[RoutingTest] = Field(min_length=1, description="The requests, each with what must answer it.")


def schema() -> dict[str, Any]:
    """The JSON Schema of a file of routing tests."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://raw.githubusercontent.com/ingress-lint/ingress-lint/main/docs/routing-tests.schema.json",
        "title": "Routing tests of ingress-lint",
        **{key: value for key, value in RoutingTests.model_json_schema().items() if key != "title"},
    }


class Case(Struct, frozen=True):
    """A test ready to run, with the file and line where it stands."""

    name: str
    request: Asked
    expect: Expectation
    file: str
    line: int


def load(path: str) -> list[Case]:
    """The tests in a file, or in standard input for `-`. Raises `RoutingTestError`."""
    try:
        source = files.read(files.Found.at(path, named=True))
    except files.UnreadableError as error:
        raise RoutingTestError(f"{path}: {error}") from None
    try:
        file = SettingsFile(source)
    except SettingsError as error:
        raise RoutingTestError(str(error)) from None

    def at(pointer: Pointer) -> str:
        return f"{source.path}:{file.line(pointer)}"

    try:
        tests = RoutingTests.model_validate(file.value).requests
    except ValidationError as error:
        raise RoutingTestError(_first_fault(error, file.value, at)) from None
    cases = []
    for index, test in enumerate(tests):
        pointer = ("requests", index)
        try:
            request = asked(
                test.url,
                test.method,
                test.headers,
                test.sni,
                test.connect or "",
                test.protocol,
                client_certificate=test.client_cert,
                id=test.name or None,
            )
        except RequestError as error:
            raise RoutingTestError(f"{at((*pointer, 'url'))}: requests[{index}].url: {error}") from None
        if test.expect.redirect is not None and not _is_url(test.expect.redirect):
            where = f"{at((*pointer, 'expect', 'redirect'))}: requests[{index}].expect.redirect"
            raise RoutingTestError(
                f"{where}: `{test.expect.redirect}` is not a whole URL, such as https://shop.example.com/"
            )
        line = file.item_line(pointer)
        cases.append(Case(test.name or str(request), request, test.expect, source.path, line))
    return cases


def _first_fault(error: ValidationError, value: Any, at: Callable[[Pointer], str]) -> str:
    """The fault that stands first, with its file, line and setting."""
    faults = error.errors(include_url=False, include_input=False)
    found = min(faults, key=lambda fault: fault["type"] == "missing")
    kind, faulty = found["type"], written(value, found["loc"])
    message = found["msg"][:1].lower() + found["msg"][1:]
    if kind == "extra_forbidden":
        model = Expectation if "expect" in faulty else RoutingTest if len(faulty) > 1 else RoutingTests
        close = close_matches(str(faulty[-1]), model.model_fields, 1)
        message = "there is no such setting" + (f"; did you mean `{close[0]}`?" if close else "")
    elif kind == "missing":
        message = f"the setting `{found['loc'][-1]}` is missing"
    elif "backend" in faulty:
        message = "a backend is written as `namespace/name:port`, several as a list of such names"
    elif kind in ("model_type", "model_attributes_type"):
        message = "this must be a mapping of settings"
    name = setting(faulty)
    return f"{at(faulty)}: {name}: {message}" if name else f"{at(faulty)}: {message}"


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.scheme and parts.hostname) and parts.port != 0
    except ValueError:
        return False
