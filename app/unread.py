"""What can be told of a file of rules of which none could be loaded: so much of it as is plain YAML of known types."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from core.errors import ContentError
from core.records import Logsource, Severity
from core.rule_text import read_yaml
from core.stores.catalogue import CatalogueRule, RuleState

_SAID = re.compile(rb"^(title|id|level):[ \t]*(\S[^\r\n]{0,200}?)[ \t]*\r?$", re.MULTILINE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TECHNIQUE = re.compile(r"attack\.(t\d{4}(\.\d{3})?)", re.IGNORECASE)
_LONGEST = {"title": 256, "description": 65_535}
"""Characters; the bounds of Sigma's own scheme (specification 2.1)."""

_TERM = 100
_NO_YAML = (ContentError, yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError)


def unread(file: str, content: bytes, reason: str) -> CatalogueRule:
    """The entry of a file that is refused whole; what it says is untrusted, and only shown."""
    said = _said(content)
    title = _text(said, "title") or PurePosixPath(file).stem
    level, identity = _text(said, "level"), _text(said, "id").lower()
    return CatalogueRule(
        id=identity if _UUID.fullmatch(identity) else "",
        file=file,
        title={"vi": _text(_map(said, "haidang"), "title_vi") or title, "en": title},
        guide={},
        state=RuleState.REFUSED,
        kind="correlation" if "correlation" in said else "rule",
        description=_text(said, "description"),
        level=Severity(level) if level in set(Severity) else Severity.INFORMATIONAL,
        logsource=_logsource(_map(said, "logsource")),
        techniques=_techniques(said.get("tags")),
        reason=reason,
    )


def _said(content: bytes) -> Mapping[str, Any]:
    """The first rule of the file; where it is no YAML, what its first lines look like."""
    try:
        found = next((one for one in read_yaml(content) if isinstance(one, dict)), {})
    except _NO_YAML:
        return {key.decode(): value.decode("utf-8", "replace") for key, value in _SAID.findall(content)}
    return {str(key): value for key, value in found.items()}


def _map(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = said.get(key)
    return found if isinstance(found, dict) else {}


def _text(said: Mapping[str, Any], key: str) -> str:
    found = said.get(key)
    text = unicodedata.normalize("NFC", found) if isinstance(found, str) else ""
    # Half a surrogate pair, which YAML can escape, is no character and cannot be stored.
    return text.encode(errors="replace").decode().strip()[: _LONGEST.get(key, _TERM * 3)]


def _logsource(said: Mapping[str, Any]) -> Logsource:
    product, category, service = (_text(said, term)[:_TERM] for term in ("product", "category", "service"))
    return Logsource(product=product, category=category, service=service)


def _techniques(tags: object) -> tuple[str, ...]:
    given = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    return tuple(dict.fromkeys(found[1].upper() for tag in given if (found := _TECHNIQUE.fullmatch(tag))))
