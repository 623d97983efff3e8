"""Logs of web servers: Apache httpd's and nginx's access in common and combined format, their errors, ModSecurity.

Both servers escape a quote inside a value, so that the first bare quote of a line begins the request, whatever a
visitor wrote. Source: Apache HTTP Server 2.4, "Log Files", mod_log_config and ErrorLogFormat; nginx,
ngx_http_log_module and ngx_core_module; ModSecurity Reference Manual, "Alert Description Format".
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_plus

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.pattern import Dialect, first, pattern
from core.records import Fields, Logsource

_ADDRESS = r"((?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
_QUOTED = r'"((?:[^"\\]|\\.)*+)"'

_MOST_DECODED = 8192
"""Characters of a URL that are decoded: web servers refuse longer request lines unless they are told otherwise."""

_MOST_LAYERS = 3
"""How often a URL is decoded: attacks are found encoded twice, so that a filter before the server misses them."""

_URL = re.compile(r"(?s)(?:[A-Za-z][A-Za-z0-9+.-]{0,15}://([^/?#]*+))?([^?]*+)(?:\?(.*))?")
_PORT = re.compile(r":\d{1,5}$")
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,10})$")
_ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")


def url_fields(url: str) -> Fields:
    """The parts of a URL, an absolute path or, of CONNECT, a host with its port (RFC 9112 section 3.2).

    ``haidang.url.decoded`` is all of it with percent-encoding undone as often as there is some, three times at most,
    so that a rule need not list encodings.
    """
    found = _URL.fullmatch(url)
    authority, path, query = found.groups() if found else (None, url, None)
    if authority is None and path and not path.startswith(("/", "*")):
        authority, path = path, ""
    extension = _EXTENSION.search(path.rpartition("/")[2])
    parts = {
        "url.original": url,
        "url.domain": _PORT.sub("", (authority or "").rpartition("@")[2]),
        "url.path": path,
        "url.query": query,
        "url.extension": extension[1].lower() if extension else "",
        "haidang.url.decoded": decoded(url),
    }
    return {name: value for name, value in parts.items() if value}


def decoded(url: str) -> str:
    """The URL without its percent-encoding and its log's own escapes, in NFC."""
    plain = _ESCAPED.sub(r"%\1", url[:_MOST_DECODED])
    for _ in range(_MOST_LAYERS):
        before, plain = plain, unquote_plus(plain)
        if plain == before:
            break
    return unicodedata.normalize("NFC", plain)


def access_fields(found: dict[str, str]) -> Fields:
    """The fields of one request; its line is ``request``, and a value that is ``-`` is none."""
    fields: Fields = {name: value for name, value in found.items() if value not in ("", "-")}
    request = str(fields.pop("request", ""))
    method, _, rest = request.partition(" ")
    target, _, version = rest.rpartition(" ")
    if not version.startswith("HTTP/") or not target:
        return {**fields, "url.original": request} if request else fields
    return {**url_fields(target), **fields, "http.request.method": method, "http.version": version[5:]}


ACCESS = completed(
    '] "',
    rf"^(?:([\w.-]{{1,255}})(?::\d{{1,5}})? )?{_ADDRESS} \S+ ([^\"]*) \[[^\]\"]{{20,40}}\] "
    rf"{_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED})?",
    access_fields,
    "url.domain",
    "source.ip",
    "user.name",
    "request",
    "http.response.status_code",
    "http.response.body.bytes",
    "http.request.referrer",
    "user_agent.original",
)
"""A request in common or combined format, with the name of the site before it or without."""

_LOGIN_FAILED = {"event_action": "web_login", "event_outcome": "failure"}

