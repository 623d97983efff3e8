"""Squid's access log, in its own and in combined format, by syslog (Squid, "Features/LogFormat")."""

from __future__ import annotations

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.pattern import Dialect
from collectors.logs.dialects.web import ACCESS, url_fields
from core.records import Fields, Logsource

_IP = r"(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+"


def _native(found: dict[str, str]) -> Fields:
    url = found.pop("url")
    denied = {"event.type": "denied"} if "DENIED" in found["squid.result"] else {}
    return {**url_fields(url), **{name: value for name, value in found.items() if value != "-"}, **denied}


NATIVE = completed(
    "/",
    rf"^\d{{1,12}}\.\d{{3}} +\d+ ({_IP}) ([A-Z_]+)/(\d{{3}}) (\d+) (\S+) (\S+) (\S+) [A-Z_]+/(?:({_IP})|\S+) (\S+)",
    _native,
    "source.ip",
    "squid.result",
    "http.response.status_code",
    "http.response.bytes",
    "http.request.method",
    "url",
    "user.name",
    "destination.ip",
    "http.response.mime_type",
)
"""Squid's own format: time, duration, client, result/status, bytes, method, URL, user, hierarchy/peer, type."""

_SQUID = Dialect(Logsource(category="proxy", service="squid"), (NATIVE, ACCESS))

PROGRAMS = dict.fromkeys(("squid", "(squid-1)", "squid-1"), _SQUID)
