"""What tools rendered in earlier runs, kept by all that it is rendered from, so that a change costs the builds it is in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Final

from ingress_lint import inputs
from ingress_lint.build.running import Failure, Output
from ingress_lint.store import Store, user_folder

_FOLDER: Final = "builds"


def store() -> Store:
    """Where the builds of this user lie."""
    return Store(os.path.join(user_folder(), _FOLDER))


def rendered(tool: str, asked: object, files: Iterable[str], run: Callable[[], Output | Failure]) -> Output | Failure:
    """What `run` renders of files, or rendered before by the same binary of the same ones, as far as it could.

    `asked` is what it is asked besides, which its text tells.
    """
    from hashlib import sha256

    digests = [(path, inputs.look_at(path)) for path in sorted(files)]
    about = repr((inputs.tool_state(tool), asked, digests))
    key = sha256(about.encode(errors="surrogateescape")).hexdigest()
    known = store()
    kept = known.get(key)
    if kept is not None:
        return Output(kept.decode())
    result = run()
    if isinstance(result, Output):
        known.put(key, result.stdout.encode())
    return result
