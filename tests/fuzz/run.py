"""Fuzzes one parser by coverage: ``python run.py NAME FINDINGS FOLDER [libFuzzer's options]``.

What should not have come out is written to the file FINDINGS, a line of JSON for each place in the code where it began,
and fuzzing goes on; what hangs or takes too much memory ends it, with its input in FOLDER.
"""

from __future__ import annotations

import base64
import json
import sys
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["collectors", "core.stores", "inventory.enrich"]):
    from harnesses import HARNESSES

MOST = 50
"""Findings that are written down."""


class Fuzzing:
    """One harness and what it has found."""

    def __init__(self, name: str, findings: Path) -> None:
        self._harness = HARNESSES[name]
        self._findings = findings
        self._known: set[str] = set()

    def one(self, data: bytes) -> None:
        """Tries one input."""
        try:
            self._harness.run(data)
        except self._harness.documented:
            pass
        except Exception as error:  # noqa: BLE001 - whatever else comes out is what is looked for
            self._note(error, data)

    def _note(self, error: Exception, data: bytes) -> None:
        at = traceback.extract_tb(error.__traceback__)
        place = f"{type(error).__name__} at {Path(at[-1].filename).name}:{at[-1].lineno}"
        if place in self._known or len(self._known) >= MOST:
            return
        self._known.add(place)
        road = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in at[-6:]]
        row = {"place": place, "error": str(error)[:300], "road": road, "input": base64.b64encode(data).decode()}
        with self._findings.open("a") as file:
            file.write(json.dumps(row) + "\n")


def main(name: str, findings: str, folder: str, *options: str) -> None:
    corpus = Path(folder) / "corpus"
    corpus.mkdir()
    fuzzing = Fuzzing(name, Path(findings))
    for number, seed in enumerate(HARNESSES[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    longest = f"-max_len={HARNESSES[name].longest}"
    atheris.Setup([sys.argv[0], longest, *options, str(corpus)], fuzzing.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
