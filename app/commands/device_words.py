"""What the test of a device is told as: each result in Vietnamese and English, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from app.examining import NO_SET, TAKEN, UNKNOWN_FAMILY, Report, TriedSet
from app.ping import Echo
from collectors.snmp.failures import Failure

_PINGS = {
    Echo.ANSWERED: "trả lời / answers",
    Echo.SILENT: "không trả lời / no answer",
    Echo.UNREACHABLE: "máy này không có đường tới đó / this machine has no way there",
    Echo.NOT_PERMITTED: (
        "tài khoản này không được phép / not permitted for this account (net.ipv4.ping_group_range, CAP_NET_RAW)"
    ),
}
_FAILURES = {
    Failure.SILENT: "im lặng",
    Failure.REFUSED: "không có gì nghe ở cổng SNMP",
    Failure.UNREACHABLE: "không tới được địa chỉ",
    Failure.WRONG_COMMUNITY: "sai chuỗi community",
    Failure.UNKNOWN_USER: "thiết bị không biết người dùng SNMPv3 này",
    Failure.WRONG_AUTH_KEY: "sai mật khẩu hoặc thuật toán xác thực",
    Failure.WRONG_PRIV_KEY: "sai mật khẩu hoặc thuật toán mã hóa",
    Failure.UNSUPPORTED_LEVEL: "người dùng trên thiết bị không có xác thực hoặc mã hóa",
    Failure.NOT_IN_TIME: "đồng hồ SNMPv3 của thiết bị không ổn định",
    Failure.TOO_BIG: "thiết bị không trả lời được nhiều giá trị một lúc",
    Failure.MALFORMED: "dữ liệu nhận được không phải SNMP",
    Failure.RESTLESS: "các cổng của thiết bị thay đổi liên tục trong lúc đọc",
}


def failure_words(failure: str) -> str:
    """A reason why a device did not answer, in Vietnamese and English."""
    known = Failure(failure)
    return f"{_FAILURES[known]} / {known.text}"


def report_lines(report: Report) -> Iterator[str]:
    """The whole test, line by line."""
    after = f", {report.ping_ms} ms" if report.ping_ms is not None else ""
    yield f"Thiết bị / device: {report.device} ({report.site}), {report.address} UDP {report.port}"
    yield f"Ping: {_PINGS[Echo(report.ping)]}{after}"
    for order, one in enumerate(report.credentials, start=1):
        named = f"{one.name} ({one.kind}, SNMPv{one.version})"
        yield f"Bộ thông tin xác thực / credential set {order}: {named}: {_outcome(one)}"
    if report.is_read:
        yield from _read_lines(report)
    yield f"Kết luận / verdict: {_verdict(report)}"


def _outcome(one: TriedSet) -> str:
    said = "thiết bị nhận / taken" if one.outcome == TAKEN else failure_words(one.outcome)
    return f"{said} ({one.ms:.0f} ms)"


def _read_lines(report: Report) -> Iterator[str]:
    known = "" if report.family_known else " (họ thiết bị chưa biết / unknown family)"
    yield f"Tự giới thiệu / says of itself: {report.system_name}: {report.descr}"
    yield f"Hồ sơ / profile: {report.profile} ({report.title}), sysObjectID {report.object_id}{known}"
    for table in report.tables:
        columns = ", ".join(f"{one.name} {one.values}" for one in table.columns)
        yield f"  {table.name}: {table.rows} dòng / rows: {columns}"
    yield (
        f"Đọc / read: {report.varbinds} giá trị / values, {report.requests} câu hỏi / requests, "
        f"thiếu / missing {report.missing}, mất / lost {report.timeouts}; "
        f"{report.rtt_ms:.1f} ms một câu / a request, {report.took_ms:.0f} ms tất cả / in all"
    )


def _verdict(report: Report) -> str:
    if report.verdict == NO_SET:
        return "không có bộ SNMP nào cho thiết bị / no SNMP credential set is for it: haidang credentials assign"
    if report.verdict == UNKNOWN_FAMILY:
        return (
            f"đọc được bằng hồ sơ chung, chưa biết họ {report.object_id} / "
            f"read by the profile of any device: family {report.object_id} is unknown"
        )
    if report.is_read:
        return "tốt / good"
    if report.verdict == Failure.SILENT and report.ping in {Echo.SILENT, Echo.UNREACHABLE}:
        return "không tới được thiết bị / the device cannot be reached: neither ping nor SNMP is answered"
    return failure_words(report.verdict)
