"""Fuzzing by coverage, each parser in a process of its own: no other exception than the documented, memory bounded.

``FUZZ_SECONDS`` says how long each is tried; figures are printed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

FUZZ = Path(__file__).parent.parent / "fuzz"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "120"))
MEMORY_MIB = 1024
SLOWEST = 10
"""Seconds after which one input counts as a hang."""

DIALECTS = (
    *("asa", "cisco", "fortigate", "paloalto", "huawei", "mikrotik", "juniper"),
    *("cef", "leef", "audits", "dhcp", "dns"),
)
PARSERS = (
    *("syslog", "syslog_file", "program_file", "syslog_splitter", "relp_splitter", "dialects"),
    *(f"dialect_{name}" for name in DIALECTS),
    *("json", "eve", "zeek", "zeek_followed", "windows", "http_bulk", "spool_segment"),
)


def test_every_harness_is_run():
    listing = [sys.executable, "-c", "from harnesses import HARNESSES; print(*HARNESSES)"]
    done = subprocess.run(listing, cwd=FUZZ, capture_output=True, text=True, check=True)
    assert tuple(done.stdout.split()) == PARSERS


@pytest.mark.parametrize("parser", PARSERS)
def test_no_bytes_make_a_parser_fail_hang_or_take_too_much(parser, tmp_path):
    pytest.importorskip("atheris")
    findings = tmp_path / "findings"
    options = [f"-max_total_time={SECONDS}", f"-rss_limit_mb={MEMORY_MIB}", f"-timeout={SLOWEST}"]
    options += ["-print_final_stats=1", f"-artifact_prefix={tmp_path}/", "-seed=20261125", "-len_control=20"]
    command = [sys.executable, "run.py", parser, str(findings), str(tmp_path), *options]
    done = subprocess.run(command, cwd=FUZZ, capture_output=True, timeout=SECONDS + 600, check=False)
    said = done.stderr.decode("utf-8", "replace")
    print(f"\n{parser}: {figures(said)}")
    found = [json.loads(line) for line in findings.read_text().splitlines()] if findings.exists() else []
    assert found == []
    assert done.returncode == 0, said[-3000:]


def figures(said: str) -> str:
    """What libFuzzer tells at the end."""
    stats = dict(re.findall(r"^stat::(\w+): +(\d+)$", said, re.MULTILINE))
    covered = re.findall(r"cov: (\d+)", said)
    return (
        f"{int(stats.get('number_of_executed_units', 0)):,} inputs, {stats.get('average_exec_per_sec')}/s, "
        f"{stats.get('peak_rss_mb')} MiB at most, {covered[-1] if covered else 0} edges, "
        f"slowest {stats.get('slowest_unit_time_sec')} s"
    )