_ERRORS = (
    pattern("user ", r'^user "?(.*?)"?: (?:password mismatch|authentication failure)', "user.name", **_LOGIN_FAILED),
    pattern("user ", r'^user "?(.*?)"? (?:was not found in|not found:)', "user.name", **_LOGIN_FAILED),
    pattern(
        "ModSecurity: ",
        r"^ModSecurity: (?:Access denied|Warning)",
        event_action="web_attack",
    ),
    pattern("denied by ", r"^(?:client|access) denied by ", event_action="web_refused"),
    pattern("access forbidden by rule", r"^access forbidden by rule", event_action="web_refused"),
)
"""What an error means; any other is a ``web_error``."""

_QUIET = frozenset(("debug", "info", "notice"))
"""Levels of messages that tell of no error."""

_RULE = re.compile(r'\[(id|msg|severity|uri|hostname) "((?:[^"\\]|\\.)*+)"\]')
_RULE_NAMES = {
    "id": "rule.id",
    "msg": "rule.name",
    "severity": "event.severity",
    "uri": "url.path",
    "hostname": "url.domain",
}
_MOST_RULE = 8192
"""Characters in which a rule's brackets are looked for."""


def _error_fields(found: dict[str, str]) -> Fields:
    """The fields of an error; ``said`` is the server's own sentence, in which a visitor's text may stand."""
    said = found.pop("said")
    action = {} if found["log.level"] in _QUIET else {"event.action": "web_error"}
    fields: Fields = {**action, **found, "event.message": said, **first(_ERRORS, said)}
    return {**fields, **_rule_fields(said)} if fields.get("event.action") == "web_attack" else fields


def _rule_fields(said: str) -> Fields:
    r"""ModSecurity's own brackets: within values it writes a quote as ``\x22``."""
    fields: Fields = {"event.type": "denied"} if said.startswith("ModSecurity: Access denied") else {}
    for name, value in _RULE.findall(said[:_MOST_RULE]):
        fields.setdefault(_RULE_NAMES[name], value)
    return fields


_NGINX_TAIL = re.compile(r', client: ([0-9A-Fa-f.:]+), server: ([^,]*)(?:, request: "([^"]*)")?')


def _nginx_error(found: dict[str, str]) -> Fields:
    """An error of nginx, which does not escape: with two clients in a line nobody can tell which is the true one."""
    said = found["said"]
    tail = _NGINX_TAIL.search(said) if said.count(", client: ") == 1 else None
    if tail is None:
        return _error_fields(found)
    names = {"source.ip": tail[1], "url.domain": tail[2], "request": tail[3] or ""}
    request = access_fields({name: value for name, value in names.items() if value not in ("", "_")})
    return {**request, **_error_fields({**found, "said": said[: tail.start()]})}


NGINX_ERROR = completed(
    "#",
    r"(?s)^(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?\[([a-z]{4,6})\] \d+#\d+: (?:\*\d+ )?(.*)$",
    _nginx_error,
    "log.level",
    "said",
)
"""A line of nginx's error log."""

APACHE_ERROR = completed(
    "[pid ",
    r"(?s)^(?:\[[^\]]{20,40}\] )?\[(?:([\w-]{1,32})?:)?([a-z0-9]{4,8})\] \[pid \d+(?::tid \d+)?\] "
    r"(?:\(\d+\)[^:\[]{1,96}: )?(?:\[(?:client|remote) ([0-9A-Fa-f.:]+?)(?::(\d+))?\] )?(?:\[client [^\]]{1,64}\] )?"
    r"(?:(AH\d{5}): )?(.*)$",
    _error_fields,
    "apache.module",
    "log.level",
    "source.ip",
    "source.port",
    "event.code",
    "said",
)
"""A line of Apache httpd's error log."""

_APACHE = Dialect(Logsource(category="webserver", service="apache"), (ACCESS, APACHE_ERROR))
_NGINX = Dialect(Logsource(category="webserver", service="nginx"), (ACCESS, NGINX_ERROR))

PROGRAMS = {
    **dict.fromkeys(("apache", "apache2", "httpd"), _APACHE),
    **dict.fromkeys(("nginx", "openresty", "angie"), _NGINX),
}
