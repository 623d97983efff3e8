"""haidang events and haidang sources: the same language as the console's, streamed lines, JSON, counts by time."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from app import cli
from collectors.logs.spooling import decode_event, encode_record
from core.clock import HOUR, MINUTE
from core.errors import ContentError, NotFoundError
from core.query import QueryError
from core.records import Event, Logsource
from core.sources import Source, Sources, SourceState, write_sources
from core.stores.events import EventWriter
from core.stores.spool import Spool, segments


@pytest.fixture(scope="module")
def commands():
    return cli.build(None)


@pytest.fixture
def file(tmp_path, settings):
    path = tmp_path / "haidang.toml"
    path.write_text(f'format = 1\ndata = "{settings.data.name}"\n')
    return path


@pytest.fixture
def run(commands, file, monkeypatch):
    """Runs a command in a pipe and returns what it prints."""
    for name in ("FORCE_COLOR", "COLUMNS", "HAIDANG_SETTINGS"):
        monkeypatch.delenv(name, raising=False)

    def running(*arguments):
        done = CliRunner().invoke(commands, [*arguments, "--settings", str(file)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return running


@pytest.fixture
def store(settings, clock):
    """Puts events with these fields into the lane's store, a minute apart; every second one into an hour's file."""

    def storing(*contents, site="tha", device="sv-tha"):
        writer = EventWriter(settings.logs / "events", decode_event)
        for number, fields in enumerate(contents):
            event = Event(
                id=f"logs/1/{number}",
                time=clock.now() + number * MINUTE,
                seen=clock.now(),
                logsource=Logsource(product="linux"),
                fields=fields,
                raw=b"raw",
                site=site,
                device=device,
            )
            spool = Spool(settings.logs / "spool", clock, floor=clock.now() + number)
            spool.open(b"")
            spool.append([encode_record(event, "")])
            spool.close()
            if number % 2:
                writer.convert(segments(settings.logs / "spool"))
                writer.compact(clock.now() // HOUR + 1)

    return storing


EVENTS = (
    {"message": "đăng nhập thất bại", "user.name": "an", "source.ip": "203.0.113.7"},
    {"message": "session opened", "user.name": "binh", "source.ip": "203.0.113.70"},
    {"message": "session closed", "user.name": "an", "source.port": 1024},
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("dang nhap", ["0"]),
        ("user.name:an", ["2", "0"]),
        ("user.name:an -session", ["0"]),
        ("opened OR closed", ["2", "1"]),
        ("203.0.113.7", ["0"]),
        ("source.ip:203.0.113.*", ["1", "0"]),
        ("source.ip:203.0.0.0/8", ["1", "0"]),
        ("source.ip:10.0.0.0/8", []),
        ("source.port:>1000", ["2"]),
        ('"session closed"', ["2"]),
        ("nothing", []),
    ],
)
def test_a_search_reads_the_language_of_queries(run, store, query, found):
    store(*EVENTS)
    assert [row["id"][-1] for row in json.loads(run("events", "search", query, "--json"))] == found


def test_a_query_that_cannot_be_read_is_one_line_with_the_place(run, store):
    store(*EVENTS)
    with pytest.raises(QueryError, match=r"query, character 1: .* / the bracket is not closed"):
        run("events", "search", "(a")


def test_lines_are_written_in_columns_under_a_heading(run, store):
    store(*EVENTS)
    heading, first, *rest = run("events", "search").splitlines()
    assert heading.split() == ["Thời", "gian", "Điểm", "cầu", "Thiết", "bị", "Nội", "dung"]
    assert re.fullmatch(r"22/11/2026 08:53:37  tha +  sv-tha +  session closed", first)
    assert len(rest) == 2


@pytest.mark.parametrize(
    ("fields", "sender"),
    [({"observer.ip": "10.9.9.9"}, "10.9.9.9"), ({"observer.ip": "10.9.9.9", "host.name": "may-1"}, "may-1")],
)
def test_an_event_of_no_device_and_no_site_tells_who_sent_it(run, store, fields, sender):
    store({"message": "hello", **fields}, site="", device="")
    assert run("events", "search").splitlines()[1].split()[2:] == [sender, "hello"]


def test_a_query_that_begins_with_a_minus_goes_after_two_more(file, store, commands):
    store(*EVENTS)
    assert "-- -foo" in " ".join(CliRunner().invoke(commands, ["events", "search", "--help"]).stdout.split())
    arguments = ["events", "search", "--json", "--settings", str(file), "--", "-session"]
    done = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert [row["id"][-1] for row in json.loads(done.stdout)] == ["0"]


def test_a_replay_without_a_reason_is_refused(run):
    with pytest.raises(ContentError, match="--reason: cần ghi lý do / say why"):
        run("replay", "--reason", "   ")


def test_what_would_steer_a_terminal_is_made_visible(run, store):
    store({"message": "a\x1b[2Jb\nc"})
    assert r"a\x1b[2Jb\x0ac" in run("events", "search")


def test_a_histogram_counts_by_time_beyond_any_limit(run, store):
    store(*EVENTS)
    arguments = ("events", "histogram", "--time", "2026-11-22T08:51/2026-11-22T08:55")
    assert [row["count"] for row in json.loads(run(*arguments, "--json"))] == [1, 1, 1]
    assert json.loads(run(*arguments, "user.name:an", "--json"))[1] == {
        "time": "2026-11-22T01:53:35.000000Z",
        "seconds": 5,
        "count": 1,
    }
    _, *lines = run(*arguments).splitlines()
    assert [line.split()[2:] for line in lines] == [["1", "█" * 50]] * 3


@pytest.fixture
def sources(settings, clock):
    now = clock.now()
    settings.sources.parent.mkdir(parents=True, exist_ok=True)
    write_sources(
        settings.sources,
        Sources(
            written=now,
            sources=(
                Source(address="10.0.0.1", device="fw-1", site="tha", known=True, first=now, last=now, rate=5.5),
                Source(address="10.0.0.2", first=now, last=now, state=SourceState.SILENT, dropped=3, kinds=("a/b",)),
            ),
            unlisted=2,
        ),
    )


@pytest.mark.usefixtures("sources")
def test_sources_are_listed_the_most_noteworthy_first(run):
    heading, silent, learning = run("sources", "list").splitlines()
    assert heading.split()[:2] == ["Trạng", "thái"]
    assert silent.split()[:3] == ["im", "lặng", "10.0.0.2"]
    assert "chưa có trong danh mục" in silent
    assert learning.split()[:5] == ["đang", "học", "10.0.0.1", "fw-1", "tha"]


@pytest.mark.usefixtures("sources")
def test_sources_that_are_not_kept_apart_are_told(commands, file):
    done = CliRunner().invoke(commands, ["sources", "list", "--json", "--settings", str(file)])
    assert "2 more sources are not kept apart" in done.stderr


@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), ["10.0.0.2", "10.0.0.1"]),
        (("--sort", "rate"), ["10.0.0.1", "10.0.0.2"]),
        (("--state", "silent"), ["10.0.0.2"]),
        (("--state", "unknown"), ["10.0.0.2"]),
        (("--search", "FW"), ["10.0.0.1"]),
    ],
)
def test_sources_come_as_json_filtered_and_in_order(run, options, found):
    rows = json.loads(run("sources", "list", "--json", *options))
    assert [row["address"] for row in rows] == found
    assert {"dropped", "lag", "limit_from"} <= rows[0].keys()


@pytest.mark.usefixtures("sources")
def test_a_source_is_shown_with_all_figures(run):
    assert json.loads(run("sources", "show", "10.0.0.2", "--json"))[0]["dropped"] == 3
    cells = [re.split(r"  +", line.strip()) for line in run("sources", "show", "10.0.0.2").splitlines()[1:]]
    assert len(cells) == len(Source.__struct_fields__)
    lines = {name: value for name, *values in cells for value in values}
    assert lines["Nghe lần cuối / last"] == "22/11/2026 08:51:37"
    assert lines["Trễ (giây) / lag (s)"] == "–"
    assert lines["Trạng thái / state"] == "im lặng / silent"
    assert lines["Có trong danh mục / known"] == "không / no"
    with pytest.raises(NotFoundError, match=r"không có nguồn '10.9.9.9' / there is no source '10.9.9.9'"):
        run("sources", "show", "10.9.9.9")


def test_without_a_file_there_are_no_sources_yet(run):
    assert json.loads(run("sources", "list", "--json")) == []
