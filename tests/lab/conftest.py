import pytest

from lab.sector import load_sector


@pytest.fixture(scope="session")
def sector():
    return load_sector()
