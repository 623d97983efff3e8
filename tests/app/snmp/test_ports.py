from app.snmp.ports import PortRoles
from inventory.objects import Interface, Link
from inventory.records import Device, Inventory


def device(name, role):
    return Device(name=name, site="s", address="10.0.0.1", vendor="cisco", model="x", role=role)


ROLES = PortRoles(
    Inventory(
        devices=(device("SW-1", "switch"), device("RT-1", "router")),
        interfaces=(
            Interface(device="SW-1", name="Gi1/0/1", role="server"),
            Interface(device="SW-1", name="Gi1/0/2"),
            Interface(device="SW-1", name="Gi1/0/3", role="access"),
        ),
        links=(
            Link(id="1", a_device="SW-1", a_interface="Gi1/0/48", b_device="RT-1", b_interface="Gi0/1", kind="local"),
            Link(id="2", a_device="RT-1", a_interface="Gi0/0", b_device="RT-2", kind="wan"),
            Link(id="3", a_device="RT-1", a_interface="Gi0/2", b_device="SW-1", b_interface="Gi1/0/3", kind="local"),
        ),
    )
)


def test_a_port_has_the_role_that_the_inventory_says():
    assert ROLES.of("SW-1", "Gi1/0/1") == "server"
    assert ROLES.of("sw-1", "gi1/0/1") == "server"
    assert ROLES.of("SW-1", "Gi1/0/3") == "access"


def test_a_port_at_which_a_line_ends_leads_to_another_device():
    assert ROLES.of("SW-1", "Gi1/0/48") == ROLES.of("RT-1", "Gi0/1") == "inter_switch"
    assert ROLES.of("RT-1", "Gi0/0") == "uplink"


def test_any_other_port_of_a_switch_leads_to_somebody_s_machine_and_that_of_a_router_to_nobody_knows():
    assert ROLES.of("SW-1", "Gi1/0/2") == ROLES.of("SW-1", "Gi1/0/9") == "access"
    assert ROLES.of("RT-1", "Gi0/9") == ""
    assert ROLES.of("gone", "Gi0/9") == PortRoles().of("SW-1", "Gi1/0/2") == ""
