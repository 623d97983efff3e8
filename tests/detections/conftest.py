from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from core.records import Event, Fields, Logsource
from core.sigma import RuleSet, load_rules
from detections.engine import ClosureEngine

if TYPE_CHECKING:
    from collections.abc import Callable

RULE = {
    "title": "A test",
    "id": "11111111-1111-4111-8111-111111111111",
    "logsource": {"product": "linux"},
    "detection": {"selection": {"a": "b"}, "condition": "selection"},
}


def make_rule(**changed: object) -> bytes:
    return yaml.safe_dump({**RULE, **changed}, allow_unicode=True).encode()


def make_event(fields: Fields | None = None, raw: bytes = b"", logsource: Logsource | None = None) -> Event:
    return Event(
        id="logs/7/42",
        time=1_795_312_267_000_000_000,  # 22/11/2026 08:51:07 in Vietnam
        seen=1_795_312_268_000_000_000,
        logsource=logsource or Logsource(product="linux"),
        fields=fields or {},
        raw=raw,
    )


def make_ruleset(*rules: bytes) -> RuleSet:
    ruleset = load_rules({f"{number}.yml": rule for number, rule in enumerate(rules)})
    assert ruleset.refused == ()
    return ruleset


def detection_hits(detection: dict[str, object], event: Event) -> bool:
    rule = make_rule(detection={"condition": "selection", **detection})
    return bool(ClosureEngine(make_ruleset(rule)).match(event))


@pytest.fixture
def rule() -> Callable[..., bytes]:
    """A rule's YAML text, with the given keys changed."""
    return make_rule


@pytest.fixture
def event() -> Callable[..., Event]:
    """An event of a Linux server."""
    return make_event


@pytest.fixture
def ruleset() -> Callable[..., RuleSet]:
    """The rules of these texts, none of which may be refused."""
    return make_ruleset


@pytest.fixture
def hits() -> Callable[[object, Fields], bool]:
    """Whether a selection meets an event with these fields."""
    return lambda selection, fields: detection_hits({"selection": selection}, make_event(fields))


@pytest.fixture
def condition_hits() -> Callable[[dict[str, object], Fields], bool]:
    """Whether a whole ``detection`` meets an event with these fields."""
    return lambda detection, fields: detection_hits(detection, make_event(fields))


@pytest.fixture
def keyword_hits() -> Callable[..., bool]:
    """Whether keywords are in an event with these fields and raw bytes."""
    return lambda keywords, fields, raw=b"": detection_hits({"selection": keywords}, make_event(fields, raw))
