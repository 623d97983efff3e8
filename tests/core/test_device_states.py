"""The file in which the SNMP lane tells of its devices."""

from __future__ import annotations

import pytest

from core.device_states import DeviceState, DeviceStates, Reach, read_device_states, write_device_states
from core.errors import IntegrityError


def test_what_is_written_is_read_and_without_a_file_no_device_is_polled(tmp_path):
    path = tmp_path / "devices.json"
    assert read_device_states(path) == DeviceStates()
    state = DeviceState(name="sw-1", site="tha", address="10.0.0.1", state=Reach.REFUSED, refused=("old",))
    states = DeviceStates(written=5, period=60, devices=(state,))
    write_device_states(path, states)
    assert read_device_states(path) == states
    assert states.by_name() == {"sw-1": state}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format":9}', b'{"devices":[{"name":"x"}]}'])
def test_a_file_of_another_form_is_told(tmp_path, content):
    path = tmp_path / "devices.json"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=str(path)):
        read_device_states(path)
