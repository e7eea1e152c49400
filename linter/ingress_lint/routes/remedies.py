"""How somebody tells a controller otherwise, in that controller's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from ingress_lint.routes.traffic import AppProtocol


class Remedies(Struct, frozen=True):
    """Instructions, where `{}` stands for the value; empty where nothing does it, or nothing is known."""

    check_path: str = ""
    check_port: str = ""
    check_protocol: str = ""
    check_codes: str = ""
    target_pods: str = ""
    """What makes it send to pods instead of nodes."""
    protocols: Mapping[AppProtocol, str] = field(default_factory=dict)
    """What makes it speak a protocol to the backend."""
    read_timeout: str = ""
    """What decides how long it waits for an answer, in seconds."""
    body_limit: str = ""
    """What decides how large a request's body may be, as nginx writes sizes (`64m`, `0` for no limit)."""
    header_limit: str = ""
    """What decides how large a response's header may be, as nginx writes sizes (`16k`)."""

    external_name: str = ""
    """What makes it send to a Service of type ExternalName that it does not take as it is."""


UNKNOWN: Final = Remedies()


def told(instruction: str, value: object, otherwise: str) -> str:
    """An instruction with its value, or `otherwise` where there is none."""
    return instruction.replace("{}", str(value)) if instruction else otherwise
