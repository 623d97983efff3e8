"""How a supervisor and its processes know of each other: two pipes, named in the environment.

``HAIDANG_LIFELINE``: the reading end of a pipe that the supervisor holds open; its end means the supervisor is gone,
even by kill -9. ``HAIDANG_READY``: the writing end of a pipe into which a process says that it is up.
"""

from __future__ import annotations

import contextlib
import os
import signal
from threading import Thread

LIFELINE = "HAIDANG_LIFELINE"
READY = "HAIDANG_READY"


def hold() -> None:
    """Ends this process by SIGTERM when the supervisor is gone; does nothing where there is none."""
    descriptor = os.environ.pop(LIFELINE, "")
    if descriptor:
        Thread(target=_wait, args=(int(descriptor),), name="lifeline", daemon=True).start()


def ready() -> None:
    """Says that this process is up."""
    descriptor = os.environ.pop(READY, "")
    if descriptor:
        with contextlib.suppress(BrokenPipeError):  # nobody waits for a process that was started again
            os.write(int(descriptor), b"ready\n")
        os.close(int(descriptor))


def _wait(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
