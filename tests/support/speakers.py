"""Messages as programs and devices send them, for the tests of dialects."""

from __future__ import annotations

from collectors.logs.dialects import understand
from collectors.logs.syslog import Message
from core.records import Fields


def message(text: str, program: str = "", code: str = "") -> Message:
    """A message of this text by this program, or with this Cisco mnemonic."""
    return Message(1, 5, None, "", program, "", code, "", text)


def said(text: str, program: str = "", code: str = "") -> Fields:
    """What its dialect makes of the text."""
    return understand(message(text, program, code))[1]
