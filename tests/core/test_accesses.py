"""Who looked at what: noted through the centre, kept while it does not answer, never lost."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core import accesses
from core.accesses import Access, Accesses, of_search
from core.errors import RefusedError, UnavailableError
from core.settings import HOME
from core.stores.event_search import FOREVER, Found, Progress, Query

SEARCH = Access(what="search", object="events", query="user.name:an", scope="vks-tha")


class FakeCentre:
    """Keeps what it is told; refuses who is ``barred``, and does not answer while it is ``away``."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []
        self.away = False
        self.barred: set[str] = set()
        self.poison: set[str] = set()

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        assert action == accesses.ACTION
        if self.away:
            raise UnavailableError("the centre does not answer")
        if actor in self.barred:
            raise RefusedError(f"'{actor}' may not do this")
        if len(str(values["scope"])) > accesses.MOST_LETTERS or not 0 <= int(str(values["since"])) <= accesses.NO_BOUND:
            raise RefusedError("Expected `str` of length <= 2000")
        if values["object"] in self.poison:
            raise UnavailableError("the centre failed at access.note: see its log")
        self.told.append((actor, values))

    def counts(self) -> list[tuple[str, object, object]]:
        return [(actor, values["count"], values["cut"]) for actor, values in self.told]


@pytest.fixture
def centre():
    return FakeCentre()


@pytest.fixture
def notes(centre, tmp_path, clock):
    return Accesses(centre.call, tmp_path / "notes", clock)


@pytest.fixture
def waiting(tmp_path):
    return lambda: sorted(path.name for path in (tmp_path / "notes").glob("*"))


def found(count: int, *, more: bool = False, done: bool = True) -> Found:
    return Found([None] * count, {}, Progress(1, 1, 1, 1), more, done)  # type: ignore[list-item]


def test_a_search_is_noted_with_who_what_scope_and_count(notes, centre, clock, waiting):
    steps = [found(2, done=False), found(3)]
    assert list(notes.search("an", SEARCH, iter(steps))) == steps
    ((actor, told),) = centre.told
    assert (actor, told["what"], told["object"], told["query"]) == ("an", "search", "events", "user.name:an")
    assert (told["scope"], told["count"], told["cut"], told["time"]) == ("vks-tha", 5, False, clock.now())
    assert waiting() == []


def test_it_is_noted_before_its_end_is_told(notes, centre):
    steps = notes.search("an", SEARCH, iter([found(1)]))
    next(steps)
    assert centre.counts() == [("an", 1, False)]
    steps.close()
    assert len(centre.told) == 1


def test_nothing_is_told_before_the_note_is_on_disk(notes, waiting):
    def steps():
        assert len(waiting()) == 1
        yield found(0)

    assert len(list(notes.search("an", SEARCH, steps()))) == 1


def test_one_that_only_counts_is_noted_with_what_it_counted(notes, centre):
    steps = [found(0, more=True, done=False)._replace(counts={1: 3}), found(0, more=True)._replace(counts={1: 1, 2: 2})]
    list(notes.search("an", of_search(Query(limit=0), "everything"), iter(steps)))
    assert (centre.told[0][1]["object"], centre.counts()) == ("histogram", [("an", 6, False)])


@pytest.mark.parametrize("more", [True, False])
def test_one_that_finds_more_than_was_asked_for_is_cut_short(notes, centre, more):
    list(notes.search("an", SEARCH, iter([found(7, more=more)])))
    assert centre.counts() == [("an", 7, more)]


def test_one_that_is_left_is_noted_with_what_was_told_so_far(notes, centre):
    steps = notes.search("an", SEARCH, iter([found(2, done=False), found(2)]))
    next(steps)
    steps.close()
    assert centre.counts() == [("an", 2, True)]


def test_one_that_fails_is_noted_all_the_same(notes, centre):
    def fails():
        yield found(1, done=False)
        raise UnavailableError("files keep changing")

    with pytest.raises(UnavailableError, match="files keep changing"):
        list(notes.search("an", SEARCH, fails()))
    assert centre.counts() == [("an", 1, True)]


def test_a_search_that_never_began_is_no_entry(notes, centre, waiting):
    notes.search("an", SEARCH, iter([found(1)])).close()
    assert (centre.told, waiting()) == ([], [])


def test_while_the_centre_is_away_notes_wait_and_go_with_the_next_one_in_their_order(notes, centre, clock, waiting):
    centre.away = True
    for number in range(3):
        clock.forward(1)
        notes.note("an", Access(what="raw", object=f"incident/{number}", count=number))
    assert len(waiting()) == 3
    centre.away = False
    notes.note("binh", Access(what="raw", object="incident/9", count=9))
    assert [(actor, told["object"]) for actor, told in centre.told] == [
        ("binh", "incident/9"),
        ("an", "incident/0"),
        ("an", "incident/1"),
        ("an", "incident/2"),
    ]
    assert waiting() == []


