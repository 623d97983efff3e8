"""Real rules and events beside the project, and the engines that are held against each other.

The folder that ``HAIDANG_SIGMA_DATA`` names holds ``sigmahq.tar.xz`` (SigmaHQ's rules and regression cases) and
``otrf-sample-30k.tar.xz`` (Windows events of OTRF's Security Datasets, one flat JSON object a line).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from collectors.files.jsonl import decode_json
from core.records import Event
from core.rule_text import read_rule_files
from core.sigma import RuleSet, load_rules
from detections.engine import ClosureEngine, Matcher
from detections.fast.compiled import compile_rules
from detections.fast.engine import FastEngine

VARIABLE = "HAIDANG_SIGMA_DATA"
ARCHIVES = ("sigmahq.tar.xz", "otrf-sample-30k.tar.xz")
RULE_FOLDERS = ("rules", "rules-compliance", "rules-emerging-threats", "rules-placeholder", "rules-threat-hunting")

Factory = Callable[[RuleSet], Matcher]


class Case(NamedTuple):
    """One of SigmaHQ's regression cases: a file in which a rule has at least so many hits."""

    rule: str
    file: Path
    hits: int


FAST: Mapping[str, Factory] = {"compiled": lambda ruleset: FastEngine(compile_rules(ruleset))}
"""What must answer as the closure engine does."""

ENGINES: Mapping[str, Factory] = {"closures": ClosureEngine, **FAST}


@lru_cache(maxsize=1)
def sigma_data() -> Path:
    """The unpacked archives; kept between runs under their hash. Skips without them, and fails in CI."""
    folder = os.environ.get(VARIABLE)
    if folder is None:
        _absent(f"{VARIABLE} names no folder with {' and '.join(ARCHIVES)}")
    archives = [Path(folder) / name for name in ARCHIVES]
    missing = [str(path) for path in archives if not path.is_file()]
    if missing:
        _absent(f"{VARIABLE}: there is no {' and no '.join(missing)}")
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in archives)).hexdigest()
    unpacked = Path(tempfile.gettempdir()) / f"haidang-sigma-{os.getuid()}-{digest[:16]}"
    if not unpacked.is_dir():
        _unpack(archives, unpacked)
    return unpacked


def _absent(reason: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def _unpack(archives: list[Path], target: Path) -> None:
    """Whole or not at all: where another run was quicker, its folder stays, for it holds the same."""
    made = Path(tempfile.mkdtemp(prefix=f"{target.name}."))
    try:
        for path in archives:
            with tarfile.open(path) as archive:
                archive.extractall(made, filter="data")
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def sigmahq_folders() -> list[Path]:
    """The folders of SigmaHQ's 3,780 rules."""
    return [sigma_data() / name for name in RULE_FOLDERS]


@lru_cache(maxsize=1)
def sigmahq_ruleset() -> RuleSet:
    """All of SigmaHQ's rules, loaded once a run."""
    return load_rules(read_rule_files(sigmahq_folders()))


def regression_cases() -> list[Case]:
    """Every case whose events are an EVTX file."""
    told = sorted((sigma_data() / "regression_data").rglob("info.yml"))
    return [case for path in told for case in _cases(yaml.load(path.read_bytes(), yaml.CSafeLoader))]


def _cases(info: Mapping[str, list[dict[str, object]]]) -> Iterator[Case]:
    (rule,) = info["rule_metadata"]
    for case in info.get("regression_tests_info", ()):
        if case["type"] == "evtx":
            yield Case(str(rule["id"]), sigma_data() / str(case["path"]), int(str(case.get("match_count", 1))))


def otrf_lines() -> list[bytes]:
    """30,000 Windows events as they were sent."""
    return (sigma_data() / "otrf-sample-30k.ndjson").read_bytes().splitlines()


def otrf_events() -> list[Event]:
    """The lines as events, by the reader that `haidang detect` uses."""
    return [decode_json(line, f"otrf/0/{number}") for number, line in enumerate(otrf_lines())]
