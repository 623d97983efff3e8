"""Why a device did not answer: one of few reasons, each told apart from the others."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """Why there is no answer.

    The reasons of SNMPv3 are what the device itself reports (usmStats, RFC 3414, section 5). SNMPv1 and v2c devices
    say nothing to a wrong community; ``WRONG_COMMUNITY`` is known where the same agent answers SNMPv3's discovery.
    """

    SILENT = "silent"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    WRONG_COMMUNITY = "wrong_community"
    UNKNOWN_USER = "unknown_user"
    WRONG_AUTH_KEY = "wrong_auth_key"
    WRONG_PRIV_KEY = "wrong_priv_key"
    UNSUPPORTED_LEVEL = "unsupported_level"
    NOT_IN_TIME = "not_in_time"
    TOO_BIG = "too_big"
    MALFORMED = "malformed"
    RESTLESS = "restless"

    @property
    def is_credential(self) -> bool:
        """Whether the device is there and does not take the credential."""
        return self in _CREDENTIAL

    @property
    def text(self) -> str:
        """One line in English that says what it means and what to do."""
        return _TEXTS[self]


_CREDENTIAL = frozenset(
    {
        Failure.WRONG_COMMUNITY,
        Failure.UNKNOWN_USER,
        Failure.WRONG_AUTH_KEY,
        Failure.WRONG_PRIV_KEY,
        Failure.UNSUPPORTED_LEVEL,
    }
)

_TEXTS = {
    Failure.SILENT: "no answer: the device is off, not reachable, or does not take SNMP from here or this community",
    Failure.REFUSED: "the address answers and nothing listens on its SNMP port: start the agent or correct the port",
    Failure.UNREACHABLE: "a router on the way says that the address cannot be reached: check the route",
    Failure.WRONG_COMMUNITY: "an SNMP agent answers there and does not take this community: correct the credential set",
    Failure.UNKNOWN_USER: "the device does not know this SNMPv3 user: correct the user's name",
    Failure.WRONG_AUTH_KEY: "the authentication passphrase or protocol is wrong: correct the credential set",
    Failure.WRONG_PRIV_KEY: "the user is authenticated; the privacy passphrase or protocol is wrong",
    Failure.UNSUPPORTED_LEVEL: "the device has this user without authentication or privacy: set it up with both",
    Failure.NOT_IN_TIME: "the device's SNMPv3 clock does not settle: its engine boots or time is stuck",
    Failure.TOO_BIG: "the device gave no value for so many at once: ask for fewer",
    Failure.MALFORMED: "what came from there is not SNMP",
    Failure.RESTLESS: "the device's interfaces changed while they were read, again and again",
}
