"""Rules as their authors have them: files and folders that a person names, or those of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from app.commands.common import state_of
from core.errors import NotFoundError, UnavailableError
from core.placeholders import read_values
from core.records import Event
from core.rule_text import MAX_FILE, read_rule_files
from core.settings import HOME, Settings
from core.sigma import LoadedRule, RuleSet, load_rules
from core.stores.rules import read_packs
from detections.examples import SUFFIX, read_examples


class RuleFiles(NamedTuple):
    """The text of rule files by name, and where each lies; a file of a pack lies nowhere."""

    documents: dict[str, bytes]
    paths: dict[str, Path]


def read_files(named: Sequence[Path], values: Path | None) -> RuleFiles:
    """The rules in folders and files, and the values of placeholders, if a file of them is given.

    Raises:
        ContentError: a folder is missing, or two files get the same name.
        UnavailableError: a file cannot be read.
    """
    found = RuleFiles({}, {})
    for path in named:
        if path.suffix == ".yml":
            found.documents[str(path)] = _read(path)
            found.paths[str(path)] = path
        else:
            folder = path.resolve()
            documents = read_rule_files([folder])
            found.documents.update(documents)
            found.paths.update({name: folder / name.split("/", 2)[2] for name in documents})
    found.documents.update(read_values(values))
    return found


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
        UnavailableError: a file cannot be read.
    """
    path = Path(named)
    if path.suffix == ".yml" and path.is_file():
        found = read_files([path], values).documents
    else:
        written = named.casefold().encode()
        every = read_files(settings.rules, None).documents | _packs(settings)
        found = {file: text for file, text in every.items() if file == named or written in text.lower()}
        found |= read_values(values)
    return _only(load_rules(found), named, whole=named in found)


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
    meant = [
        rule
        for rule in ruleset.rules
        if whole or named.casefold() in (rule.info.id, rule.info.name.casefold(), rule.info.file.casefold())
    ]
    if len(meant) > 1:
        names = ", ".join(rule.info.name or rule.info.id for rule in meant)
        raise NotFoundError(f"'{named}' holds several rules; name one of them: {names}")
    if not meant:
        refused = "; ".join(f"{one.file}: {one.reason}" for one in ruleset.refused)
        raise NotFoundError(f"there is no rule '{named}'" + (f"; refused: {refused}" if refused else ""))
    return meant[0]
