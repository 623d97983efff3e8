"""haidang rules: test, lint, explain, convert; and of packs: import, rollback, enable, disable, list, packs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.commands import packs
from app.commands.common import AsJson, SettingsFile, plain, progress, settings_of, show
from app.commands.telling import explanation_lines, failure_reasons
from app.rule_files import RuleFiles, find_rule, own_events, read_files
from core.records import Record
from core.sigma import LoadedRule, Refused, RuleSet, load_rules
from detections.convert import Converted, Lack, NotConverted, Target, convert
from detections.examples import Failure, check, examples_file, read_event, read_examples
from detections.explain import explain
from detections.lint import lint

commands = typer.Typer(no_args_is_help=True, help="Quy tắc phát hiện / detection rules.")

Named = Annotated[list[Path] | None, typer.Argument(help="Folders or .yml files; default the rules of the settings.")]
Values = Annotated[Path | None, typer.Option("--values", help="A YAML file of the site's values for placeholders.")]

_NO_EVENTS = "không có bản ghi mẫu / no events beside it"
_LACKS = {
    Lack.FIELDREF: "so hai trường với nhau / compares two fields",
    Lack.KEYWORDS: "tìm từ khóa trong mọi trường / looks for keywords in every field",
    Lack.CASED: "phân biệt chữ hoa / regards the case",
    Lack.EXISTS: "hỏi trường có hay không / asks whether a field is there",
    Lack.TIME: "hỏi một phần của thời điểm / asks for a part of a time",
    Lack.IGNORECASE: "biểu thức chính quy không phân biệt chữ hoa / regular expression without regard to case",
    Lack.FLAGS: "biểu thức chính quy nhiều dòng / regular expression over several lines",
    Lack.OTHER: "khác / other",
}
_UNREAD = {
    "refused": "bị từ chối / refused",
    "correlation": "quy tắc tương quan, không chuyển được / a correlation rule, which cannot be converted",
}
_REGEX = "đọc lại biểu thức chính quy / read its regular expression again"


class Trial(Record, frozen=True, kw_only=True):
    """One thing that a test of rules found; ``line`` is that of the event, 0 if none is meant."""

    kind: str
    file: str
    rule: str
    line: int
    text: str
    failure: Failure | None = None


@commands.callback()
def _group() -> None:
    """Quy tắc phát hiện / detection rules."""


@commands.command("test")
def try_(named: Named = None, settings: SettingsFile = None, values: Values = None, as_json: AsJson = False) -> None:
    """Thử từng quy tắc với các bản ghi đi kèm; mã thoát 1 nếu sai / try each rule on the events beside it."""
    files = read_files(named or settings_of(settings).rules, values or settings_of(settings).rule_values)
    ruleset = load_rules(files.documents)
    found = [_refused(one) for one in ruleset.refused]
    for rule in progress(ruleset.rules, "Quy tắc"):
        found += _trials(rule, files)
    columns = {"file": "Tệp", "rule": "Quy tắc", "line": "Dòng", "text": "Phát hiện"}
    if found or as_json:
        show([msgspec.to_builtins(one) for one in found], columns, as_json=as_json)
    count = Counter(one.kind for one in found)
    if not as_json:
        typer.echo(
            f"{len(ruleset.rules)} quy tắc, {count['failure']} bản ghi sai, {count['no_events']} quy tắc không có bản "
            f"ghi, {count['refused']} bị từ chối / {len(ruleset.rules)} rules, {count['failure']} events went wrong, "
            f"{count['no_events']} rules without events, {count['refused']} refused"
        )
    if count["failure"] or count["refused"]:
        raise typer.Exit(1)


@commands.command("lint")
def lint_(named: Named = None, settings: SettingsFile = None, values: Values = None, as_json: AsJson = False) -> None:
    """Xét quy tắc mà không cần bản ghi; mã thoát 1 nếu có lỗi / what is wrong or doubtful in rules."""
    documents = read_files(named or settings_of(settings).rules, values or settings_of(settings).rule_values).documents
    report = lint(documents, own_events())
    columns = {"level": "Mức", "file": "Tệp", "text": "Phát hiện"}
    if report.findings or as_json:
        show([msgspec.to_builtins(one) for one in report.findings], columns, as_json=as_json)
    count = Counter(one.level for one in report.findings)
    if not as_json:
        typer.echo(
            f"{report.rules} quy tắc, {count['error']} lỗi, {count['warning']} cảnh báo / "
            f"{report.rules} rules, {count['error']} errors, {count['warning']} warnings"
        )
    if count["error"]:
        raise typer.Exit(1)


@commands.command("explain")
def explain_(
    rule: Annotated[str, typer.Argument(help="A rule's id, name or file.")],
    events: Annotated[Path, typer.Argument(help="A file of events, one JSON object a line.")],
    settings: SettingsFile = None,
    record: Annotated[int, typer.Option("--record", min=1, help="Which line, counted from 1.")] = 1,
    values: Values = None,
    as_json: AsJson = False,
) -> None:
    """Vì sao một quy tắc khớp hay không khớp một bản ghi / why a rule hits an event or not."""
    explanation = explain(
        find_rule(settings_of(settings), rule, values or settings_of(settings).rule_values), read_event(events, record)
    )
    if as_json:
        show([msgspec.to_builtins(explanation)], {}, as_json=True)
        return
    for line in explanation_lines(explanation):
        typer.echo(plain(line))


@commands.command("convert")
def convert_(
    to: Annotated[Target, typer.Option("--to", help="The query language.")],
    named: Annotated[list[str] | None, typer.Argument(help="Folders, files, rule ids or names.")] = None,
    settings: SettingsFile = None,
    values: Values = None,
    as_json: AsJson = False,
) -> None:
    """Viết quy tắc thành câu truy vấn Elasticsearch / rules as queries of Elasticsearch; needs no network."""
    chosen = _chosen(named or [], settings, values)
    rows = [_query(rule, convert(rule, to)) for rule in progress(chosen.rules, "Quy tắc")]
    correlations = [rule.info for rule in chosen.correlations]
    rows += [_no_query(one.file, one.id, "correlation", one.title["vi"]) for one in correlations]
    rows += [_no_query(file, "", "refused", reason) for file, reason in chosen.refused]
    if as_json:
        show(rows, {}, as_json=True)
    else:
        for line in _query_lines(rows):
            typer.echo(line)
    if any(row["kind"] in {Lack.OTHER, "refused"} for row in rows):
        raise typer.Exit(1)


def _refused(one: Refused) -> Trial:
    return Trial(kind="refused", file=one.file, rule="", line=0, text=one.reason)


def _trials(rule: LoadedRule, files: RuleFiles) -> Iterator[Trial]:
    path = examples_file(files.paths[rule.info.file])
    title = rule.info.title["vi"]
    if not path.exists():
        yield Trial(kind="no_events", file=rule.info.file, rule=title, line=0, text=_NO_EVENTS)
        return
    for one in check(rule, read_examples(path)):
        said = "phải khớp / must hit" if one.expected else "không được khớp / must not hit"
        text = f"{said}: {'; '.join(failure_reasons(one.explanation))}"
        yield Trial(kind="failure", file=rule.info.file, rule=title, line=one.line, text=text, failure=one)


def _chosen(named: Sequence[str], file: Path | None, values: Path | None) -> RuleSet:
    """The rules that are named by folder, file, id or name; without a name, all of the settings."""
    settings = settings_of(file)
    values = values or settings.rule_values
    paths = [Path(name) for name in named if Path(name).exists()]
    others = [name for name in named if not Path(name).exists()]
    ruleset = load_rules(read_files(paths if named else settings.rules, values).documents)
    found = tuple(find_rule(settings, name, values) for name in others)
    return msgspec.structs.replace(ruleset, rules=(*ruleset.rules, *found))


def _query(rule: LoadedRule, made: Converted | NotConverted) -> dict[str, object]:
    row: dict[str, object] = {"file": rule.info.file, "rule": rule.info.id, "title": rule.info.title["en"]}
    if isinstance(made, NotConverted):
        return {**row, "kind": made.kind, "text": made.detail, "queries": ()}
    return {**row, "kind": "regex" if made.regex else "", "text": "", "queries": made.queries}


def _no_query(file: str, rule: str, kind: str, text: str) -> dict[str, object]:
    return {"file": file, "rule": rule, "kind": kind, "text": text, "queries": ()}


def _query_lines(rows: Sequence[dict[str, object]]) -> Iterator[str]:
    """Each query under its rule, then what has none with the reason, then how many of each kind."""
    for row in rows:
        queries = row["queries"]
        if isinstance(queries, tuple) and queries:
            yield plain(f"# {row['title']} ({row['rule']})") + (f": {_REGEX}" if row["kind"] == "regex" else "")
            yield from (*queries, "")
    for row in rows:
        if not row["queries"]:
            yield plain(f"{row['file']}: {_reason(str(row['kind']))}: {row['text']}")
    count = Counter(str(row["kind"]) for row in rows if not row["queries"])
    lacking = "".join(f"; {_reason(kind)}: {number}" for kind, number in sorted(count.items()))
    done = sum(bool(row["queries"]) for row in rows)
    left = len(rows) - done
    yield f"{done} quy tắc đã chuyển, {left} không / {done} rules converted, {left} not{lacking}"


def _reason(kind: str) -> str:
    return _UNREAD[kind] if kind in _UNREAD else _LACKS[Lack(kind)]


commands.command("import")(packs.import_pack)
commands.command("rollback")(packs.rollback)
commands.command("enable")(packs.enable)
commands.command("disable")(packs.disable)
commands.command("list")(packs.list_rules)
commands.command("packs")(packs.list_packs)
