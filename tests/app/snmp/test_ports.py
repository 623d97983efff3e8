import pytest

from app.snmp.ports import PortRoles
from inventory.objects import Interface, Link
from inventory.records import Device, Inventory


def device(name, role):
    return Device(name=name, site="s", address="10.0.0.1", vendor="cisco", model="x", role=role)


ROLES = PortRoles(
    Inventory(
        devices=(device("SW-1", "switch"), device("SW-2", "switch"), device("RT-1", "router")),
        interfaces=(
            Interface(device="SW-1", name="GigabitEthernet1/0/1", role="server"),
            Interface(device="SW-1", name="Gi1/0/2"),
            Interface(device="SW-1", name="Gi1/0/3", role="access"),
            Interface(device="SW-2", name="Gi1/0/3", role="access"),
            Interface(device="SW-1", name="17", role="server"),
        ),
        links=(
            Link(id="1", a_device="SW-1", a_interface="Gi1/0/48", b_device="RT-1", b_interface="Gi0/1", kind="local"),
            Link(id="2", a_device="RT-1", a_interface="Gi0/0", b_device="RT-2", kind="wan"),
            Link(id="3", a_device="RT-1", a_interface="Gi0/2", b_device="SW-1", b_interface="Gi1/0/3", kind="local"),
            Link(id="4", a_device="SW-2", b_device="RT-1", kind="local"),
        ),
    )
)


@pytest.mark.parametrize("name", ["GigabitEthernet1/0/1", "Gi1/0/1", "gi1/0/1", "GIGABITETHERNET1/0/1"])
def test_a_port_has_the_role_that_the_inventory_says_however_it_is_written(name):
    assert ROLES.of("SW-1", name) == ROLES.of("sw-1", name) == "server"


def test_what_is_said_of_the_port_counts_before_the_line():
    assert ROLES.of("SW-1", "Gi1/0/3") == "access"
    assert ROLES.of("SW-1", "17") == "server"


def test_a_port_at_which_a_line_ends_leads_to_another_device():
    assert ROLES.of("SW-1", "Gi1/0/48") == ROLES.of("RT-1", "GigabitEthernet0/1") == "inter_switch"
    assert ROLES.of("RT-1", "Gi0/0") == "uplink"


def test_any_other_socket_of_a_switch_that_is_described_leads_to_somebodys_machine():
    assert ROLES.of("SW-1", "Gi1/0/2") == ROLES.of("SW-1", "Gi1/0/9") == ROLES.of("SW-1", "port18") == "access"


@pytest.mark.parametrize("name", ["Po1", "Port-channel1", "Vlan10", "Vlanif20", "mgmt0", "Eth-Trunk3", "ae0", "Trk1"])
def test_what_is_no_socket_leads_to_nobody_knows(name):
    assert ROLES.of("SW-1", name) == ""


def test_of_a_switch_that_nobody_has_described_and_of_other_devices_nothing_is_supposed():
    assert ROLES.of("SW-2", "Gi1/0/9") == ROLES.of("RT-1", "Gi0/9") == ""
    assert ROLES.of("gone", "Gi0/9") == PortRoles().of("SW-1", "Gi1/0/2") == ""
