"""haidang rules: import, rollback, enable, disable, list, packs; the group itself is made beside its other commands."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, ask_centre, plain, reader_of, settings_of, show, state_of
from app.packs import Difference, Source, Survey, beside, difference, encode_files, read_source, survey
from core.clock import SystemClock, vietnam
from core.errors import NotFoundError, RefusedError
from core.placeholders import read_values
from core.records import Severity
from core.rule_text import read_rule_files
from core.settings import Settings
from core.sigma import load_rules
from core.stores import catalogue
from core.stores import rules as stored
from core.stores.catalogue import CatalogueRule, Listed, RuleState, Wanted
from core.terminal import say

ALL = (1 << 31) - 1
MOST_TOLD = 30
"""Lines of one kind that an import shows; with --json it shows all."""

_STATES = {RuleState.ENABLED: "bật", RuleState.DISABLED: "tắt", RuleState.REFUSED: "bị từ chối"}
_LEVELS = {
    Severity.INFORMATIONAL: "thông tin",
    Severity.LOW: "thấp",
    Severity.MEDIUM: "trung bình",
    Severity.HIGH: "cao",
    Severity.CRITICAL: "nghiêm trọng",
}
_PASSED = {
    "link": "liên kết / links",
    "large": "quá lớn / too large",
    "no rule": "không phải quy tắc / no rule",
}
_COLUMNS = {
    "state": "Trạng thái",
    "level": "Mức độ",
    "title": "Quy tắc",
    "product": "Sản phẩm",
    "pack": "Gói",
    "month": "Khớp 30 ngày",
    "last": "Lần cuối",
    "id": "Mã",
    "reason": "Lý do",
}
_UNTOLD: Mapping[bool, Mapping[str, object]] = {False: {"month": "", "last": ""}, True: {"hits": None}}
"""In place of a rule's hits, in a table and as JSON."""

_PACK_COLUMNS = {
    "name": "Gói",
    "number": "Phiên bản",
    "active": "Đang dùng",
    "files": "Số tệp",
    "time": "Nhập lúc",
    "actor": "Người nhập",
    "source": "Nguồn",
}

PackName = Annotated[str, typer.Option("--name", help="The pack's name: a-z, 0-9, - and _.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit chain.")]
Why = Annotated[str, typer.Option("--reason", help="Why; people read it beside the rule and in the audit chain.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Rule ids.")]
Levels = Annotated[list[Severity] | None, typer.Option("--level", help="All rules of these levels.")]
Products = Annotated[list[str] | None, typer.Option("--product", help="All rules of these products.")]
Files = Annotated[str, typer.Option("--file", help="All rules in files of this pattern, such as 'rules/windows/*'.")]


