"""The measurements run, and tell what the contract says; how long things take is not for a test."""

from __future__ import annotations

import json

import pytest

from lab.bench import sigma
from lab.bench.measure import percentile
from lab.cli import main

RULE = """
title: A test
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows, service: sysmon}
detection: {selection: {EventID: 1, Image|endswith: '\\a.exe'}, condition: selection}
"""


@pytest.fixture
def work(tmp_path):
    """Options for one rule, which each second line meets."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yml").write_text(RULE)
    line = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1}
    lines = [json.dumps(line | {"Image": rf"C:\{number}\{'ab'[number % 2]}.exe"}) for number in range(40)]
    events = tmp_path / "events.jsonl"
    events.write_text("\n".join(lines))
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
    assert {"closures", "orjson"} <= report["ratios"].keys()


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
