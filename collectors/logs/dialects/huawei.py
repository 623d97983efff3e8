"""Huawei VRP: switches, routers and firewalls whose lines have the head ``%%01MODULE/severity/NAME(l)[number]:``.

Names of parameters differ between VRP 5 and VRP 8, so a message may have several forms. Source: Huawei "Log Reference"
of the S, AR and NE series, "Log Format".
"""

from __future__ import annotations

import re

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.firewalls import firewall, verdict
from collectors.logs.dialects.pattern import Pattern, Said, first, pattern
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

LOGSOURCE = Logsource(product="huawei", service="vrp")

# The syslog reader takes the head, or the offset of the time before it, for a program's name.
_OWN = re.compile(r"%%\d|[+-]\d\d$")
_HEAD = re.compile(
    r"(?:[+-]\d\d:\d\d (?:DST )?([\w.-]{1,255}) )?"
    r"%%\d{2}([\w-]{1,64})/([0-7])/([\w-]{1,64})(?:\(\w\)|\[\w\])?(?:\[\d{1,10}\]|\(\d{1,10}\))?: ?"
    r"(?:(?:VS=[^;]{0,64}-)?CID=0x[0-9a-f]{1,16}; ?)?",
    re.ASCII,
)

_IP = r"(?:([0-9A-Fa-f.:]+)|[^,)]*)"
"""An address, or what stands where there is none: ``**`` for the console."""

_FAILED = {"event_action": "device_login", "event_outcome": "failure"}
_SUCCEEDED = {"event_action": "device_login", "event_outcome": "success"}
_LOST = {"event_action": "routing_neighbour_lost"}
_FOUND = {"event_action": "routing_neighbour_found"}

# Of two names of a parameter, one may be a user's text: an address before the name is the first one of the line,
# an address after it the last one.
_ADDRESS_FIRST = pattern(
    "UserName=", rf"^[^(]*+\((?:IP|Ip)={_IP},(?>.*?UserName=)(.*), Times=\d", "source.ip", "user.name", **_FAILED
)
_NAME_FIRST = pattern(
    "UserName=", rf"^[^(]*+\(UserName=(.*), (?:IPAddress|Ip|IP)={_IP}[,)]", "user.name", "source.ip", **_FAILED
)

_SSH_LOGIN = pattern(
    "UserAddress=",
    rf"^[^(]*+\(ServiceType=[^,]*+, UserName=(.*), UserAddress={_IP},",
    "user.name",
    "source.ip",
    **_SUCCEEDED,
)
_SHELL_LOGIN = pattern(
    "UserName=",
    rf"^[^(]*+\(UserType=[^,]*+, UserName=(.*), AuthenticationMethod=[^,]*, Ip={_IP},",
    "user.name",
    "source.ip",
    **_SUCCEEDED,
)

_BLOCKED = pattern(
    "IpAddress=", r"^[^(]*+\(IpAddress=([0-9A-Fa-f.:]+)", "source.ip", event_action="device_login_blocked"
)

_COMMAND = pattern(
    "Command=",
    rf'^[^(]*+\(Task=[^,]*+, Ip={_IP},(?>.*?User=)([^,]*+),(?>.*?Command=")(.*)"',
    "source.ip",
    "user.name",
    "process.command_line",
    event_action="command_executed",
)

_SNMP = pattern(
    "through SNMP",
    r"^[^(]*+\(Ip=([0-9A-Fa-f.:]+)",
    "source.ip",
    event_action="snmp_authentication",
    event_outcome="failure",
)

_DOWN = pattern(
    "DOWN", r"[Ii]nterface (\S+) has (?:turned into|entered the) DOWN state", "interface.name", event_action="link_down"
)

_BGP_CHANGED = pattern(
    "ESTABLISHED", r"^The status of the peer (\S+) changed from ESTABLISHED to", "haidang.neighbour", **_LOST
)
_BGP_STATE = pattern(
    "PrevState=Established",
    r"^[^(]*+\(PrevState=Established, CurrState=\w+,(?>.*?Peer=)([0-9A-Fa-f.:]+)",
    "haidang.neighbour",
    **_LOST,
)
_OSPF_DOWN = pattern(
    "CurrentState=Down",
    r"^[^(]*+\(ProcessId=\d+, NeighborAddress=([0-9A-Fa-f.:]+),[^)]*CurrentState=Down",
    "haidang.neighbour",
    **_LOST,
)

_UP = pattern(
    "UP state", r"[Ii]nterface (\S+) has (?:turned into|entered the) UP state", "interface.name", event_action="link_up"
)
_PORT_DOWN = pattern("to down", r"^\s*(\S+): change status to down", "interface.name", event_action="link_down")
_PORT_UP = pattern("to up", r"^\s*(\S+): change status to up", "interface.name", event_action="link_up")

_BGP_FOUND = pattern(
    "to ESTABLISHED", r"^The status of the peer (\S+) changed from \w+ to ESTABLISHED", "haidang.neighbour", **_FOUND
)
_BGP_STATE_FOUND = pattern(
    "CurrState=Established",
    r"^[^(]*+\(PrevState=\w+, CurrState=Established,(?>.*?Peer=)([0-9A-Fa-f.:]+)",
    "haidang.neighbour",
    **_FOUND,
)
_OSPF_FULL = pattern(
    "CurrentState=Full",
    r"^[^(]*+\(ProcessId=\d+, NeighborAddress=([0-9A-Fa-f.:]+),[^)]*CurrentState=Full",
    "haidang.neighbour",
    **_FOUND,
)