def import_pack(
    source: Annotated[Path, typer.Argument(help="A folder, .tar, .tar.gz, .tar.xz or .zip of Sigma rules.")],
    name: PackName,
    settings: SettingsFile = None,
    yes: Annotated[bool, typer.Option("--yes", help="Import it; else only the difference is shown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Nhập gói quy tắc Sigma, trước hết chỉ ra khác biệt / import a pack of Sigma rules, the difference first."""
    stored.check_name(name)
    own = settings_of(settings)
    read = read_source(source)
    say(f"đang nạp {len(read.files)} tệp / loading {len(read.files)} files")
    change, found = _compare(own, name, read)
    made: Mapping[str, object] = {}
    is_usable = len(found.refused) < len(read.files)
    if yes and is_usable and not change.is_none:
        content = base64.b64encode(encode_files(read.files)).decode("ascii")
        made = ask_centre(own, "rules.import", name=name, source=source.name, content=content)
    if as_json:
        told = {"difference": change, "survey": found, "passed": read.passed, "imported": made or None}
        show([msgspec.to_builtins(told)], {}, as_json=True)
    else:
        for line in (*_difference_lines(name, change), *_survey_lines(found), *_passed_lines(read)):
            typer.echo(plain(line))
    if not is_usable:
        raise RefusedError(
            f"gói {name} không có quy tắc nào dùng được / no rule of pack {name} can be used: it is not imported"
        )
    if not as_json:
        typer.echo(_end(change, made))


def rollback(
    name: Annotated[str, typer.Argument(help="The pack's name.")],
    to: Annotated[int | None, typer.Option("--to", min=0, max=ALL, help="The version; 0 takes it out of use.")] = None,
    settings: SettingsFile = None,
) -> None:
    """Trở lại phiên bản trước của gói / make an earlier version of a pack the active one."""
    number = ask_centre(settings_of(settings), "rules.rollback", name=name, number=to)["number"]
    inactive = f"Gói {name} không còn được dùng / pack {name} is out of use"
    typer.echo(f"Gói / pack {name}: phiên bản / version {number}" if number else inactive)


def enable(
    rules: Ids = None,
    level: Levels = None,
    product: Products = None,
    file: Files = "",
    reason: Reason = "",
    settings: SettingsFile = None,
) -> None:
    """Bật lại quy tắc theo mã, mức độ, sản phẩm hoặc tệp / switch rules on again, in the same ways."""
    answer = _switch(settings_of(settings), "rules.enable", rules, _wanted(level, product, file), reason)
    typer.echo(f"Đã bật / enabled: {answer['changed']}")


def disable(
    reason: Why,
    rules: Ids = None,
    level: Levels = None,
    product: Products = None,
    file: Files = "",
    settings: SettingsFile = None,
) -> None:
    """Tắt quy tắc theo mã, mức độ, sản phẩm hoặc tệp / switch rules off by id, level, product or file."""
    if not reason.strip():
        raise typer.BadParameter("say why with --reason")
    answer = _switch(settings_of(settings), "rules.disable", rules, _wanted(level, product, file), reason)
    typer.echo(f"Đã tắt / disabled: {answer['changed']}")
    stopped: Any = answer.get("stopped", ())
    for title in stopped:
        typer.echo(plain(f"  cũng ngừng vì cần chúng / stops too, as it needs them: {title['vi']}"))


def list_rules(
    text: Annotated[str, typer.Argument(help="Words in title, id, file or techniques; empty for all.")] = "",
    settings: SettingsFile = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Only what is switched off or refused.")] = False,
    pack: Annotated[str | None, typer.Option("--pack", help="Only this pack; '' for the settings' folders.")] = None,
    level: Levels = None,
    as_json: AsJson = False,
) -> None:
    """Các quy tắc, khớp nhiều nhất trước / rules, those that hit most first.

    Hits are counted over the whole sector, so only who may see all of it is told of them.
    """
    states = (RuleState.DISABLED, RuleState.REFUSED) if disabled else ()
    wanted = Wanted(text=text, states=states, levels=tuple(level or ()), pack=pack)
    own = settings_of(settings)
    reader = reader_of(own)
    reader.must("rules.read")
    told = reader.may("incident.read") and reader.scope("incident.read").is_everything
    with state_of(own) as connection:
        found = catalogue.list_rules(connection, wanted, SystemClock().now(), ALL, by_hits=told)
        offs = stored.offs(connection)
    rows = [_plain(one, offs) if as_json else _row(one, offs) for one in found]
    show(rows if told else [{**row, **_UNTOLD[as_json]} for row in rows], _COLUMNS, as_json=as_json)


def list_packs(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Các gói quy tắc và phiên bản / packs of rules and their versions."""
    own = settings_of(settings)
    reader_of(own).must("rules.read")
    with state_of(own) as connection:
        found = stored.list_packs(connection)
    show([msgspec.structs.asdict(one) if as_json else _pack_row(one) for one in found], _PACK_COLUMNS, as_json=as_json)


def _compare(settings: Settings, name: str, read: Source) -> tuple[Difference, Survey]:
    """How the pack differs from its active version, and what its rules are beside all others."""
    with state_of(settings) as connection:
        active = stored.active_manifest(connection, name)
        packs = beside(stored.read_packs(connection), name, read.files)
        unused = catalogue.files(connection, Wanted(states=(RuleState.DISABLED, RuleState.REFUSED)))
    own = read_rule_files(settings.rules) | read_values(settings.rule_values)
    return difference(active, read.files), survey(load_rules(own | packs), name, unused)


def _difference_lines(name: str, change: Difference) -> Iterator[str]:
    yield f"Gói / pack {name}"
    groups = {
        "Thêm / added": change.added,
        "Đổi / changed": change.changed,
        "Bỏ / removed": change.removed,
    }
    for heading, paths in groups.items():
        yield f"{heading}: {len(paths)}"
        yield from _first(paths)
    yield f"Giữ nguyên / same: {change.same}"


def _survey_lines(found: Survey) -> Iterator[str]:
    yield f"Quy tắc dùng được / rules that load: {found.rules}"
    levels = {f"{_LEVELS[Severity(level)]} / {level}": count for level, count in found.levels.items()}
    yield f"Mức độ / levels: {_counts(levels)}"
    yield f"Sản phẩm / products: {_counts({name or '-': count for name, count in found.products.items()})}"
    reasons = {file: f"{file}: {reason}" for file, reason in (found.refused | found.displaced).items()}
    groups = {
        "Quy tắc đang dùng sẽ ngừng / rules in use that would stop": list(found.displaced),
        "Trùng mã hoặc tên, không dùng / same id or name as another rule, not used": found.taken,
    }
    for heading, files in groups.items():
        yield from (f"{heading}: {len(files)}", *_first([reasons[file] for file in files])) if files else ()
    yield f"Bị từ chối / refused: {len(found.refused)}"
    yield from _first([reasons[file] for file in found.refused if file not in found.taken])


def _passed_lines(read: Source) -> Iterator[str]:
    if read.passed:
        yield f"Bỏ qua / passed over: {_counts({_PASSED.get(why, why): count for why, count in read.passed.items()})}"


def _end(change: Difference, made: Mapping[str, object]) -> str:
    if made:
        return f"Đã nhập thành phiên bản {made['number']} / imported as version {made['number']}"
    if change.is_none:
        return "Không có gì mới: phiên bản đang dùng đúng như vậy / nothing new: the active version is the same"
    return "Chưa thay đổi gì: thêm --yes để nhập / nothing has changed: add --yes to import"


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:MOST_TOLD])
    if len(lines) > MOST_TOLD:
        more = len(lines) - MOST_TOLD
        yield f"  … và {more} nữa, xem --json / and {more} more, see --json"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _wanted(level: Sequence[Severity] | None, product: Sequence[str] | None, file: str) -> Wanted | None:
    if not (level or product or file):
        return None
    return Wanted(levels=tuple(level or ()), products=tuple(product or ()), file=file)


def _switch(
    settings: Settings, action: str, ids: Sequence[str] | None, wanted: Wanted | None, reason: str
) -> Mapping[str, Any]:
    """Has the centre switch the named rules and all that are wanted.

    Raises:
        typer.BadParameter: no rule is named in any way.
        NotFoundError: no rule is wanted.
    """
    if not ids and wanted is None:
        raise typer.BadParameter("name rules by id, --level, --product or --file")
    found = {one.lower() for one in ids or ()}
    if wanted is not None:
        with state_of(settings) as connection:
            of_wanted = catalogue.own_ids(connection, wanted)
        if not of_wanted:
            raise NotFoundError("không có quy tắc nào như vậy / no rule is such: look with 'haidang rules list'")
        found |= of_wanted
    return ask_centre(settings, action, rules=sorted(found), text=reason)


def _row(listed: Listed, offs: Mapping[str, stored.Off]) -> dict[str, object]:
    rule, hits = listed
    state = _STATES[rule.state]
    return {
        "state": f"{state}, {_STATES[RuleState.DISABLED]}" if rule.off and rule.state is RuleState.REFUSED else state,
        "level": _LEVELS[rule.level],
        "title": rule.title["vi"],
        "product": rule.logsource.product,
        "pack": rule.pack,
        "month": hits.month,
        "last": vietnam(hits.last) if hits.last else "",
        "id": rule.id or rule.file,
        "reason": "; ".join(filter(None, (rule.reason, _why_off(rule, offs)))),
    }


def _why_off(rule: CatalogueRule, offs: Mapping[str, stored.Off]) -> str:
    """What was said when the rule was switched off; nothing for one that is on."""
    return offs[rule.id].reason if rule.off and rule.id in offs else ""


def _plain(listed: Listed, offs: Mapping[str, stored.Off]) -> dict[str, object]:
    told = msgspec.to_builtins(msgspec.structs.asdict(listed.rule))
    more = {"pack": listed.rule.pack, "off_reason": _why_off(listed.rule, offs)}
    return {**told, **more, "hits": listed.hits._asdict()}


def _pack_row(version: stored.PackVersion) -> dict[str, object]:
    told = {"time": vietnam(version.time), "active": "có" if version.active else ""}
    return {**msgspec.structs.asdict(version), **told}
