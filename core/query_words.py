"""What a word is: one rule for the index, which says where words may be, and for the search, which finds them.

A word is a run of letters, digits and underscores; a full stop between two digits belongs to it, so that an address or
a version is one word. Beyond ASCII all is a letter but some quotes, dashes and spaces. RE2 and Python read the
expressions here alike, for they name every character.
"""

from __future__ import annotations

import re

from core.text import fold, words

_SEPARATORS = "".join(chr(code) for code in range(128) if not (chr(code).isalnum() or chr(code) in "_."))
_SEPARATORS += "\x85\xa0\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u00ab\u00bb\u2028\u2029\u200b\ufeff"


def _listed(letters: str) -> str:
    """The letters as a class of an expression lists them."""
    return "".join(f"\\x{{{ord(letter):x}}}" for letter in letters)


def _for_python(expression: str) -> str:
    """The same expression with code points as Python writes them."""
    return re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: re.escape(chr(int(found[1], 16))), expression)


_NO_LETTER = _listed(_SEPARATORS)
_LETTER = f"[^.{_NO_LETTER}]"
WORD = f"(?:{_LETTER}*[0-9]\\.(?:[0-9](?:{_LETTER}*[0-9])?\\.)*[0-9]{_LETTER}*|{_LETTER}+)"
"""Finds each word, for RE2."""

_WORD = re.compile(_for_python(WORD))
_EDGES = {
    "letter": (f"(?:^|[.{_NO_LETTER}])", f"(?:$|[.{_NO_LETTER}])"),
    "digit": (f"(?:^|[{_NO_LETTER}]|(?:^|[^0-9])\\.)", f"(?:$|[{_NO_LETTER}]|\\.(?:$|[^0-9]))"),
    "other": ("", ""),
}
"""What stands before and after a word that begins and ends so."""

SHORTEST_RUN = 3
"""Characters; shorter ones are in nearly every event."""

IDENTITIES = (
    "client.ip",
    "client.mac",
    "destination.ip",
    "destination.mac",
    "destination.user.name",
    "dns.question.name",
    "event.code",
    "file.hash.md5",
    "file.hash.sha1",
    "file.hash.sha256",
    "file.name",
    "host.ip",
    "host.name",
    "observer.ip",
    "observer.name",
    "process.hash.sha256",
    "process.name",
    "server.ip",
    "source.ip",
    "source.mac",
    "source.user.name",
    "url.domain",
    "user.email",
    "user.id",
    "user.name",
    "user.target.name",
)
"""Fields whose values an index knows by themselves, for words of theirs may be everywhere."""


def is_typed(pieces: tuple[str, ...]) -> bool:
    """Whether there are diacritics in it: then they are meant."""
    return any(words(piece) != fold(words(piece)) for piece in pieces)


def certain_words(pieces: tuple[str, ...]) -> list[str]:
    """The words, folded, that stand whole in every text in which the pieces do; those that are not ASCII are left out.

    Libraries differ in how they fold rare letters, and a word that is looked for in an index must be there as it is.
    """
    texts = [fold(words(piece)) for piece in pieces]
    last = len(texts) - 1
    return [
        word[0]
        for number, text in enumerate(texts)
        for word in _WORD.finditer(text)
        if word[0].isascii()
        and not (_may_go_on(text[: word.start()]) and number > 0)
        and not (_may_go_on(text[word.end() :]) and number < last)
        and "." not in (text[: word.start()], text[word.end() :])
    ]


def _may_go_on(beside: str) -> bool:
    """Whether what stands beside a word in its piece leaves open where the word ends."""
    return beside in {"", "."}


def longest_run(pieces: tuple[str, ...]) -> str:
    """The longest text, folded, that every text has which has the pieces, and that no encoding changes."""
    runs = [word[0] for piece in pieces for word in _WORD.finditer(fold(words(piece)))]
    return max(filter(str.isascii, runs), key=len, default="")


def plain_run(run: str) -> str:
    """The longest part of such a text in which no letter can be written otherwise; empty if it says too little."""
    parts = re.split(r"[^0-9._]+", run)
    return max((part for part in parts if len(part) >= SHORTEST_RUN), key=len, default="")


def as_words(pieces: tuple[str, ...]) -> str:
    """The expression for RE2 that finds the pieces as whole words in a text of the same form."""
    form = _form(pieces)
    left = _EDGES[_kind(form[0][:1])][0]
    right = _EDGES[_kind(form[-1][-1:])][1]
    return left + r"\S*".join(map(_literal, form)) + right


def as_value(pieces: tuple[str, ...]) -> str:
    """The expression for RE2 that the whole of a value of the same form must match."""
    return "(?s:" + ".*".join(map(_literal, _form(pieces))) + ")"


def _form(pieces: tuple[str, ...]) -> list[str]:
    """As they are compared: lower case, without diacritics unless some are typed."""
    form = [words(piece) for piece in pieces]
    return form if is_typed(pieces) else [fold(piece) for piece in form]


def _kind(letter: str) -> str:
    if not letter:
        return "other"
    if letter in "0123456789":
        return "digit"
    return "other" if letter == "." or letter in _SEPARATORS else "letter"


def _literal(text: str) -> str:
    """The text as an expression that means just it."""
    return "".join(letter if letter.isalnum() or letter == "_" else f"\\x{{{ord(letter):x}}}" for letter in text)
