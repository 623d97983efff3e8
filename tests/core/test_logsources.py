from __future__ import annotations

from itertools import chain

import pytest
import yaml
from corpus import sigma_data, sigmahq_ruleset

from core.logsources import CATEGORY, PRODUCT, SERVICE, Row, Terms, deciding, source_of, table, terms_of
from core.records import FieldValue, Logsource
from detections.routes import concerns

CHANNEL = "winlog.channel"
SYSMON = "Microsoft-Windows-Sysmon/Operational"

DIALECTS = (
    ("", "", "syslog"), ("cisco", "", "ios"), ("cisco", "", "asa"), ("huawei", "", "vrp"), ("juniper", "", "junos"),
    ("fortigate", "", "traffic"), ("fortigate", "", "event"), ("fortigate", "", "utm"),
    ("paloalto", "", "traffic"), ("paloalto", "", "globalprotect"),
    ("linux", "", "sshd"), ("linux", "", "sudo"), ("linux", "", "cron"), ("linux", "", "auth"),
    ("linux", "", "auditd"), ("linux", "", "syslog"), ("linux", "", "mail"), ("postgresql", "database", ""),
    ("", "dns", "bind"), ("", "dns", "unbound"), ("", "dns", "dnsmasq"), ("", "proxy", "squid"),
    ("", "webserver", "apache"), ("", "webserver", "nginx"),
)  # fmt: skip
"""What the dialects of the logs lane give."""

ZEEK = tuple(("zeek", "", path) for path in ("conn", "dce_rpc", "dns", "http", "kerberos", "rdp", "smb_files", "x509"))

FRAMEWORK = "a framework writes into its application's log, which does not say which framework that is"
NO_SOURCE = {
    **dict.fromkeys(
        (
            (product, "application", "")
            for product in ("django", "jvm", "nodejs", "python", "ruby_on_rails", "spring", "sql", "velocity")
        ),
        FRAMEWORK,
    ),
    ("paloalto", "file_event", "globalprotect"): "the appliance sends no record of the files made on it",
}
"""Log sources that only an event which comes with its log source can have, and why."""


def given() -> list[Logsource]:
    """Every log source that events come with."""
    known = [Logsource(product=one.product, category=one.category, service=one.service) for one in table().known]
    named = [Logsource(product=one, category=two, service=three) for one, two, three in (*DIALECTS, *ZEEK)]
    return list(dict.fromkeys((*known, *named)))


def described(source: Logsource, row: Row) -> Terms | None:
    """The terms of an event of the source that is as the row says; None if none can be."""
    said = {PRODUCT: source.product, CATEGORY: source.category, SERVICE: source.service}
    if any(said[name] not in wanted for name, wanted in row.when.items() if name in said):
        return None
    return terms_of(source, [row.when.get(field, [""])[0] for field in deciding(source.product)])


def all_terms() -> list[Terms]:
    found = []
    for source in given():
        rows = [row for row in table().rows if row.of == source.product]
        found += filter(None, (described(source, row) for row in rows))
        found.append(terms_of(source, [None] * len(deciding(source.product))))
    return found


def windows(channel: str, code: object = None, kind: str = "") -> Terms:
    told: dict[str, FieldValue] = {CHANNEL: channel, "event.code": str(code), "EventType": kind}
    return terms_of(Logsource(product="windows"), [told.get(field) for field in deciding("windows")])


def test_every_log_source_of_sigmahqs_rules_has_a_source_or_a_reason_why_not() -> None:
    terms = all_terms()
    wanted = {rule.info.logsource for rule in sigmahq_ruleset().rules}
    missing = {one for one in wanted if not any(concerns(one, event) for event in terms)}
    assert {(one.product, one.category, one.service) for one in missing} == NO_SOURCE.keys()


def thor() -> dict[str, dict[str, object]]:
    found = yaml.load((sigma_data() / "tests" / "thor.yml").read_bytes(), yaml.CSafeLoader)
    return found["logsources"]


def channels(service: object) -> list[str]:
    told = [one for one in thor().values() if one.get("service") == service]
    sources = chain.from_iterable(one["sources"] for one in told)
    return [source.removeprefix("WinEventLog:") for source in sources if source.startswith("WinEventLog:")]


def test_every_channel_that_thor_knows_is_its_service() -> None:
    services = {one["service"] for one in thor().values() if one.get("product") == "windows" and "service" in one}
    facts = [(service, channel) for service in services for channel in channels(service)]
    assert len(facts) > 50
    for service, channel in facts:
        assert service in windows(channel).services, channel


def test_every_category_that_thor_knows_is_there_in_each_channel_of_its_service() -> None:
    facts = [one for one in thor().values() if "conditions" in one]
    assert len(facts) > 30
    for fact in facts:
        codes = fact["conditions"]["EventID"]
        for code in codes if isinstance(codes, list) else [codes]:
            for channel in channels(fact["rewrite"]["service"]):
                kind = fact["conditions"].get("EventType", "")
                assert fact["category"] in windows(channel, code, kind).categories, fact


def test_an_event_may_be_of_several_categories() -> None:
    assert windows(SYSMON, 12, "DeleteValue").categories == {"registry_event", "registry_delete"}
    assert windows(SYSMON, 12, "CreateKey").categories == {"registry_event", "registry_add"}
    assert windows(SYSMON, 13, "SetValue").categories == {"registry_event", "registry_set"}


def test_an_event_id_means_nothing_in_another_channel() -> None:
    assert windows("Application", 1).categories == frozenset()
    assert windows("Security", 4688).categories == {"process_creation"}
    assert windows("System", 4688).categories == frozenset()


def test_a_number_is_met_however_it_is_written() -> None:
    for code in (1, 1.0, "1", ["1"]):
        told: dict[str, object] = {CHANNEL: SYSMON, "event.code": code}
        terms = terms_of(Logsource(product="windows"), [told.get(field) for field in deciding("windows")])
        assert terms.categories == {"process_creation"}


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"Channel": "Security", "EventID": 4624}, ("windows", "", "")),
        ({"Channel": "Linux-Sysmon/Operational", "EventID": 1}, ("linux", "", "")),
        ({"timestamp": "", "event_type": "tls", "flow_id": 1}, ("suricata", "", "tls")),
        ({"_path": "conn", "ts": 1.5}, ("zeek", "", "conn")),
        ({"eventSource": "iam.amazonaws.com", "eventName": "X", "awsRegion": "a"}, ("aws", "", "cloudtrail")),
        ({"category": "SignInLogs", "operationName": "Sign-in"}, ("azure", "", "signinlogs")),
        ({"category": "AuditLogs", "operationName": "X"}, ("azure", "", "auditlogs")),
        ({"category": "something else", "operationName": "X"}, ("", "", "")),
        ({"host.os.type": "macos", "event.category": ["process"]}, ("macos", "", "")),
        ({"message": "text"}, ("", "", "")),
    ],
)
def test_a_flat_event_is_known_by_its_keys_and_what_they_say(fields, source) -> None:
    found = source_of(fields)
    assert (found.product, found.category, found.service) == source


def test_rows_and_keys_are_written_as_they_are_compared() -> None:
    for row in (*table().rows, *table().known):
        for wanted in row.when.values():
            assert [one.lower() for one in wanted] == list(wanted)
