"""What earlier runs said, kept in the user's cache folder and said again where nothing has changed.

A run that is asked the same, by the same installation in the same folder, looks at what the earlier one noted in
`ingress_lint.inputs`: where it is all as it was, no manifest is parsed, and no rule is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

import ingress_lint
from ingress_lint import __version__, inputs
from ingress_lint.inputs import Noted
from ingress_lint.store import Store, user_folder

_FOLDER: Final = "answers"
_Answer = TypeVar("_Answer", bound=Struct)


class _Entry(Struct):
    """An answer as it was encoded, the key of its question, and what it rests on besides."""

    key: str
    noted: Noted
    answer: bytes


def store() -> Store:
    """Where the answers of this user lie."""
    return Store(os.path.join(user_folder(), _FOLDER))


def answered(asked: object, now: datetime | None, run: Callable[[], _Answer], kind: type[_Answer]) -> _Answer:
    """What `run` answers, or what it answered before where it would answer the same now.

    `asked` is all that it is asked, which its text tells. `now` is the time, None where that is among what is asked.
    """
    answers = store()
    key = _key(asked)
    kept = answers.get(key)
    known = None if kept is None else _known(kept, key, now, kind)
    if known is not None:
        return known
    with inputs.noting(now) as noted:
        inputs.code(ingress_lint)
        answer = run()
    if noted.repeatable:
        try:
            content = msgspec.msgpack.encode(_Entry(key, noted, msgspec.msgpack.encode(answer)))
        except UnicodeEncodeError:  # a name that is not Unicode
            return answer
        answers.put(key, content)
    return answer


def _known(kept: bytes, key: str, now: datetime | None, kind: type[_Answer]) -> _Answer | None:
    try:
        entry = msgspec.msgpack.decode(kept, type=_Entry)
        if entry.key == key and inputs.holds(entry.noted, now):
            return msgspec.msgpack.decode(entry.answer, type=kind)
    except (msgspec.MsgspecError, ValueError):
        pass
    return None


def _key(asked: object) -> str:
    from hashlib import sha256

    about = (__version__, sys.version, sys.prefix, os.getcwd(), tuple(_modules()), asked)
    return sha256(repr(about).encode(errors="surrogateescape")).hexdigest()


def _modules() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The folders and archives that modules come from, each with what it holds.

    There the metadata of every distribution lies, whose name tells its version.
    """
    for path in dict.fromkeys(sys.path):
        try:
            yield path, tuple(sorted(os.listdir(path or ".")))
        except NotADirectoryError:
            status = os.stat(path)
            yield path, (f"{status.st_mtime_ns} {status.st_size}",)
        except OSError:
            continue
