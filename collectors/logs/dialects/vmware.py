"""VMware ESXi and vCenter: hostd, vpxa, vobd, the shell, and vCenter's events by ``vpxd``.

Sources: VMware "vSphere Monitoring and Performance", "System Log Files"; the event types of the vSphere API
(``vim.event``) and of ESXi (``esx.audit``, ``esx.problem``).
"""

from __future__ import annotations

import re

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.pattern import Dialect, first, pattern
from core.records import Fields, Logsource

_IP = r"([0-9A-Fa-f.:]+)"

_FAILED = {"event_action": "hypervisor_login", "event_outcome": "failure"}
_SUCCEEDED = {"event_action": "hypervisor_login", "event_outcome": "success"}

_HOSTD = (
    pattern(
        "Cannot login ", rf"(?s)^(?>.*?\bEvent \d+ : )Cannot login (.*)@{_IP}$", "user.name", "source.ip", **_FAILED
    ),
    pattern(
        "logged in as ",
        rf"(?s)^(?>.*?\bEvent \d+ : )User ([^@]*)@{_IP} logged in as (.*)$",
        "user.name",
        "source.ip",
        "user_agent.original",
        **_SUCCEEDED,
    ),
    pattern(
        "logged out ",
        rf"(?s)^(?>.*?\bEvent \d+ : )User ([^@]*)@{_IP} logged out ",
        "user.name",
        "source.ip",
        event_action="hypervisor_logout",
    ),
    pattern(
        "Rejected password for user ",
        rf"(?s)^(?>.*?(?<!\S)Rejected password for user )(.*) from {_IP}$",
        "user.name",
        "source.ip",
        **_FAILED,
    ),
    pattern(
        "Accepted password for user ",
        rf"(?s)^(?>.*?(?<!\S)Accepted password for user )(.*) from {_IP}$",
        "user.name",
        "source.ip",
        **_SUCCEEDED,
    ),
    pattern(
        " has been locked for ",
        r"(?s)^(?>.*?\bRemote access for ESXi local user account )'([^']*)' has been locked for (\d+) seconds",
        "user.name",
        "haidang.seconds",
        event_action="account_locked",
    ),
)

_CODES = {
    "audit.ssh.enabled": {"event.action": "hypervisor_shell_enabled", "service.name": "ssh"},
    "audit.shell.enabled": {"event.action": "hypervisor_shell_enabled", "service.name": "shell"},
    "audit.dcui.enabled": {"event.action": "hypervisor_console_enabled"},
    "audit.lockdownmode.disabled": {"event.action": "hypervisor_lockdown_disabled"},
    "audit.account.locked": {"event.action": "account_locked"},
    "audit.host.boot": {"event.action": "device_restarted"},
    "audit.host.maxRegisteredVMsExceeded": {"event.action": "hypervisor_limit_reached"},
    "problem.net.vmnic.linkstate.down": {"event.action": "link_down"},
    "problem.net.connectivity.lost": {"event.action": "network_connectivity_lost"},
    "problem.net.redundancy.lost": {"event.action": "network_redundancy_lost"},
    "problem.storage.connectivity.lost": {"event.action": "storage_connectivity_lost"},
    "problem.storage.redundancy.lost": {"event.action": "storage_redundancy_lost"},
    "problem.vmfs.heartbeat.timedout": {"event.action": "storage_connectivity_lost"},
    "clear.net.vmnic.linkstate.up": {"event.action": "link_up"},
}
"""What ESXi's own events mean, by their names after ``esx.``; every one has its name as ``event.code``."""

_VMNIC = re.compile(r"\b(vmnic\d{1,4})\b")


def _observed(found: dict[str, str]) -> Fields:
    code = found["code"]
    fields: Fields = {"event.code": f"esx.{code}", "event.message": found["said"], **_CODES.get(code, {})}
    interface = _VMNIC.search(found["said"][:1000]) if ".net." in code else None
    return {**fields, "interface.name": interface[1]} if interface else fields


_VOBD = (
    *_HOSTD[-1:],
    completed(
        "[esx.", r"(?s)^(?>.*?\[esx\.)((?:audit|problem|clear)\.[\w.]{1,96})\] ?(.*)$", _observed, "code", "said"
    ),
)