_LOGOUT = pattern(
    ", AuthenticationMethod=",
    rf"^[^(]*+\(UserType=[^,]*+, UserName=(.*), AuthenticationMethod=[^,]*, Ip={_IP},",
    "user.name",
    "source.ip",
    event_action="device_logout",
)
_LOGOUT_BARE = pattern(
    "UserName=",
    rf"^[^(]*+\(UserType=[^,]*+, UserName=(.*), Ip={_IP},",
    "user.name",
    "source.ip",
    event_action="device_logout",
)
_SSH_LOGOUT = pattern(
    "LogoutReason=",
    rf"^[^(]*+\(ServiceType=[^,]*+, UserName=(.*), LogoutReason=([^,]*), UserAddress={_IP},",
    "user.name",
    "event.reason",
    "source.ip",
    event_action="device_logout",
)
_SSH_LOGOUT_BARE = pattern(
    "UserAddress=",
    rf"^[^(]*+\(ServiceType=[^,]*+, UserName=(.*), UserAddress={_IP},",
    "user.name",
    "source.ip",
    event_action="device_logout",
)

_CHANGED = pattern(
    "configurations have been changed",
    r"configurations have been changed\. The current change number is (\d+)",
    "haidang.config.change",
    event_action="configuration_changed",
)
_SAVED = pattern(
    "save the configuration", r"^The user chose Y .{0,64}save the configuration", event_action="configuration_saved"
)

# The policy's name stands last: an administrator's.
_POLICY = completed(
    "source-ip=",
    rf"protocol=(\d+), source-ip={_IP}, source-port=(\d+), destination-ip={_IP}, destination-port=(\d+)"
    r",(?: time=[^,]*,)? source-zone=([^,]*), destination-zone=([^,]*),(?: application-name=([^,]*),)? "
    r"rule-name=(.*?)\.?$",
    firewall,
    "network.iana_number",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "observer.ingress.zone",
    "observer.egress.zone",
    "network.application",
    "rule.name",
)
_ACL = completed(
    "cl ",
    r"^[Aa]cl (\S+) (permit|deny) (\S+) .{0,128}?([0-9]+\.[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)(?:\((\d+)\))? -> "
    r"([0-9A-Fa-f.:]+)(?:\((\d+)\))?",
    firewall,
    "rule.name",
    "event.action",
    "network.iana_transport",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
)

_TUNNEL_DOWN = pattern("DstIP=", r"DstIP=([0-9A-Fa-f.:]+)", "source.ip", event_action="vpn_tunnel_down")
_TUNNEL_UP = pattern("DstIP=", r"DstIP=([0-9A-Fa-f.:]+)", "source.ip", event_action="vpn_tunnel_up")

_VERDICTS = {"POLICYPERMIT": "permit", "POLICYDENY": "deny"}
"""What the name of the message says of the packet; its parameters do not."""

NAMES: dict[str, tuple[Pattern, ...]] = {
    "SSH_FAIL": (_ADDRESS_FIRST, _NAME_FIRST),
    "LOGINFAILED": (_ADDRESS_FIRST, _NAME_FIRST),
    "TELNETFAILED": (_ADDRESS_FIRST, _NAME_FIRST),
    "SSH_USER_LOGIN": (_SSH_LOGIN,),
    "LOGIN": (_SHELL_LOGIN,),
    "SSHS_IP_BLOCK_CLIENT": (_BLOCKED,),
    "TELNETS_IP_BLOCK_CLIENT": (_BLOCKED,),
    "IP_LOCKED": (_BLOCKED,),
    "CMDRECORD": (_COMMAND,),
    "SNMP_FAIL": (_SNMP,),
    "IF_STATE": (_DOWN, _UP),
    "LINK_STATE": (_DOWN, _UP),
    "PHY": (_PORT_DOWN, _PORT_UP),
    "STATE_CHG_UPDOWN": (_BGP_CHANGED, _BGP_FOUND),
    "PEER_STATE_CHG": (_BGP_STATE, _BGP_STATE_FOUND),
    "NBR_CHG_DOWN": (_OSPF_DOWN,),
    "NBR_CHANGE_E": (_OSPF_DOWN, _OSPF_FULL),
    "LOGOUT": (_LOGOUT, _LOGOUT_BARE),
    "SSH_USER_LOGOUT": (_SSH_LOGOUT, _SSH_LOGOUT_BARE),
    "DATASYNC_CFGCHANGE": (_CHANGED,),
    "SAVE": (_SAVED,),
    "POLICYPERMIT": (_POLICY,),
    "POLICYDENY": (_POLICY,),
    "ACLLOG": (_ACL,),
    "hwIPSecTunnelStop": (_TUNNEL_DOWN,),
    "hwIPSecTunnelStart": (_TUNNEL_UP,),
}


def understand(message: Message) -> Said | None:
    """What a message with VRP's head says; None of any other. ``process.name`` is the module."""
    if message.code or (message.program and not _OWN.match(message.program)):
        return None
    whole = _whole(message)
    head = _HEAD.match(whole)
    if head is None:
        return None
    host, module, severity, name = head.groups()
    fields: Fields = {"event.code": f"{module}/{severity}/{name}", "process.name": module}
    if host:
        fields["host.name"] = host
    if name in _VERDICTS:
        fields |= {"event.action": _VERDICTS[name], **verdict(_VERDICTS[name])}
    return LOGSOURCE, {**fields, **first(NAMES.get(name, ()), whole[head.end() :])}


def _whole(message: Message) -> str:
    if not message.program:
        return message.text
    number = f"[{message.pid}]" if message.pid else ""
    return f"{message.program}{number}:{message.text}"
