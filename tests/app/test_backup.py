"""A copy that is whole, or refused."""

from __future__ import annotations

import os
import shutil

import msgspec
import pytest
from forging import write_ahead_log

from app import backup
from app.backup import CONTENTS, back_up, read_contents, restore
from app.centre import Centre
from collectors.logs.marks import Marks
from collectors.logs.resend import Tails
from collectors.logs.spooling import Ends, decode_event, encode_head, encode_record
from core import audit
from core.clock import HOUR, SECOND, HeldClock
from core.errors import ContentError, IntegrityError, RefusedError, UnavailableError
from core.files import own_folder
from core.outbox import Outbox, Row
from core.scope import EVERYTHING
from core.secrets import secret
from core.settings import Settings
from core.snapshots import keep_snapshot, last_snapshot, snapshot
from core.stores.events import EventWriter, LocalEvents, Query
from core.stores.incidents import list_incidents
from core.stores.manifest import file_sha256, read_manifest
from core.stores.spool import Position, Spool, segments
from core.stores.state import read_state
from core.stores.users import list_users
from detections.detect import detect

NOW = 1_795_312_267 * SECOND
LOCKS = {"platform.lock"}
"""Files by which one platform keeps another off its data."""


def silent(_: str) -> None:
    """Says nothing."""


def stored(settings):
    lane = settings.logs
    found = LocalEvents(lane / "spool", lane / "events", decode_event).search(EVERYTHING, Query())
    return sorted(event.id for event in found)


def fill_lane(settings, clock, event):
    """A lane with a closed partition, a minute file, a segment that still grows, an outbox and a snapshot."""
    lane = settings.logs
    spool, writer = Spool(lane / "spool", clock), EventWriter(lane / "events", decode_event)
    for first, compacted in ((0, True), (10, False), (20, False)):
        spool.open(encode_head(Ends(Tails(), Marks())))
        spool.append([encode_record(event(number), "") for number in range(first, first + 10)])
        if first < 20:
            spool.close()
            writer.convert(list((lane / "spool").glob("*.spool")))
        if compacted:
            writer.compact(1 << 40)
        clock.forward(HOUR)
    spool.close()
    outbox = Outbox(lane / "outbox.db", clock)
    outbox.put([Row(key="alert/1", kind="alert", body=b"x")], judged=Position(7, 3))
    outbox.close()
    keep_snapshot(lane / "snapshots", "rules", snapshot(b"rules"))


@pytest.fixture(scope="module")
def template(tmp_path_factory, rules, matcher, event, batch):
    """A platform with an incident, a user, and events in all three places; made once."""
    settings, clock = Settings(data=tmp_path_factory.mktemp("template") / "data"), HeldClock(NOW)
    centre = Centre(settings, rules, clock)
    centre.first_administrator()
    centre.receive(batch([hit for number in range(10) for hit in detect(matcher, event(number))]))
    centre.close()
    secret(settings.secrets, "session.key")
    fill_lane(settings, clock, event)
    return settings


@pytest.fixture
def filled(template, settings):
    """A copy of it."""
    shutil.rmtree(settings.data)
    shutil.copytree(template.data, settings.data)
    return settings


@pytest.fixture
def made(filled, tmp_path, clock):
    """A backup of it."""
    back_up(filled, tmp_path / "backup", clock, silent)
    return tmp_path / "backup"


@pytest.fixture
def empty(filled, tmp_path):
    """The same settings over an empty place."""
    return filled.model_copy(update={"data": tmp_path / "restored"})


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_every_file_of_a_backup_is_named_with_its_sha256(made, clock):
    contents = read_contents(made)
    assert contents.time == clock.now()
    assert contents.files.keys() | {CONTENTS} == names(made)
    assert all(file_sha256(made / name) == digest for name, digest in contents.files.items())
    assert "centre/state.db" in contents.files
    assert "lanes/logs/outbox.db" in contents.files
    assert "lanes/logs/snapshots/rules.snapshot" in contents.files


def test_secrets_are_not_in_a_backup(filled, made):
    kept = {path.read_bytes() for path in filled.secrets.iterdir()}
    assert len(kept) == 2
    for path in made.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(one in content or one.hex().encode() in content for one in kept), path


def test_a_backup_is_for_its_owner_only(made):
    assert made.stat().st_mode & 0o777 == 0o700
    assert (made / CONTENTS).stat().st_mode & 0o777 == 0o600


def test_a_backup_tells_what_it_does(filled, tmp_path, clock):
    told = []
    back_up(filled, tmp_path / "backup", clock, told.append)
    assert told == ["centre", "lane logs", "lane snmp"]


def test_a_restored_platform_holds_what_was_backed_up(filled, made, empty, clock):
    told = []
    restore(empty, made, "all", clock, told.append)
    assert told == ["centre", "lanes"]
    assert stored(empty) == stored(filled)
    assert len(stored(empty)) == 30
    assert read_manifest(empty.logs / "events") == msgspec.structs.replace(
        read_manifest(filled.logs / "events"), retired=()
    )
    assert last_snapshot(empty.logs / "snapshots", "rules") == snapshot(b"rules")
    engine = read_state(empty.state)
    with engine.connect() as connection:
        (incident,) = list_incidents(connection, EVERYTHING)
    engine.dispose()
    assert incident.cause == "ssh_password_guessing"


