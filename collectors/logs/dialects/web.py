"""Access logs of web servers: Apache httpd's and nginx's common and combined formats, by syslog.

Both servers escape a quote inside a value, so that the first bare quote of a line begins the request, whatever a
visitor wrote. Source: Apache HTTP Server 2.4, "Log Files" and mod_log_config; nginx, ngx_http_log_module.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_plus

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.pattern import Dialect
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

_APACHE = Dialect(Logsource(category="webserver", service="apache"), (ACCESS,))
_NGINX = Dialect(Logsource(category="webserver", service="nginx"), (ACCESS,))

PROGRAMS = {"apache": _APACHE, "apache2": _APACHE, "httpd": _APACHE, "nginx": _NGINX}
