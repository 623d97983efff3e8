from __future__ import annotations

import msgspec

from core.records import Alert, Severity
from core.sigma import RuleInfo
from detections.detect import detect
from detections.engine import ClosureEngine

OURS = {"title_vi": "Thử", "object": ["source.ip", "site", "host.name", "ports"], "cause": "guessing"}


def alert_of(rule: bytes, ruleset, event) -> Alert:
    (alert,) = detect(ClosureEngine(ruleset(rule)), event)
    return alert


def test_an_alert_tells_rule_object_time_and_evidence(rule, ruleset, event) -> None:
    text = rule(name="a_test", level="high", tags=["attack.t1110.001", "attack.credential-access"], haidang=OURS)
    fields = {"a": "b", "source.ip": "203.0.113.45", "ports": ["22", "23"]}
    happened = msgspec.structs.replace(event(fields, b"raw line"), site="tha", unit="vks-tha", device="sv-tha")
    alert = alert_of(text, ruleset, happened)
    assert alert.id == "11111111-1111-4111-8111-111111111111:logs/7/42"
    assert (alert.rule, alert.name, alert.cause) == ("11111111-1111-4111-8111-111111111111", "a_test", "guessing")
    assert alert.title == {"vi": "Thử", "en": "A test"}
    assert alert.object == (("source.ip", "203.0.113.45"), ("site", "tha"), ("host.name", ""), ("ports", "22,23"))
    assert (alert.severity, alert.techniques) == (Severity.HIGH, ("T1110.001",))
    assert (alert.start, alert.end, alert.count) == (happened.time, happened.time, 1)
    assert (alert.unit, alert.site, alert.device) == ("vks-tha", "tha", "sv-tha")
    assert alert.fields == fields
    (evidence,) = alert.evidence
    assert (evidence.event, evidence.time, evidence.raw) == ("logs/7/42", happened.time, b"raw line")
    assert (evidence.site, evidence.device) == ("tha", "sv-tha")


def test_evidence_is_cut_to_8_kib(rule, ruleset, event) -> None:
    alert = alert_of(rule(), ruleset, event({"a": "b"}, b"x" * 9000))
    assert len(alert.evidence[0].raw) == 8192


def test_there_is_one_alert_a_rule_and_none_without_a_hit(rule, ruleset, event) -> None:
    engine = ClosureEngine(ruleset(rule(), rule(id="22222222-2222-4222-8222-222222222222")))
    assert len({alert.id for alert in detect(engine, event({"a": "b"}))}) == 2
    assert detect(engine, event({"a": "c"})) == []


def test_any_matcher_will_do(rule, ruleset, event) -> None:
    info = ruleset(rule()).rules[0].info

    class Always:
        def match(self, event: object) -> list[RuleInfo]:  # noqa: ARG002 # it answers the same to all
            return [info]

    assert detect(Always(), event())[0].rule == info.id


def test_an_alert_travels_as_json(rule, ruleset, event) -> None:
    alert = alert_of(rule(), ruleset, event({"a": "b"}, b"\xff raw"))
    assert msgspec.json.decode(msgspec.json.encode(alert), type=Alert) == alert
