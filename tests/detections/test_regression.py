"""SigmaHQ's regression cases, by SigmaHQ's own measure: fewer hits than told fail, more are allowed."""

from __future__ import annotations

import pytest
from corpus import ENGINES, regression_cases, sigma_data, sigmahq_ruleset

from collectors.files import READERS, guess
from core.records import Event
from core.sigma import RuleSet

CISCO = "ef0ff092-a24a-4fbc-beea-06c08d53e085"

MORE = {
    "0b9ad457-2554-44c1-82c2-d56a99c42377": 3,  # AnyDesk writes its configuration three times
    "8fbf3271-1ef6-4e94-8210-03c2317947f6": 3,  # three builds of procdump
    "7124aebe-4cd7-4ccb-8df0-6d6b93c96795": 2,  # the dump is tried with two command lines
    "5bac7a56-da88-4c27-922e-c81e113b20cb": 2,  # the runner's listener and its worker
    "45e112d0-7759-4c2a-aa36-9f8fb79d3393": 3,  # three values set to a zone
    "c7dcacd0-cc59-4004-b0a4-1d6cdebe6f3e": 2,  # two values, for servers and workstations
}
"""Cases with more hits than told, each right by the text of its rule."""


@pytest.fixture(scope="module")
def rules():
    """Every rule by its id."""
    return {rule.info.id: rule for rule in sigmahq_ruleset().rules}


def events_of(path) -> list[Event]:
    found = list(READERS[guess(path)](path))
    assert all(isinstance(one, Event) for one in found)
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_every_case_has_the_hits_that_it_tells(engine, rules) -> None:
    cases = regression_cases()
    assert len(cases) == 202
    hits = {}
    for case in cases:
        matcher = ENGINES[engine](RuleSet(rules=(rules[case.rule],)))
        hits[case.rule] = sum(bool(matcher.match(event)) for event in events_of(case.file))
    assert [case.rule for case in cases if hits[case.rule] < case.hits] == []
    assert {case.rule: hits[case.rule] for case in cases if hits[case.rule] > case.hits} == MORE


@pytest.mark.parametrize("engine", ENGINES)
def test_the_message_of_a_cisco_switch_is_met(engine, rules) -> None:
    folder = sigma_data() / "regression_data" / "rules" / "cisco" / "aaa" / "cisco_cli_dot1x_disabled"
    (event,) = events_of(folder / f"{CISCO}.raw")
    assert [info.id for info in ENGINES[engine](RuleSet(rules=(rules[CISCO],))).match(event)] == [CISCO]