def test_a_restore_enters_the_audit_chain_with_the_time_of_the_backup(made, empty, clock):
    backed_up = clock.now()
    clock.forward(HOUR)
    restore(empty, made, "all", clock, silent)
    engine = read_state(empty.state)
    with engine.connect() as connection:
        chain = list(audit.read_chain(connection))
    engine.dispose()
    assert list(audit.verify_chain(chain)) == []
    assert (chain[-1].action, chain[-1].time) == ("platform.restore", backed_up + HOUR)
    assert msgspec.json.decode(chain[-1].detail) == {"backup_of": backed_up}


def test_a_restored_lane_begins_a_new_epoch_and_keeps_its_rows(filled, made, empty, clock):
    before = Outbox(filled.logs / "outbox.db", clock)
    restore(empty, made, "all", clock, silent)
    after = Outbox(empty.logs / "outbox.db", clock)
    assert after.epoch != before.epoch
    assert after.after(0) == before.after(0)
    assert after.judged() == Position(7, 3)
    before.close()
    after.close()


@pytest.mark.parametrize(("part", "there", "absent"), [("centre", "centre", "lanes"), ("lanes", "lanes", "centre")])
def test_a_part_alone_is_restored_alone(made, empty, clock, part, there, absent):
    restore(empty, made, part, clock, silent)
    assert (empty.data / there).is_dir()
    assert not (empty.data / absent).exists()


def test_a_part_may_be_restored_beside_the_other(made, empty, clock):
    restore(empty, made, "lanes", clock, silent)
    restore(empty, made, "centre", clock, silent)
    assert empty.state.exists()


@pytest.mark.parametrize("name", ["centre/state.db", "lanes/logs/outbox.db", "lanes/logs/snapshots/rules.snapshot"])
def test_a_changed_file_is_refused_before_anything_is_copied(made, empty, clock, name):
    content = bytearray((made / name).read_bytes())
    content[-1] ^= 1
    (made / name).write_bytes(content)
    with pytest.raises(IntegrityError, match=f"{made / name} is not what was backed up"):
        restore(empty, made, "all", clock, silent)
    assert names(empty.data) <= LOCKS


def test_a_missing_file_is_refused_by_name(made, empty, clock):
    (made / "lanes/logs/outbox.db").unlink()
    with pytest.raises(ContentError, match=r"is not whole: lanes/logs/outbox\.db is missing"):
        restore(empty, made, "all", clock, silent)
    assert not empty.data.exists()


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"time": 1, "files": {}, "format": 1', b"\xff"])
def test_without_its_list_of_contents_there_is_no_backup(made, empty, clock, content):
    (made / CONTENTS).unlink()
    if content is not None:
        (made / CONTENTS).write_bytes(content)
    with pytest.raises(ContentError, match=f"{made} holds no whole backup"):
        restore(empty, made, "all", clock, silent)
    assert not empty.data.exists()


def test_a_backup_of_another_format_is_refused(made):
    newer = msgspec.structs.replace(read_contents(made), format=2)
    (made / CONTENTS).write_bytes(msgspec.json.encode(newer))
    with pytest.raises(ContentError, match="has format 2, this version reads 1"):
        read_contents(made)


def test_after_a_refused_restore_another_one_may_follow(made, empty, clock):
    (empty.data / "centre").mkdir(parents=True)
    (empty.data / "centre" / "mine").write_text("precious")
    with pytest.raises(RefusedError, match="is not empty"):
        restore(empty, made, "all", clock, silent)
    (empty.data / "centre" / "mine").unlink()
    restore(empty, made, "all", clock, silent)


@pytest.mark.parametrize("place", ["centre", "lanes"])
def test_a_restore_over_data_is_refused_and_changes_nothing(made, empty, clock, place):
    (empty.data / place).mkdir(parents=True)
    (empty.data / place / "mine").write_text("precious")
    with pytest.raises(RefusedError, match=f"{empty.data / place} is not empty"):
        restore(empty, made, "all", clock, silent)
    assert names(empty.data) - LOCKS == {f"{place}/mine"}


def test_a_backup_into_a_folder_with_files_is_refused(filled, tmp_path, clock):
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(RefusedError, match="is not empty: name an empty folder"):
        back_up(filled, tmp_path, clock, silent)


def test_where_nothing_has_run_there_is_nothing_to_back_up(empty, tmp_path, clock):
    with pytest.raises(UnavailableError, match="there is no state database at"):
        back_up(empty, tmp_path / "none", clock, silent)
    assert not (tmp_path / "none" / CONTENTS).exists()


@pytest.fixture
def convert(filled):
    """Turns the segments that are there now into minute files, as the running lane does."""
    lane = filled.logs
    return lambda: EventWriter(lane / "events", decode_event).convert(segments(lane / "spool"))


