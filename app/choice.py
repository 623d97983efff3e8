"""Which rules are in use: all that load, less those that people have switched off and what depends on them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import msgspec

from app.unread import unread
from core.placeholders import VALUES_FILE
from core.rule_text import in_order
from core.sigma import LoadedCorrelation, LoadedRule, RuleSet
from core.stores.catalogue import CatalogueRule, RuleState
from correlation.rules import prepare


class Chosen(NamedTuple):
    """What is in use, and what became of every rule.

    Attributes:
        documents: the files that are in use, by name; loaded by themselves they give ``rules``.
        rules: what is in use, loaded.
        refused: why a file is not used, by name; files that are switched off are not among them.
        switched_half: files that are in use although some of their rules are switched off.
        every: all files there are.
        catalogue: every rule there is.
    """

    documents: dict[str, bytes]
    rules: RuleSet
    refused: dict[str, str]
    switched_half: tuple[str, ...]
    every: dict[str, bytes]
    catalogue: tuple[CatalogueRule, ...]


def choose(documents: dict[str, bytes], loaded: RuleSet, off: Collection[str]) -> Chosen:
    """Chooses among the loaded rules of these files; ``off`` are the ids of switched-off rules.

    A file is used whole or not at all. It is switched off when all its rules are.
    """
    ids = _ids(loaded)
    switched = {file for file, own in ids.items() if own <= set(off)}
    refused = {one.file: one.reason for one in reversed(loaded.refused)}
    refused |= _stranded(loaded, switched | refused.keys())
    out = switched | refused.keys()
    used = RuleSet(
        rules=tuple(rule for rule in loaded.rules if rule.info.file not in out),
        correlations=tuple(rule for rule in loaded.correlations if rule.info.file not in out),
    )
    half = (file for file, own in ids.items() if own & set(off) and file not in out)
    reasons = refused | {one.file: one.reason for one in prepare(used)[1]}
    return Chosen(
        documents={file: text for file, text in documents.items() if file not in out},
        rules=used,
        refused=refused,
        switched_half=tuple(sorted(half)),
        every={file: text for file, text in documents.items() if file != VALUES_FILE},
        catalogue=(*_loaded(loaded, reasons, switched, off), *_unread(loaded, reasons, documents, off)),
    )


def _ids(loaded: RuleSet) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for info in (*(rule.info for rule in loaded.rules), *(rule.info for rule in loaded.correlations)):
        found[info.file].add(info.id)
    return dict(found)


def _stranded(loaded: RuleSet, out: Collection[str]) -> dict[str, str]:
    """The files of correlation rules that refer to what is not in use, directly or through one another."""
    of_id = {info: file for file, ids in _ids(loaded).items() for info in ids}
    gone, found = set(out), dict[str, str]()
    while fresh := {
        rule.info.file: "refers to rules that are not in use: " + ", ".join(sorted(missing))
        for rule in loaded.correlations
        if rule.info.file not in gone
        and (missing := {name for name, identity in rule.references.items() if of_id[identity] in gone})
    }:
        found |= fresh
        gone |= fresh.keys()
    return found


def _loaded(
    loaded: RuleSet, reasons: Mapping[str, str], switched: Collection[str], off: Collection[str]
) -> Iterator[CatalogueRule]:
    every: list[LoadedRule | LoadedCorrelation] = [*loaded.rules, *loaded.correlations]
    for rule in every:
        file = rule.info.file
        state = RuleState.DISABLED if file in switched else RuleState.ENABLED
        reason = "" if file in switched else reasons.get(file, "")
        entry = _entry(rule, RuleState.REFUSED if reason else state, reason)
        yield msgspec.structs.replace(entry, off=entry.id in off)


def _unread(
    loaded: RuleSet, reasons: Mapping[str, str], documents: Mapping[str, bytes], off: Collection[str]
) -> Iterator[CatalogueRule]:
    """Files of which no rule could be loaded; each may be switched off, unless its id is that of another rule."""
    ids = _ids(loaded)
    taken = {identity for own in ids.values() for identity in own}
    for file in in_order(file for file in documents if file in reasons and file not in ids):
        entry = unread(file, documents[file], reasons[file])
        yield msgspec.structs.replace(entry, off=entry.id in off and entry.id not in taken)
        taken.add(entry.id)


def _entry(rule: LoadedRule | LoadedCorrelation, state: RuleState, reason: str) -> CatalogueRule:
    info = rule.info
    references = rule.references.values() if isinstance(rule, LoadedCorrelation) else ()
    return CatalogueRule(
        id=info.id,
        file=info.file,
        title=info.title,
        guide=info.guide,
        state=state,
        kind="correlation" if isinstance(rule, LoadedCorrelation) else "rule",
        name=info.name,
        description=unicodedata.normalize("NFC", rule.sigma.description or ""),
        level=info.level,
        logsource=info.logsource,
        techniques=info.techniques,
        references=tuple(sorted(set(references))),
        signal=info.signal,
        reason=reason,
    )
