from __future__ import annotations

from collections.abc import Iterator

import pytest
from corpus import otrf_events, regression_cases

from collectors.files.evtx import read
from core.logsources import Terms, source_of
from core.names import _table, canonical, names_of
from core.records import Event, Logsource
from detections.routes import event_terms

WINDOWS_PROCESS = Logsource(product="windows", category="process_creation")


def ambiguous(events: Iterator[Event] | list[Event]) -> set[tuple[str, ...]]:
    """The ECS names under which an event has several values, and the keys that it has them under."""
    ecs = {name for section in _table() for name in section.names}
    found = set()
    for event in events:
        names = names_of(event_terms(event.logsource, event.fields))
        for name in ecs:
            keys = [key for key in names[name] if key in event.fields]
            if len(keys) > 1 and len({str(event.fields[key]) for key in keys}) > 1:
                found.add((name, *keys))
    return found


def test_no_event_of_the_corpus_has_two_values_under_one_name() -> None:
    assert ambiguous(otrf_events()) == set()


def test_no_event_of_the_regression_cases_has_two_values_under_one_name() -> None:
    cases = (event for case in regression_cases() for event in read(case.file) if isinstance(event, Event))
    assert ambiguous(cases) == set()


@pytest.mark.parametrize(
    ("name", "source", "ecs"),
    [
        ("Image", WINDOWS_PROCESS, "process.executable"),
        ("process.executable", WINDOWS_PROCESS, "process.executable"),
        ("OriginalFileName", WINDOWS_PROCESS, "process.pe.original_file_name"),
        ("OriginalFileName", Logsource(product="windows", category="image_load"), "dll.pe.original_file_name"),
        ("TargetFilename", Logsource(product="linux", category="file_event"), "file.path"),
        ("User", WINDOWS_PROCESS, "User"),
        ("User", Logsource(product="linux", category="process_creation"), "user.name"),
        ("Filename", Logsource(category="antivirus"), "file.path"),
        ("cs-uri-query", Logsource(category="webserver"), "url.original"),
        ("query", Logsource(category="dns"), "dns.question.name"),
        ("query", Logsource(product="zeek", service="dns"), "dns.question.name"),
        ("query", Logsource(product="zeek", service="http"), "query"),
        ("cfgpath", Logsource(product="fortigate", service="event"), "fortinet.cfgpath"),
    ],
)
def test_a_rules_field_has_one_name_by_its_log_source(name, source, ecs) -> None:
    assert canonical(name, source) == ecs


def test_an_event_is_asked_under_its_ecs_name_first() -> None:
    terms = Terms(frozenset(["windows"]), frozenset(["process_creation"]), frozenset(["security"]))
    keys = names_of(terms)["process.executable"]
    assert keys[0] == "process.executable"
    assert {"Image", "NewProcessName"} <= set(keys)


def test_whatever_a_rule_calls_a_field_its_events_are_asked_for_it() -> None:
    for section in _table():
        source = Logsource(product=section.product, category=section.category, service=section.service)
        terms = Terms(*(frozenset({term} - {""}) for term in (section.product, section.category, section.service)))
        for aliases in section.names.values():
            for alias in aliases:
                assert alias in names_of(terms)[canonical(alias, source)]


def test_which_channel_was_cleared_is_not_the_channel_that_tells_it() -> None:
    fields = {"winlog.channel": "System", "Channel": "Security", "event.code": 104, "EventID": 104}
    event = Event(id="", time=0, seen=0, logsource=source_of(fields), fields=fields, raw=b"")
    terms = event_terms(event.logsource, fields)
    assert terms.services == {"system"}
    name = canonical("Channel", Logsource(product="windows", service="system"))
    assert next(fields[key] for key in names_of(terms)[name] if key in fields) == "Security"