_SHELL = (
    pattern(
        "]: ",
        r"(?s)^\[([^\]\s]{1,128})\]: (.+)$",
        "user.name",
        "process.command_line",
        event_action="command_executed",
    ),
)

_ACTIONS = {
    "UserLoginSessionEvent": "hypervisor_login",
    "BadUsernameSessionEvent": "hypervisor_login",
    "UserLogoutSessionEvent": "hypervisor_logout",
    "NoAccessUserEvent": "hypervisor_login",
    "AccountCreatedEvent": "user_created",
    "AccountRemovedEvent": "user_deleted",
    "AccountUpdatedEvent": "user_changed",
    "PermissionAddedEvent": "privilege_changed",
    "PermissionRemovedEvent": "privilege_changed",
    "PermissionUpdatedEvent": "privilege_changed",
    "RoleAddedEvent": "privilege_changed",
    "RoleUpdatedEvent": "privilege_changed",
    "VmCreatedEvent": "vm_created",
    "VmClonedEvent": "vm_cloned",
    "VmRemovedEvent": "vm_removed",
    "VmPoweredOnEvent": "vm_powered_on",
    "VmPoweredOffEvent": "vm_powered_off",
    "VmGuestShutdownEvent": "vm_powered_off",
    "VmReconfiguredEvent": "vm_changed",
    "VmMigratedEvent": "vm_migrated",
    "DrsVmMigratedEvent": "vm_migrated",
    "VmFailedToPowerOnEvent": "vm_failed",
    "HostConnectionLostEvent": "host_connection_lost",
    "HostDisconnectedEvent": "host_connection_lost",
    "HostConnectedEvent": "host_connected",
    "EnteredMaintenanceModeEvent": "maintenance_begun",
    "ExitMaintenanceModeEvent": "maintenance_ended",
    "DatastoreDestroyedEvent": "datastore_removed",
    "AlarmStatusChangedEvent": "alarm_changed",
}
"""What vCenter's types of event mean; every one has its type as ``event.code``."""

_OUTCOMES = {
    "UserLoginSessionEvent": "success",
    "BadUsernameSessionEvent": "failure",
    "NoAccessUserEvent": "failure",
    "VmFailedToPowerOnEvent": "failure",
}

_WHO = (
    pattern(
        "logged in as ", rf"(?s)^User ([^@]*)@{_IP} logged in as (.*)$", "user.name", "source.ip", "user_agent.original"
    ),
    pattern("Cannot login ", rf"(?s)^Cannot login (.*)@{_IP}$", "user.name", "source.ip"),
    pattern("logged out ", rf"(?s)^User ([^@]*)@{_IP} logged out", "user.name", "source.ip"),
)


def _event(found: dict[str, str]) -> Fields:
    kind = found.pop("event.code")
    said = {"event.action": _ACTIONS.get(kind), "event.outcome": _OUTCOMES.get(kind)}
    fields: Fields = {name: value for name, value in {**found, **said}.items() if value}
    return {**fields, "event.code": kind, **first(_WHO, found["event.message"])}


# What stands in the last brackets is the event's own sentence, in which users' texts may hold brackets as well.
_VCENTER = (
    completed(
        "[vim.event.",
        r"(?s)^(?:\S{1,64} )?Event \[\d+\] \[[\d-]+\] \[[^\]]{1,40}\] \[vim\.event\.(\w{1,64})\] \[(\w{1,16})\] "
        r"\[([^\]]*)\] \[([^\]]*)\] \[[^\]]*\] \[(.*)\]$",
        _event,
        "event.code",
        "log.level",
        "user.name",
        "vmware.datacenter",
        "event.message",
    ),
)

_ESXI = Logsource(product="vmware", service="esxi")

PROGRAMS = {
    **dict.fromkeys(("Hostd", "hostd", "Vpxa", "vpxa"), Dialect(_ESXI, (*_HOSTD, *_VOBD[1:]))),
    **dict.fromkeys(("vobd", "vmkernel"), Dialect(_ESXI, _VOBD)),
    **dict.fromkeys(("shell", "ESXShell"), Dialect(_ESXI, _SHELL)),
    **dict.fromkeys(
        ("vpxd", "vpxd-main", "vcenter-server"), Dialect(Logsource(product="vmware", service="vcenter"), _VCENTER)
    ),
}
