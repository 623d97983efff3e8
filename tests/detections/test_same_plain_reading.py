"""The engines against a reading of rules as they are written: no parser of others, no tables, no compiling.

It knows the modifiers of `sigma_random.PLAIN` and takes each from the specification's words (Sigma rules 2.1).
"""

from __future__ import annotations

import ipaddress
import operator
import re
import unicodedata
from fnmatch import fnmatchcase

import pytest
from corpus import ENGINES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigma_random import PLAIN, detections, events, rule_text

from core.records import Logsource
from core.sigma import load_rules

NAMES = ("a", "b")
SOURCE = {"product": "linux"}
DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")


def written(value):
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def composed(text):
    return unicodedata.normalize("NFC", "".join("?" if "\ud800" <= sign <= "\udfff" else sign for sign in text))


def glob_of(pattern, fold):
    """The pattern for fnmatch: a sign behind a backslash is itself where it means something, and so is the rest."""
    made = literal = ""
    for token in re.findall(r"\\[\\*?]|[\s\S]", pattern):
        if token in ("*", "?"):
            made, literal = made + quoted(fold(literal)) + token, ""
        else:
            literal += token[-1]
    return made + quoted(fold(literal))


def quoted(text):
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in text)


def number(value):
    if isinstance(value, bool) or (isinstance(value, str) and not DECIMAL.fullmatch(value)):
        return None
    if isinstance(value, str):
        return int(value) if value.lstrip("+-").isdigit() else float(value)
    return value


def in_network(value, network):
    try:
        address = ipaddress.ip_address(written(value))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any(one in ipaddress.ip_network(network) for one in (address, mapped) if one is not None)


def meets(wanted, modifiers, value):
    """Whether one value of a field meets one value of a rule."""
    for name, look in LOOKS.items():
        if name in modifiers:
            return look(wanted, value)
    if isinstance(wanted, bool):
        return composed(written(value)).lower() == written(wanted)
    if isinstance(wanted, int | float):
        same = composed(value).lower() == str(wanted) if isinstance(value, str) else value == wanted
        return same and not isinstance(value, bool)
    return text_meets(wanted, modifiers, value)


def text_meets(wanted, modifiers, value):
    fold = composed if "cased" in modifiers else (lambda text: composed(text).lower())
    before = "*" if {"contains", "endswith"} & set(modifiers) else ""
    behind = "*" if {"contains", "startswith"} & set(modifiers) else ""
    return fnmatchcase(fold(written(value)), before + glob_of(wanted, fold) + behind)


def searched(wanted, value):
    signs = re.UNICODE if "?i" in wanted else re.ASCII
    return re.search(wanted.replace("$", r"\Z"), composed(written(value)), signs) is not None


def compared(compare):
    return lambda wanted, value: number(value) is not None and compare(number(value), wanted)


LOOKS = {
    "re": searched,
    "cidr": lambda wanted, value: in_network(value, wanted),
    "lt": compared(operator.lt),
    "lte": compared(operator.le),
    "gt": compared(operator.gt),
    "gte": compared(operator.ge),
}


def item_holds(key, wanted, fields):
    name, *modifiers = key.split("|")
    given_ = fields.get(name)
    values = given_ if isinstance(given_, list) else [] if given_ is None else [given_]
    if "exists" in modifiers:
        return (name in fields) == wanted
    several = wanted if isinstance(wanted, list) else [wanted]
    each = [not values if one is None else any(meets(one, modifiers, value) for value in values) for one in several]
    held = all(each) if "all" in modifiers else any(each)
    return held != ("neq" in modifiers)


def selection_holds(selection, event):
    if isinstance(selection, dict) and "|all" not in selection:
        return all(item_holds(key, wanted, event.fields) for key, wanted in selection.items())
    if isinstance(selection, dict):
        return all(keyword_holds(one, event) for one in selection["|all"])
    parts = (selection_holds(one, event) if isinstance(one, dict) else keyword_holds(one, event) for one in selection)
    return any(parts)


def keyword_holds(keyword, event):
    values = [one for value in event.fields.values() for one in (value if isinstance(value, list) else [value])]
    if not event.raw.startswith(b"{"):
        values.append(event.raw.decode("utf-8", "replace"))
    return any(meets(str(keyword), ["contains"], value) for value in values if value is not None)


def condition_holds(condition, held):
    """Reads from the outermost parentheses inwards; the conditions made here need no precedence."""
    condition = condition.strip()
    if condition.startswith("not "):
        return not condition_holds(condition[4:], held)
    if condition.startswith("("):
        left, joint, right = split(condition[1:-1])
        return joint(condition_holds(left, held), condition_holds(right, held))
    if " of " not in condition:
        return held[condition]
    count, pattern = condition.split(" of ")
    chosen = [value for name, value in held.items() if pattern == "them" or fnmatchcase(name, pattern)]
    return all(chosen) if count == "all" else any(chosen)


def split(inner):
    """Both sides of the one ``and`` or ``or`` that stands in no parentheses."""
    depth = 0
    for place, sign in enumerate(inner):
        depth += (sign == "(") - (sign == ")")
        for word, joint in ((" and ", operator.and_), (" or ", operator.or_)):
            if depth == 0 and inner.startswith(word, place):
                return inner[:place], joint, inner[place + len(word) :]
    raise ValueError(inner)


def rule_holds(detection, event):
    held = {name: bool(selection_holds(one, event)) for name, one in detection.items() if name != "condition"}
    return condition_holds(detection["condition"], held)


linux_events = events(NAMES, (SOURCE,))


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(detection=detections(PLAIN, NAMES), examined=st.lists(linux_events, min_size=1, max_size=6))
def test_a_rule_is_met_as_it_reads(name, detection, examined):
    ruleset = load_rules({"x.yml": rule_text(detection, 1, SOURCE)})
    assert ruleset.refused == ()
    engine = ENGINES[name](ruleset)
    for event in examined:
        assert event.logsource == Logsource(product="linux")
        assert bool(engine.match(event)) == rule_holds(detection, event)
