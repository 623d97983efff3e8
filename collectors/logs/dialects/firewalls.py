"""What a filter says of a packet or a session, in the same words for every device.

``event.action`` is the device's own word in lower case, as Sigma's category firewall has it; ``event.type`` is ECS's,
allowed or denied, by a table.
"""

from __future__ import annotations

from core.records import Fields

VERDICTS = {
    **dict.fromkeys(
        (
            "accept",
            "accepted",
            "allow",
            "allowed",
            "built",
            "permit",
            "permitted",
            "est-allowed",
            "pass",
            "passed",
            "created",
            "forward",
        ),
        "allowed",
    ),
    **dict.fromkeys(
        (
            "block",
            "blocked",
            "deny",
            "denied",
            "discard",
            "drop",
            "dropped",
            "invalid",
            "reject",
            "rejected",
            "refused",
        ),
        "denied",
    ),
    **dict.fromkeys(("reset-both", "reset-client", "reset-server", "drop-icmp", "reset", "timeout-deny"), "denied"),
}
"""What devices write, in lower case, and ECS's word for it."""


def firewall(found: dict[str, str]) -> Fields:
    """The values as they are, but the device's word in lower case and with it what it means."""
    fields: Fields = {name: value for name, value in found.items() if value}
    word = found.get("event.action", "").lower()
    return {**fields, **({"event.action": word} if word else {}), **verdict(word)}


def verdict(word: str) -> Fields:
    """What a device's word means; no field where that is not known."""
    known = VERDICTS.get(word.lower())
    return {"event.type": known} if known else {}