@pytest.fixture
def restored(filled, tmp_path, clock):
    """Backs up and restores; the names of the backup's files and the ids of the restored events."""

    def look():
        back_up(filled, tmp_path / "backup", clock, silent)
        again = filled.model_copy(update={"data": tmp_path / "restored"})
        restore(again, tmp_path / "backup", "all", clock, silent)
        return names(tmp_path / "backup"), stored(again)

    return look


@pytest.mark.parametrize("which", [0, 1])
def test_segments_that_became_files_while_they_were_copied_are_copied_as_those(
    filled, clock, event, convert, restored, *, which, monkeypatch
):
    spool = Spool(filled.logs / "spool", clock)
    spool.open(encode_head(Ends(Tails(), Marks())))
    spool.append([encode_record(event(number), "") for number in range(30, 35)])
    spool.close()
    there, copy, copied = stored(filled), shutil.copyfile, []

    def converting(source, target, **options):
        if str(source).endswith(".spool"):
            if len(copied) == which:
                convert()
            copied.append(source)
        return copy(source, target, **options)

    monkeypatch.setattr(shutil, "copyfile", converting)
    files, events = restored()
    assert len(copied) == which + 1
    assert events == there
    assert not any(name.endswith(".spool") for name in files)


def test_a_segment_that_became_a_file_before_it_was_seen_is_not_left_out(filled, convert, restored, monkeypatch):
    there, looks = stored(filled), []

    def converting(folder):
        if not looks:
            convert()
        if folder == filled.logs / "spool":
            looks.append(folder)
        return segments(folder)

    monkeypatch.setattr(backup, "segments", converting)
    _, events = restored()
    assert events == there
    assert len(looks) == 2


def test_a_segment_that_is_a_file_already_and_not_yet_removed_is_not_copied(filled, convert, restored):
    there = stored(filled)
    (segment,) = segments(filled.logs / "spool")
    content = segment.read_bytes()
    convert()
    segment.write_bytes(content)  # as after a crash between the swap and the removal
    files, events = restored()
    assert events == there
    assert not any(name.endswith(".spool") for name in files)


@pytest.mark.parametrize("name", ["lanes/../../escaped", "centre/../../escaped"])
def test_a_name_that_leads_out_of_the_backup_is_refused(made, empty, tmp_path, clock, name):
    # From <backup> it leads to the folder beside, and from <data>/centre to where the data folder lies.
    inside = tmp_path / "deeper" / "data"
    shutil.copytree(made, tmp_path / "usb" / "backup")
    (tmp_path / "usb" / "escaped").write_bytes(b"x")
    contents = read_contents(made)
    files = {**contents.files, name: file_sha256(tmp_path / "usb" / "escaped")}
    changed = msgspec.json.encode(msgspec.structs.replace(contents, files=files))
    (tmp_path / "usb" / "backup" / CONTENTS).write_bytes(changed)
    with pytest.raises((ContentError, IntegrityError)):
        restore(empty.model_copy(update={"data": inside}), tmp_path / "usb" / "backup", "all", clock, silent)
    assert not (tmp_path / "deeper" / "escaped").exists()


def test_a_lane_that_never_stands_still_is_told_and_leaves_no_backup(filled, tmp_path, clock, monkeypatch):
    copy = shutil.copyfile

    def gone(source, target, **options):
        if str(source).endswith(".spool"):
            raise FileNotFoundError("it became a partition")
        return copy(source, target, **options)

    monkeypatch.setattr(shutil, "copyfile", gone)
    with pytest.raises(UnavailableError, match="keeps changing: try again"):
        back_up(filled, tmp_path / "backup", clock, silent)
    assert not (tmp_path / "backup" / CONTENTS).exists()


def test_what_was_put_beside_the_database_in_a_backup_changes_nothing(made, empty, tmp_path, clock):
    (made / "centre" / "state.db-wal").write_bytes(write_ahead_log(made / "centre" / "state.db", tmp_path / "forged"))
    try:
        restore(empty, made, "all", clock, silent)
    except (ContentError, IntegrityError):
        assert names(empty.data) <= LOCKS
    else:
        engine = read_state(empty.state)
        with engine.connect() as connection:
            found = [user.name for user in list_users(connection)]
        engine.dispose()
        assert found == ["admin"]


def test_a_segment_that_was_put_into_a_backup_is_refused_or_left_out(made, empty, clock):
    name = "lanes/logs/spool/00000000000000000001.spool"
    (made / name).write_bytes(b"not from here")
    try:
        restore(empty, made, "all", clock, silent)
    except (ContentError, IntegrityError):
        assert names(empty.data) <= LOCKS
    else:
        assert name not in names(empty.data)


def test_a_restore_beside_a_running_platform_is_refused(made, empty, clock):
    held = own_folder(empty.data, "platform")
    with pytest.raises(UnavailableError, match="another haidang runs with the data in"):
        restore(empty, made, "all", clock, silent)
    os.close(held)
    restore(empty, made, "all", clock, silent)


def test_anchors_come_back_into_the_folder_that_the_settings_name(made, empty, tmp_path, clock):
    kept = tmp_path / "kept-anchors"
    own = empty.model_copy(update={"centre": empty.centre.model_copy(update={"anchors": kept})})
    restore(own, made, "all", clock, silent)
    assert (kept / "latest.json").exists()
