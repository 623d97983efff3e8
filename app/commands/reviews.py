"""haidang users review: begin, show, decide, sign."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.commands.common import AsJson, SettingsFile, ask_centre, settings_of, show
from core.clock import vietnam
from core.stores.reviews import last_day

commands = typer.Typer(no_args_is_help=True, help="Rà soát tài khoản hằng quý / the quarterly review of accounts.")

Quarter = Annotated[str, typer.Option(help="2026-Q4; default the latest review.")]

_VERDICTS = {"": "–", "keep": "giữ", "change": "sửa", "disable": "khóa"}
_COLUMNS = {
    "user": "Tài khoản",
    "roles": "Vai trò",
    "seen": "Đăng nhập lần cuối",
    "mark": "Lưu ý",
    "verdict": "Kết luận",
    "text": "Lý do",
    "actor": "Người kết luận",
    "is_done": "Đã làm",
}


@commands.command()
def begin(settings: SettingsFile = None) -> None:
    """Mở đợt rà soát của quý này với mọi tài khoản / begin this quarter's review of all accounts."""
    answer = ask_centre(settings_of(settings), "reviews.begin")
    typer.echo(f"Đợt rà soát / review {answer['quarter']}: {answer['accounts']} tài khoản / accounts")


@commands.command("show")
def show_(settings: SettingsFile = None, quarter: Quarter = "", as_json: AsJson = False) -> None:
    """Các tài khoản trong đợt rà soát và kết luận / the accounts in a review, and what was decided."""
    answer: Any = ask_centre(settings_of(settings), "reviews.list", quarter=quarter)
    if as_json:
        show(answer["rows"], {}, as_json=True)
        return
    for one in answer["reviews"]:
        if one["quarter"] == answer["quarter"]:
            typer.echo(_head(one))
    show([_row(row) for row in answer["rows"]], _COLUMNS, as_json=False)


@commands.command()
def decide(
    user: Annotated[str, typer.Argument(help="The account.")],
    verdict: Annotated[str, typer.Argument(metavar="keep|change|disable", help="giữ, sửa hoặc khóa")],
    settings: SettingsFile = None,
    text: Annotated[str, typer.Option("--text", help="What is to be changed, or why.")] = "",
    quarter: Quarter = "",
) -> None:
    """Ghi kết luận về một tài khoản; thực hiện bằng lệnh khác / decide on an account; other commands carry it out."""
    if verdict not in _VERDICTS or not verdict:
        raise typer.BadParameter("use keep, change or disable")
    values = {"user": user, "verdict": verdict, "text": text, "quarter": quarter}
    answer = ask_centre(settings_of(settings), "reviews.decide", **values)
    typer.echo(f"{answer['quarter']}: {user}: {_VERDICTS[verdict]} / {verdict}")


@commands.command()
def sign(settings: SettingsFile = None, quarter: Quarter = "") -> None:
    """Ký đợt rà soát; người ký không kết luận tài khoản nào / sign a review; by who decided on no account."""
    answer = ask_centre(settings_of(settings), "reviews.sign", quarter=quarter)
    typer.echo(f"Đã ký đợt rà soát / signed the review of {answer['quarter']}")


def _head(review: dict[str, Any]) -> str:
    begun = f"Đợt / review {review['quarter']}: mở / begun {vietnam(review['time'])}, {review['actor']}"
    if review["signed"]:
        return f"{begun}; ký / signed {vietnam(review['signed'])}, {review['signed_by']}"
    return f"{begun}; chưa ký, hạn / not signed, due {last_day(review['quarter'])}"


def _row(row: dict[str, Any]) -> dict[str, object]:
    marks = {"idle": "không dùng hơn 45 ngày / idle", "disabled": "đã khóa / disabled"}
    return row | {
        "seen": vietnam(row["seen"]) if row["seen"] else "–",
        "mark": ", ".join(text for name, text in marks.items() if row[name]),
        "verdict": _VERDICTS[row["verdict"]],
        "is_done": ("có" if row["is_done"] else "chưa") if row["verdict"] else "",
    }