def test_a_new_process_hands_over_what_the_last_one_could_not(notes, centre, tmp_path, clock):
    centre.away = True
    notes.note("an", SEARCH)
    centre.away = False
    assert Accesses(centre.call, tmp_path / "notes", clock).deliver() == 1
    assert centre.counts() == [("an", 0, False)]


def test_a_process_that_is_killed_leaves_its_note(centre, tmp_path, clock):
    script = """
import os, pathlib, sys
from core.accesses import Access, Accesses
from core.clock import HeldClock
notes = Accesses(None, pathlib.Path(sys.argv[1]), HeldClock(5))
with notes.noted("an", Access(what="search", object="events", query="x")):
    os.kill(os.getpid(), 9)
"""
    folder = tmp_path / "notes"
    killed = subprocess.run([sys.executable, "-c", script, str(folder)], check=False, cwd=HOME)
    assert killed.returncode == -9
    assert Accesses(centre.call, folder, clock).deliver() == 1
    ((actor, told),) = centre.told
    assert (actor, told["query"], told["cut"], told["time"]) == ("an", "x", True, 5)


def test_the_note_of_a_search_that_still_runs_is_left_alone(notes, centre, tmp_path, clock):
    with notes.noted("an", SEARCH) as looked:
        assert Accesses(centre.call, tmp_path / "notes", clock).deliver() == 0
        looked.add(4, is_whole=True)
    assert centre.counts() == [("an", 4, False)]


def test_a_note_of_who_may_do_nothing_any_more_is_entered_by_the_next_and_says_whose_it_is(notes, centre, waiting):
    centre.barred = {"an"}
    notes.note("an", SEARCH)
    assert (centre.told, len(waiting())) == ([], 1)
    notes.note("binh", SEARCH)
    assert [(actor, told["by"]) for actor, told in centre.told] == [("binh", ""), ("binh", "an")]
    assert waiting() == []


def test_one_that_cannot_be_entered_stops_no_other(notes, centre, clock, waiting):
    centre.away = True
    notes.note("an", SEARCH)
    clock.forward(1)
    notes.note("binh", SEARCH)
    centre.away, centre.barred = False, {"an", ""}
    assert notes.deliver() == 1
    assert centre.counts() == [("binh", 0, False)]
    assert len(waiting()) == 1


def test_a_damaged_note_stops_no_other(notes, centre, tmp_path):
    centre.away = True
    notes.note("an", SEARCH)
    (tmp_path / "notes" / "0.json").write_bytes(b"\xff{")
    centre.away = False
    assert notes.deliver() == 1


def test_with_too_many_waiting_nothing_more_is_shown_until_the_centre_answers(notes, centre, monkeypatch):
    monkeypatch.setattr(accesses, "MOST_KEPT", 2)
    centre.away = True
    for _ in range(2):
        notes.note("an", SEARCH)
    with pytest.raises(UnavailableError, match="2 notes of what was looked at wait for the centre"):
        next(notes.search("an", SEARCH, iter([found(1)])))
    centre.away = False
    with pytest.raises(UnavailableError):
        notes.note("an", SEARCH)
    notes.note("an", SEARCH)  # what waited has gone with the one that was refused
    assert len(centre.told) == 3


def test_where_no_note_can_be_kept_nothing_is_shown(centre, tmp_path, clock):
    (tmp_path / "file").write_bytes(b"")
    notes = Accesses(centre.call, tmp_path / "file" / "notes", clock)
    with pytest.raises(UnavailableError, match="cannot write"):
        next(notes.search("an", SEARCH, iter([found(1)])))


def test_notes_are_for_their_account_alone(notes, centre, tmp_path):
    centre.away = True
    notes.note("an", SEARCH)
    folder = tmp_path / "notes"
    assert folder.stat().st_mode & 0o077 == 0
    assert [path.stat().st_mode & 0o077 for path in folder.glob("*")] == [0]


def test_a_long_query_is_cut(notes, centre):
    notes.note("an", Access(what="search", object="events", query="x" * 9_000))
    assert len(str(centre.told[0][1]["query"])) == accesses.MOST_LETTERS


def test_a_search_is_told_as_it_was_asked():
    told = of_search(Query(text="a b", site="tha", since=5, until=FOREVER), "everything")
    assert (told.object, told.query, told.since, told.until) == ("events", "a b site:tha", 5, 0)
    assert of_search(Query(quarantined=True, until=9), "").object == "quarantine"


