"""Readers of JSON lines that take from a line only the keys wanted for its event code, into a structure.

A structure is itself the key under which an answer is remembered. One reader knows the structures of all codes; a code
that is new has a reader of its own until enough such lines came to be worth making the common one anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, TypeAlias, Union

import msgspec

Read: TypeAlias = Callable[[bytes], Any]
"""Reads the wanted keys of a line into its code's structure."""

UNREADABLE: Final = (msgspec.MsgspecError, TypeError, UnicodeDecodeError)
"""What reading a line, or looking it up, raises on no JSON, a code without a structure, or a list."""

decode_object = msgspec.json.Decoder(dict[str, Any]).decode
"""All that is in a line."""

_CODES = range(1 << 32)
_MOST_CODES = 512
"""How many codes may have a structure."""

_PATIENCE = 256
"""Lines that are told apart by a look at their code alone before one reader is made for all codes."""


class Readers:
    """The structures of all codes.

    Args:
        code: the key that tells structures apart; its value is a whole number.
        always: the keys that every structure has, and that come first in it.
    """

    def __init__(self, code: str, always: Iterable[str]) -> None:
        self._code = code
        self._always = tuple(always)
        self._keys: dict[int, dict[str, None]] = {}
        self._common: frozenset[int] = frozenset()
        self._waiting: dict[int, Read] = {}
        self._waited = 0
        self.read: Read = _nothing_known

    def keys_of(self, code: int) -> tuple[str, ...]:
        """The keys of a code's structure, in its order; new ones are put behind the others."""
        return tuple(self._keys[code])

    def has_room(self, code: int) -> bool:
        """Whether a code that has no structure may get one."""
        return code in _CODES and code not in self._keys and len(self._keys) < _MOST_CODES

    def learn(self, code: int, keys: Iterable[str]) -> bool:
        """Takes up keys for a code; whether there was any new."""
        known = self._keys.setdefault(code, dict.fromkeys(self._always))
        before = len(known)
        known.update(dict.fromkeys(keys))
        return len(known) > before

    def renew(self, code: int) -> None:
        """Makes the reader anew that reads this code, which has learnt keys."""
        if code in self._common:
            self.make_common()
        else:
            self._waiting[code] = msgspec.json.Decoder(self._structure(code)).decode

    def make_common(self) -> None:
        """Makes one reader for all codes."""
        self._common = frozenset(self._keys)
        structures = [self._structure(code) for code in self._keys]
        if structures:
            self.read = msgspec.json.Decoder(Union[tuple(structures)]).decode  # noqa: UP007 - made of a list
        self._waiting, self._waited = {}, 0

    def apart(self, code: int) -> Read | None:
        """The reader of a code that the common one does not know yet."""
        read = self._waiting.get(code)
        if read is not None:
            self._waited += 1
            if self._waited >= _PATIENCE:
                self.make_common()
        return read

    def _structure(self, code: int) -> type[msgspec.Struct]:
        return _structure(self._code, code, self.keys_of(code))


@cache
def _structure(name: str, code: int, keys: tuple[str, ...]) -> type[msgspec.Struct]:
    """A structure of these keys for lines with this code; what a line does not have is UNSET."""
    names = [f"f{number}" for number in range(len(keys))]
    return msgspec.defstruct(
        f"Code{code}",
        [(field, Any, msgspec.UNSET) for field in names],
        rename=dict(zip(names, keys, strict=True)),
        tag=code,
        tag_field=name,
        frozen=True,
        gc=False,
    )


def _nothing_known(_: bytes) -> Any:
    raise msgspec.DecodeError("no code has a structure yet")
