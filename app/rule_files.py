"""Rules as their authors have them: files and folders that a person names, or those of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from app.commands.common import state_of
from core.errors import ContentError, NotFoundError, RefusedError, UnavailableError
from core.placeholders import VALUES_FILE, read_values, site_values
from core.records import Event
from core.rule_text import MAX_FILE, read_rule_files, read_yaml
from core.settings import HOME, Settings
from core.sigma import LoadedRule, RuleSet, load_rules
from core.stores.rules import read_packs
from detections.examples import SUFFIX, read_examples

_SHOWN = 300  # characters of a reason


class RuleFiles(NamedTuple):
    """The text of rule files by name, and where each lies; a file of a pack lies nowhere."""

    documents: dict[str, bytes]
    paths: dict[str, Path]


def read_files(named: Sequence[Path], values: Path | None) -> RuleFiles:
    """The rules in folders and files, and the values of placeholders, if a file of them is given.

    Raises:
        ContentError: there is no such folder or file of rules, two files get the same name, or the values are none.
        UnavailableError: a file cannot be read.
    """
    found = RuleFiles({}, {})
    for path in named:
        paths = _paths(path)
        twice = next((name for name in paths if found.paths.get(name, paths[name]) != paths[name]), None)
        if twice:
            raise ContentError(f"{paths[twice]}: another folder already holds {twice}; rename one of them")
        found.paths.update(paths)
        found.documents.update({name: _read(file) for name, file in paths.items()})
    found.documents.update(checked_values(values))
    return found


def _paths(named: Path) -> dict[str, Path]:
    """The files of rules that an argument means, by the names that they get."""
    if named.suffix == ".yml" and not named.is_dir():
        return {str(named): named}
    if not named.is_dir():
        raise ContentError(f"{named}: there is no such folder of rules, and it is no .yml file")
    folder = named.resolve()
    start = f"{folder.parent.name}/{folder.name}"
    return {f"{start}/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*.yml")}


def checked_values(path: Path | None) -> dict[str, bytes]:
    """As ``read_values``; what is wrong in the file is told by its own name.

    Raises:
        ContentError: it cannot be read, is no YAML or not a map of names to values.
    """
    documents = read_values(path)
    for text in documents.values():
        try:
            site_values(next(iter(read_yaml(text)), None))
        except (ContentError, yaml.YAMLError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split()).removeprefix(f"{VALUES_FILE}: ")[:_SHOWN]
            raise ContentError(f"{path}: no file of values of placeholders: {reason}") from error
    return documents


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(MAX_FILE + 1)  # one more than allowed, so that the loader sees the excess
    except OSError as error:
        raise UnavailableError(f"{path}: the file cannot be read: {error.strerror}") from error


def find_rule(settings: Settings, named: str, values: Path | None) -> LoadedRule:
    """The one rule of that id, name or file, from the folders of the settings and the active packs.

    Raises:
        NotFoundError: there is no such rule, or there are several.
        RefusedError: it is a correlation rule.
        UnavailableError: a file cannot be read.
    """
    path = Path(named)
    if path.suffix == ".yml" and path.is_file():
        found = read_files([path], values).documents
    else:
        written = named.casefold().encode()
        every = read_rule_files(settings.rules) | _packs(settings)
        found = {file: text for file, text in every.items() if file == named or written in text.lower()}
        found |= checked_values(values)
    ruleset = load_rules(found)
    is_one = any(_is_correlation(text, named, whole=file == named) for file, text in found.items())
    if is_one and not any(_is_meant(rule, named, whole=named in found) for rule in ruleset.rules):
        raise RefusedError(
            f"'{named}' là quy tắc tương quan, không giải thích hay chuyển được / is a correlation rule, "
            "which judges hits and not events: it can be neither explained nor converted"
        )
    return _only(ruleset, named, whole=named in found)


def _is_correlation(text: bytes, named: str, *, whole: bool) -> bool:
    """Whether the file, or the rule of it that is named by id or name, is a correlation rule."""
    try:
        rules = [one for one in read_yaml(text) if isinstance(one, dict) and "correlation" in one]
    except (ContentError, yaml.YAMLError, ValueError, TypeError):
        return False
    wanted = named.casefold()
    return any(whole or wanted in (str(one.get("id")).lower(), str(one.get("name")).casefold()) for one in rules)


def own_events() -> list[Event]:
    """The events beside our own rules, as our collectors give them: by them their sources and fields are known.

    Raises:
        ContentError: a line of a file of events is none.
    """
    files = sorted((HOME / "detections" / "rules").rglob(f"*{SUFFIX}"))
    return [example.event() for path in files for example in read_examples(path)]


def _packs(settings: Settings) -> dict[str, bytes]:
    if not settings.state.exists():
        return {}
    with state_of(settings) as connection:
        return read_packs(connection)


def _only(ruleset: RuleSet, named: str, *, whole: bool) -> LoadedRule:
    meant = [rule for rule in ruleset.rules if _is_meant(rule, named, whole=whole)]
    if len(meant) > 1:
        names = ", ".join(rule.info.name or rule.info.id for rule in meant)
        raise NotFoundError(f"'{named}' holds several rules; name one of them: {names}")
    if not meant:
        refused = "; ".join(f"{one.file}: {one.reason}" for one in ruleset.refused)
        raise NotFoundError(f"there is no rule '{named}'" + (f"; refused: {refused}" if refused else ""))
    return meant[0]


def _is_meant(rule: LoadedRule, named: str, *, whole: bool) -> bool:
    info = rule.info
    return whole or named.casefold() in (info.id, info.name.casefold(), info.file.casefold())
