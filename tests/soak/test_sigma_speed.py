"""The compiled engine beside its peers, on all public rules and 30,000 real events; figures are printed."""

from __future__ import annotations

import pytest
from corpus import sigma_data, sigmahq_folders

from lab.cli import main

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]


def test_the_figures_of_the_compiled_engine(capsys) -> None:
    folders = [word for folder in sigmahq_folders() for word in ("--rules", str(folder))]
    events = ["--events", str(sigma_data() / "otrf-sample-30k.ndjson")]
    assert main(["bench", "sigma", *folders, *events]) == 0
    with capsys.disabled():
        print("\n" + capsys.readouterr().out)
