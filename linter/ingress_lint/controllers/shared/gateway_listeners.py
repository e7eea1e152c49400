"""A Gateway's listeners as the folders of its implementations see them."""

from __future__ import annotations

from typing import NamedTuple

from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.listeners import Listener


class Declared(NamedTuple):
    """A listener, and the Gateway or ListenerSet that declares it."""

    declarer: AnyObject
    listener: Listener
