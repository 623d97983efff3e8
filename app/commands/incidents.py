"""haidang incidents: list, show, create, ack, assign, note, close."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from app.commands.common import AsJson, Reader, SettingsFile, ask_centre, reader_of, settings_of, show, state_of
from core.clock import vietnam
from core.incident import Dossier, Incident, State, Verdict
from core.records import Alert, Severity
from core.scope import NOTHING
from core.stores.incidents import list_incidents, read_dossier
from core.terminal import say

commands = typer.Typer(no_args_is_help=True, help="Sự cố / incidents.")

Number = Annotated[int, typer.Argument(min=1, max=(1 << 63) - 1, help="The incident's number.")]
Words = Annotated[str, typer.Option("--text", help="Words for the timeline.")]

_COLUMNS = {
    "id": "Số",
    "severity": "Mức độ",
    "state": "Trạng thái",
    "title": "Sự cố",
    "sites": "Điểm cầu",
    "owner": "Người xử lý",
    "occurred": "Xảy ra",
}

_SEVERITIES = {
    Severity.INFORMATIONAL: "thông tin",
    Severity.LOW: "thấp",
    Severity.MEDIUM: "trung bình",
    Severity.HIGH: "cao",
    Severity.CRITICAL: "nghiêm trọng",
}
_WITHHELD = (
    "nguyên văn nhật ký chỉ hiện với người có quyền đọc nhật ký của điểm cầu / "
    "raw lines are shown only to those who may read the logs of the site"
)
_OTHERS = "(đơn vị khác / another unit)"
_STATES = {State.NEW: "mới", State.ACKNOWLEDGED: "đã tiếp nhận", State.CLOSED: "đã đóng"}


@commands.command("list")
def list_(
    settings: SettingsFile = None,
    state: Annotated[list[State] | None, typer.Option(help="Only these states; default new and acknowledged.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Các sự cố đang mở, nặng nhất trước / open incidents, the gravest first."""
    states = state or [State.NEW, State.ACKNOWLEDGED]
    own = settings_of(settings)
    scope = reader_of(own).scope("incident.read")
    with state_of(own) as connection:
        found = list_incidents(connection, scope, states, limit)
    rows = [msgspec.to_builtins(one) if as_json else _row(one) for one in found]
    show(rows, _COLUMNS, as_json=as_json)
    if len(found) == limit:
        say(f"chỉ hiện {limit} sự cố đầu / only the first {limit} are shown: see --limit")


@commands.command("show")
def show_(number: Number, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Một sự cố: cảnh báo, bản ghi gốc, diễn biến / one incident with alerts, raw lines, timeline."""
    own = settings_of(settings)
    reader = reader_of(own)
    with state_of(own) as connection:
        dossier = _readable(reader, read_dossier(connection, reader.scope("incident.read"), number))
    count = sum(len(alert.evidence) for alert in dossier.alerts)
    if count:
        reader.note("raw", f"incident/{number}", "", count)
    elif any(alert.count for alert in dossier.alerts):
        say(_WITHHELD)
    if count and (others := sum(dossier.withheld.values())):
        say(f"{others} dòng của đơn vị khác không hiện / lines of other units are not shown")
    if as_json:
        show([_plain(dossier)], {}, as_json=True)
    else:
        typer.echo(_text(dossier))


@commands.command()
def create(
    title: Annotated[str, typer.Argument(help="What is said to have happened.")],
    settings: SettingsFile = None,
    severity: Severity = Severity.MEDIUM,
    site: str = "",
    channel: Annotated[str, typer.Option(help="telephone, e-mail or other")] = "telephone",
    text: Words = "",
) -> None:
    """Ghi nhận sự cố báo qua điện thoại, thư / enter an incident told by telephone or e-mail."""
    answer = ask_centre(
        settings_of(settings),
        "incidents.create",
        title=title,
        severity=severity,
        site=site,
        channel=channel,
        text=text,
    )
    typer.echo(f"Sự cố / incident {answer['id']}")


@commands.command()
def ack(number: Number, settings: SettingsFile = None) -> None:
    """Tiếp nhận / acknowledge."""
    ask_centre(settings_of(settings), "incidents.acknowledge", id=number)


@commands.command()
def assign(number: Number, owner: Annotated[str, typer.Argument()], settings: SettingsFile = None) -> None:
    """Phân công / give to a user."""
    ask_centre(settings_of(settings), "incidents.assign", id=number, owner=owner)


@commands.command()
def note(number: Number, text: Annotated[str, typer.Argument()], settings: SettingsFile = None) -> None:
    """Thêm ghi chú / add words to the timeline."""
    ask_centre(settings_of(settings), "incidents.note", id=number, text=text)


@commands.command()
def close(number: Number, verdict: Verdict, settings: SettingsFile = None, text: Words = "") -> None:
    """Đóng với kết luận / close with a verdict."""
    ask_centre(settings_of(settings), "incidents.close", id=number, verdict=verdict, text=text)


def _readable(reader: Reader, dossier: Dossier) -> Dossier:
    """The incident without the raw lines that are not the reader's to see."""
    return dossier.readable(reader.scope("event.read") if reader.may("event.read") else NOTHING)


def _row(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.id,
        "severity": _SEVERITIES[incident.severity],
        "state": _STATES[incident.state],
        "title": incident.title["vi"],
        "sites": ", ".join(incident.sites),
        "owner": incident.owner,
        "occurred": vietnam(incident.occurred),
    }


def _plain(dossier: Dossier) -> dict[str, object]:
    """As JSON takes it: raw lines as text, since they are read by people."""
    alerts = [
        {
            **msgspec.to_builtins(msgspec.structs.replace(alert, evidence=())),
            "evidence": [
                {"event": item.event, "time": item.time, "raw": item.raw.decode("utf-8", "replace")}
                for item in alert.evidence
            ],
            "withheld": dossier.withheld.get(alert.id, 0),
        }
        for alert in dossier.alerts
    ]
    timeline = msgspec.to_builtins(dossier.timeline)
    return {"incident": msgspec.to_builtins(dossier.incident), "alerts": alerts, "timeline": timeline}


def _text(dossier: Dossier) -> str:
    head = [f"{_COLUMNS[name]}: {value}" for name, value in _row(dossier.incident).items()]
    alerts = [line for alert in dossier.alerts for line in _alert_lines(alert)]
    timeline = [f"{vietnam(one.time)}  {one.actor or _OTHERS}  {one.action}  {one.detail}" for one in dossier.timeline]
    return "\n".join([*head, *alerts, "", *timeline])


def _alert_lines(alert: Alert) -> list[str]:
    raw = [f"  {vietnam(item.time)}  {item.raw.decode('utf-8', 'backslashreplace')!r}" for item in alert.evidence]
    return [f"\n{alert.title['vi']} ({alert.count})", *raw]