def kept_by_an_older_version(notes, centre, folder, **changed):
    """Leaves a note in the folder that the centre does not take."""
    centre.away = True
    notes.note("an", SEARCH)
    centre.away = False
    (path,) = folder.glob("0*.json")
    kept = json.loads(path.read_bytes())
    kept["access"] |= changed
    path.write_bytes(json.dumps(kept).encode())


def test_what_the_centre_would_not_take_is_cut_before_it_is_kept(notes, centre, waiting):
    notes.note(
        "an", Access(what="search", object="x" * 900, scope="a, " * 4_000, since=-5, until=1 << 63, query="\udcff")
    )
    ((_, told),) = centre.told
    assert (len(str(told["object"])), len(str(told["scope"]))) == (200, 2_000)
    assert (told["since"], told["until"], told["query"]) == (0, accesses.NO_BOUND, "?")
    assert waiting() == []


@pytest.mark.parametrize("changed", [{"scope": "s" * 2_001}, {"since": -5}])
def test_a_note_that_the_centre_does_not_take_is_entered_in_short_form_and_put_aside(
    notes, centre, waiting, tmp_path, changed
):
    kept_by_an_older_version(notes, centre, tmp_path / "notes", **changed)
    notes.note("binh", SEARCH)
    assert [(actor, told["object"], told["query"], told["by"]) for actor, told in centre.told] == [
        ("binh", "events", "user.name:an", ""),
        ("an", "events", "", ""),
    ]
    assert waiting() == ["aside"]
    assert len(list((tmp_path / "notes" / "aside").glob("*.json"))) == 1


def test_a_note_that_nobody_can_read_is_told_of_in_the_name_of_the_next(notes, centre, waiting, tmp_path):
    notes.note("an", SEARCH)
    (tmp_path / "notes" / "0.json").write_bytes(b"\xff{")
    notes.note("binh", SEARCH)
    assert (centre.told[-1][0], centre.told[-1][1]["object"], centre.told[-1][1]["query"]) == (
        "binh",
        "damaged note",
        "0.json",
    )
    assert waiting() == ["aside"]


def test_notes_that_are_refused_never_keep_good_ones_from_the_chain(notes, centre, clock, waiting, monkeypatch):
    monkeypatch.setattr(accesses, "MOST_TRIED", 5)
    centre.away = True
    for name in ["gone"] * 7 + ["an"] * 3:
        clock.forward(1)
        notes.note(name, SEARCH)
    centre.away, centre.barred = False, {"gone", "", "binh"}
    for _ in range(3):
        notes.deliver()
    assert [actor for actor, _ in centre.told] == ["an"] * 3
    assert len(waiting()) == 7
    centre.barred = {"gone"}
    for _ in range(2):
        notes.deliver("binh")
    assert [told["by"] for _, told in centre.told[3:]] == ["gone"] * 7


def test_a_note_at_which_the_centre_fails_stops_no_other(notes, centre, clock, waiting):
    centre.away = True
    notes.note("an", Access(what="raw", object="poison"))
    for _ in range(3):
        clock.forward(1)
        notes.note("an", SEARCH)
    centre.away, centre.poison = False, {"poison"}
    assert notes.deliver() == 3
    assert len(waiting()) == 1


def test_of_what_was_put_aside_only_so_much_is_kept(notes, centre, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(accesses, "MOST_KEPT", 2)
    for _ in range(4):
        clock.forward(1)
        kept_by_an_older_version(notes, centre, tmp_path / "notes", scope="s" * 2_001)
        notes.deliver()
    assert len(list((tmp_path / "notes" / "aside").glob("*.json"))) == 2


def test_no_more_wait_than_may_also_when_many_look_at_once(notes, centre, waiting, monkeypatch):
    monkeypatch.setattr(accesses, "MOST_KEPT", 3)
    centre.away = True

    def look(_):
        try:
            notes.note("an", SEARCH)
        except UnavailableError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(look, range(24))) == 3
    assert len(waiting()) == 3


def test_what_is_shown_again_is_noted_once_a_mark(notes, centre, monkeypatch):
    monkeypatch.setattr(accesses, "MOST_REMEMBERED", 2)
    look = Access(what="raw", object="incident/1", count=3)
    for mark in ("a", "a", "b", "a"):
        notes.note_shown("an", look, mark, is_again=True)
    assert len(centre.told) == 2
    notes.note_shown("an", look, "a", is_again=False)  # a page that is opened anew is a new look
    notes.note_shown("an", look, "c", is_again=True)
    notes.note_shown("an", look, "a", is_again=True)  # forgotten meanwhile
    assert len(centre.told) == 5
