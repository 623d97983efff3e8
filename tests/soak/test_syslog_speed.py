"""The logs lane beside rsyslogd at 25,000 messages a second: figures are printed, and no message may be lost."""

from __future__ import annotations

import json

import pytest

from lab.cli import main

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


def test_the_figures_of_the_logs_lane_beside_rsyslogd(capsys) -> None:
    assert main(["bench", "syslog", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    with capsys.disabled():
        print()
        for one in report["results"]:
            print(f"{one['name']}: {one['cpu_s'] / one['units'] * 1e6:.1f} us CPU a message; {one['more']}")
        print(report["ratios"])
    assert [one["name"] for one in report["results"] if one["units"] != one["more"]["sent"]] == []
