"""Files that grow: each line once, across rotation, truncation and restarts."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from corpus import regression_cases

from collectors.files.lineforms import line_forms
from collectors.logs.following import Follower, Watched
from collectors.logs.marks import Marks
from core.clock import HeldClock

NOW = 1_795_312_267_000_000_000
OBJECT = b'{"a":%d}\n'


class Followed:
    """A follower of one pattern, and what it has handed on."""

    def __init__(self, inlet, folder: Path, name: str = "log*", kind: str = "json", program: str = "") -> None:
        self.marks = Marks()
        self.folder, self.name = folder, name
        self._inlet = inlet
        self._forms = lambda path: line_forms(kind, program, path)
        self.follower: Follower | None = None
        self.restart()

    def restart(self) -> None:
        """A new process, which knows what is on disk."""
        if self.follower is not None:
            self.follower.close()
        watched = Watched(self.folder, self.name, "192.0.2.9", self._forms)
        self.follower = Follower([watched], self._inlet, HeldClock(NOW), Marks(self.marks.content()))

    async def look(self) -> list[bytes]:
        """The lines that one look finds, all stored."""
        await self.follower.look()
        frames = await self._inlet.take(self._inlet.waiting)
        for frame in frames:
            self.marks.set(frame.stream, frame.mark)
        self.frames = frames
        return [frame.raw for frame in frames]


@pytest.fixture
def following(inlet, tmp_path):
    made: list[Followed] = []

    def follow(*given: str) -> Followed:
        made.append(Followed(inlet, tmp_path, *given))
        return made[-1]

    yield follow
    for one in made:
        one.follower.close()


@pytest.fixture
def followed(following):
    return following()


def append(path: Path, *lines: bytes) -> None:
    with path.open("ab") as file:
        file.writelines(lines)


def test_lines_are_handed_on_as_they_become_whole(run, followed, tmp_path):
    async def looking():
        append(tmp_path / "log", b"{}\n", b'{"a":')
        assert await followed.look() == [b"{}"]
        assert await followed.look() == []
        append(tmp_path / "log", b"1}\r\n\n", b'{"a":2}\n')
        assert await followed.look() == [b'{"a":1}', b'{"a":2}']
        frame = followed.frames[0]
        assert (frame.source, frame.transport, frame.form(frame.raw, "x").fields) == ("192.0.2.9", "file", {"a": 1})

    run(looking())


def test_a_restart_goes_on_where_the_last_stored_line_ended(run, followed, tmp_path):
    async def looking():
        append(tmp_path / "log", *(OBJECT % n for n in range(5)))
        assert len(await followed.look()) == 5
        followed.restart()
        append(tmp_path / "log", OBJECT % 5)
        assert await followed.look() == [b'{"a":5}']

    run(looking())


def test_a_line_that_was_not_stored_before_a_kill_is_read_again(run, followed, tmp_path, inlet):
    async def looking():
        append(tmp_path / "log", *(OBJECT % n for n in range(3)))
        await followed.follower.look()
        first, *_ = await inlet.take(3)
        followed.marks.set(first.stream, first.mark)
        followed.restart()
        assert await followed.look() == [b'{"a":1}', b'{"a":2}']

    run(looking())


def test_rotation_loses_and_doubles_nothing(run, followed, tmp_path):
    async def looking():
        log, old = tmp_path / "log", tmp_path / "log.1"
        append(log, OBJECT % 1)
        assert await followed.look() == [b'{"a":1}']
        append(log, OBJECT % 2)
        log.rename(old)
        append(old, OBJECT % 3)  # the writer has not noticed yet
        append(log, OBJECT % 4)
        assert sorted(await followed.look()) == [b'{"a":2}', b'{"a":3}', b'{"a":4}']
        followed.restart()
        assert await followed.look() == []

    run(looking())


def test_a_file_that_was_rotated_out_of_the_pattern_is_read_to_its_end(run, following, tmp_path):
    async def looking():
        followed = following("log")
        append(tmp_path / "log", OBJECT % 1)
        assert await followed.look() == [b'{"a":1}']
        append(tmp_path / "log", OBJECT % 2)
        (tmp_path / "log").rename(tmp_path / "gone")
        assert await followed.look() == [b'{"a":2}']
        assert not followed.follower._open

    run(looking())


def test_a_file_that_was_truncated_and_begun_anew_is_another_one(run, followed, tmp_path):
    async def looking():
        log = tmp_path / "log"
        append(log, *(OBJECT % n for n in range(10)))
        assert len(await followed.look()) == 10
        log.write_bytes(b'{"b":1}\n')
        assert await followed.look() == [b'{"b":1}']
        followed.restart()
        append(log, b'{"b":2}\n')
        assert await followed.look() == [b'{"b":2}']

    run(looking())


def test_a_file_that_was_begun_anew_with_the_same_first_line_is_read_from_its_beginning(run, followed, tmp_path):
    async def looking():
        log = tmp_path / "log"
        append(log, OBJECT % 0, *(OBJECT % n for n in range(1, 9)))
        assert len(await followed.look()) == 9
        log.write_bytes(OBJECT % 0 + OBJECT % 77)
        assert await followed.look() == [b'{"a":0}', b'{"a":77}']
        followed.restart()
        log.write_bytes(OBJECT % 0)
        assert await followed.look() == [b'{"a":0}']

    run(looking())


def test_a_line_that_is_too_long_goes_to_quarantine_once_and_the_next_is_read(run, followed, tmp_path):
    async def looking():
        append(tmp_path / "log", b"{}\n", b"x" * 700_000 + b"\n", OBJECT % 1)
        found = await followed.look()
        assert (found[0], found[-1], len(found)) == (b"{}", b'{"a":1}', 3)
        assert followed.frames[1].fault.startswith("oversized")
        followed.restart()
        assert await followed.look() == []

    run(looking())


def test_rows_of_a_zeek_table_are_read_by_its_head_also_after_a_restart(run, following, tmp_path):
    async def looking():
        followed = following("conn.log*", "zeek")
        head = b"#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\n#types\ttime\taddr\n"
        append(tmp_path / "conn.log", head, b"1.5\t192.0.2.1\n")
        assert await followed.look() == [b"1.5\t192.0.2.1"]
        followed.restart()
        append(tmp_path / "conn.log", b"2.5\t192.0.2.2\n")
        assert await followed.look() == [b"2.5\t192.0.2.2"]
        event = followed.frames[0].form(followed.frames[0].raw, "x")
        assert (event.logsource.service, event.fields) == ("conn", {"ts": 2.5, "id.orig_h": "192.0.2.2"})

    run(looking())


def test_lines_of_a_program_are_read_as_it_would_say_them_by_syslog(run, following, tmp_path):
    async def looking():
        followed = following("auth", "program", "sshd")
        append(tmp_path / "auth", b"Failed password for root from 203.0.113.9 port 4711 ssh2\n")
        await followed.look()
        (frame,) = followed.frames
        assert frame.form(frame.raw, "x").fields["source.ip"] == "203.0.113.9"

    run(looking())


def test_records_of_an_evtx_file_are_read_once_it_is_at_rest_and_the_new_ones_later(run, following, tmp_path):
    async def looking():
        followed = following("*.evtx", "evtx")
        shutil.copy(regression_cases()[0].file, tmp_path / "Security.evtx")
        assert await followed.look() == []  # it may still be written
        found = await followed.look()
        assert found
        frame = followed.frames[0]
        assert frame.form(frame.raw, "x").logsource.product == "windows"
        assert await followed.look() == []
        followed.restart()
        await followed.look()
        assert await followed.look() == []

    run(looking())


def test_what_cannot_be_read_is_named_once_and_stops_nothing(run, followed, tmp_path, capsys, monkeypatch):
    async def looking():
        append(tmp_path / "log1", b"{}\n")
        append(tmp_path / "log2", OBJECT % 1)
        opened = Path.open

        def refusing(path, *mode):
            if path.name == "log1":
                raise PermissionError(13, "Permission denied")
            return opened(path, *mode)

        monkeypatch.setattr(Path, "open", refusing)
        assert await followed.look() == [b'{"a":1}']
        await followed.look()
        assert capsys.readouterr().err.count("log1 cannot be followed: Permission denied") == 1

    run(looking())


def test_packed_and_other_files_are_left_alone(run, followed, tmp_path):
    async def looking():
        append(tmp_path / "log.1.gz", b"{}\n")
        (tmp_path / "log.d").mkdir()
        assert await followed.look() == []

    run(looking())


def test_following_ends_when_it_is_cancelled(run, followed, tmp_path):
    async def looking():
        append(tmp_path / "log", b"{}\n")
        looked = asyncio.Event()

        async def pause() -> None:
            looked.set()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(followed.follower.run(pause))
        await looked.wait()
        (file,) = followed.follower._open.values()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert file._handle.closed

    run(looking())
