"""haidang replay: messages in quarantine read again, after a parser was mended."""

from __future__ import annotations

from typing import Annotated

import typer

from app.commands.common import SettingsFile, ask_centre, moment, settings_of
from core.errors import ContentError

commands = typer.Typer()

Since = Annotated[str, typer.Option(help="Received from this time on (ISO 8601).")]
Until = Annotated[str, typer.Option(help="Received before this time.")]
Source = Annotated[str, typer.Option(help="Only of this sender, by its address.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit chain.")]


@commands.command()
def replay(
    reason: Reason, since: Since = "", until: Until = "", source: Source = "", settings: SettingsFile = None
) -> None:
    """Đọc lại bản tin đã cách ly, bản nào đọc được thì thành sự kiện / read quarantined messages again."""
    if not reason.strip():
        raise ContentError("--reason: cần ghi lý do / say why")
    start, end = moment(since) if since else 0, moment(until) if until else 1 << 62
    if start >= end:
        raise ContentError(f"--until {until} is not after --since {since}")
    answer = ask_centre(
        settings_of(settings), "quarantine.replay", since=start, until=end, source=source, reason=reason
    )
    typer.echo(f"Đã ghi yêu cầu số {answer['number']}; làn nhật ký làm trong vài giây / asked, done within seconds")
