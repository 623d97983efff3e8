"""The measurements run, and tell what the contract says; how long things take is not for a test."""

from __future__ import annotations

import json

import pytest

from core.errors import UnavailableError
from lab.bench import sigma
from lab.bench.measure import Work, percentile
from lab.bench.peers import PEERS
from lab.cli import main

RULE = """
title: A test
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows, category: process_creation}
detection: {selection: {Image|endswith: '\\a.exe'}, condition: selection}
"""


@pytest.fixture
def files(tmp_path):
    """A folder with one rule, and a file of lines of which each second one meets it."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yml").write_text(RULE)
    line = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1}
    lines = [json.dumps(line | {"Image": rf"C:\{number}\{'ab'[number % 2]}.exe"}) for number in range(40)]
    events = tmp_path / "events.jsonl"
    events.write_text("\n".join(lines))
    return folder, events


@pytest.fixture
def work(files):
    """Options for these."""
    folder, events = files
    return ["bench", "sigma", "--rules", str(folder), "--events", str(events), "--json"]


def test_a_run_tells_work_results_and_ratios(work, capsys) -> None:
    assert main([*work, "--against", "closures", "--against", "orjson"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["work"] == "sigma"
    results = {one["name"]: one for one in report["results"]}
    assert {"ours, cold", "ours, warm", "ours, decoded", "ours, latency", "closures", "orjson"} <= results.keys()
    assert results["ours, cold"]["units"] == 40
    assert results["ours, cold"]["more"]["hits"] == results["ours, warm"]["more"]["hits"] == 20
    assert all(one["cpu_s"] >= 0 and one["wall_s"] >= 0 for one in results.values())
    assert report["ratios"].keys() == {"closures", "orjson", "a tenth of the rules", "2 processes"}


def test_a_peer_that_can_use_no_rule_has_no_ratio(files) -> None:
    pytest.importorskip("azuma")
    rule = files[0] / "a.yml"
    rule.write_text(rule.read_text().replace("category: process_creation", "category: file_event"))
    work = Work(rules=(str(files[0]),), events=(str(files[1]),), cache="")
    assert sigma.bench(work, ["azuma"], 2, tell=False).ratios.keys() == {"a tenth of the rules", "2 processes"}


@pytest.mark.parametrize("peer", ["azuma", "sqlite"])
def test_public_engines_get_the_starts_of_processes_and_find_what_we_find(peer, files) -> None:
    pytest.importorskip(sigma.PEERS[peer])
    folder, events = files
    result = PEERS[peer](Work(rules=(str(folder),), events=(str(events),), cache=""))
    assert result.more["rules"] == 1
    assert result.more["hits"] == result.more["hits_by_closures"] == 20


def test_a_measurement_that_fails_is_named_with_its_last_word(files) -> None:
    work = Work(rules=(str(files[0]),), events=("gone.jsonl",), cache="")
    with pytest.raises(UnavailableError, match=r"warm: the measurement failed: .*gone\.jsonl"):
        sigma.bench(work, [], 2, tell=False)


def test_a_peer_that_is_not_installed_is_named_and_left_out(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sigma, "PEERS", {"closures": "detections", "absent": "no_such_module", "part": "no.such"})
    assert sigma.installed(["closures", "absent", "part"]) == ["closures"]
    assert "absent" in capsys.readouterr().err


def test_wrong_options_are_told(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "sigma", "--rules", "nowhere"])
    assert stopped.value.code == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.0, 0.5, 0.99, 1.0)] == [1.0, 3.0, 4.0, 4.0]
