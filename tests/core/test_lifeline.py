from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from core.lifeline import LIFELINE, READY, hold, ready

PROGRAM = "import signal; from core.lifeline import hold, ready; hold(); ready(); signal.pause()"


def start(held, told):
    environment = os.environ | {LIFELINE: str(held), READY: str(told)}
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, pass_fds=(held, told))


@pytest.fixture
def pipes():
    held, hand = os.pipe()
    ear, told = os.pipe()
    yield held, hand, ear, told
    for descriptor in (held, hand, ear, told):
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test has closed it


def test_a_process_ends_when_its_supervisor_is_gone(pipes):
    held, hand, ear, told = pipes
    process = start(held, told)
    try:
        os.close(told)
        assert os.read(ear, 100) == b"ready\n"
        assert process.poll() is None
        os.close(hand)
        assert process.wait(timeout=30) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()


def test_a_process_that_died_before_it_was_up_says_nothing(pipes):
    _, _, ear, told = pipes
    os.close(told)
    assert os.read(ear, 100) == b""


def test_without_a_supervisor_nothing_happens(monkeypatch):
    monkeypatch.delenv(LIFELINE, raising=False)
    monkeypatch.delenv(READY, raising=False)
    hold()
    ready()
    assert LIFELINE not in os.environ


def test_a_process_says_once_that_it_is_up_and_its_children_do_not(pipes, monkeypatch):
    _, _, ear, told = pipes
    monkeypatch.setenv(READY, str(told))
    ready()
    ready()
    assert os.read(ear, 100) == b"ready\n"
    assert os.read(ear, 100) == b""


def test_nobody_waiting_for_the_word_is_no_error(pipes, monkeypatch):
    _, _, ear, told = pipes
    os.close(ear)
    monkeypatch.setenv(READY, str(told))
    ready()
    assert READY not in os.environ
