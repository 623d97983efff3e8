"""Sends series to VictoriaMetrics or Prometheus by remote-write 1.0, from a spool on disk.

Requests go one by one in the order in which they were made, so a series is never out of order. Each arrives at least
once: a receiver that was killed gets again what it may not have written. VictoriaMetrics keeps what came twice unless
it is started with ``-dedup.minScrapeInterval=1ms``; Prometheus refuses it, which is counted as ``repeated``.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock
from typing import Any, NamedTuple

import httpx
import pyarrow as pa

from core.clock import Clock
from core.errors import HaidangError, SettingsError, UnavailableError
from core.records import Record
from core.remote_write_queue import RequestQueue, Waiting
from core.remote_write_wire import Encoder

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between tries; each pause is twice the one before."""

IDLE = 0.5
"""Seconds until the spool is looked at again when nothing waits."""

MOST_BYTES = 2 << 30
SECONDS = 30.0
"""How long an answer may take."""

_WORDS = 300
_HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_KNOWN_WORDS = ("out of order", "duplicate sample")
_TRY_AGAIN = {401, 403, 429}
"""Answers below 500 that say nothing about the request itself: who we are is refused, or it is too much now."""

_log = logging.getLogger("haidang.remote_write")


class Receiver(Record, frozen=True, kw_only=True):
    """Where series are sent.

    Attributes:
        url: for instance ``http://127.0.0.1:8428/api/v1/write``.
        token: file with a bearer token.
        authorities: PEM file of who may have signed the receiver's certificate; the system's where there is none.
    """

    url: str
    token: Path | None = None
    authorities: Path | None = None


class _Reconnects(httpx.TransportError):
    """A connection that was kept is gone: the receiver may have died and come back unseen."""


class _Outcome(NamedTuple):
    """What became of a request.

    Attributes:
        again: whether it has to be sent again.
        died: whether the receiver may have died.
        words: what was said of what went wrong; empty if nothing did.
        pause: seconds that the receiver asks for.
    """

    again: bool = False
    died: bool = False
    words: str = ""
    pause: float = 0


class RemoteWrite:
    """Takes rows from one thread and sends them from another.

    ``sent``, ``dropped`` (the receiver refused them), ``repeated``, ``overflowed`` and ``late`` count samples;
    ``words`` is what the receiver or the network said last of what went wrong.
    """

    def __init__(self, queue: RequestQueue, encoder: Encoder, receiver: Receiver, client: httpx.Client) -> None:
        self._queue = queue
        self._encoder = encoder
        self._receiver = receiver
        self._client = client
        self._lock = Lock()
        self._pause = 0.0
        self._expects = True
        self.sent = self.dropped = self.repeated = 0
        self.words = ""

    @property
    def overflowed(self) -> int:
        """Samples that were let go because the disk's bound was reached, or are damaged there."""
        return self._queue.overflowed

    @property
    def late(self) -> int:
        """Samples that came behind a later one of their series."""
        return self._encoder.late

    def waiting(self) -> int:
        """Samples that the receiver has never acknowledged."""
        with self._lock:
            return self._queue.waiting()

    def append(self, batches: Mapping[str, pa.Table | Mapping[str, Sequence[Any]]]) -> None:
        """Takes rows as they are given to the series store; they are on disk when this returns.

        Raises:
            UnavailableError: the disk is full or failing.
        """
        for request in self._encoder.encode(batches):
            with self._lock:
                self._queue.append(request)

    def step(self) -> float:
        """Sends one request, if there is one; returns for how many seconds to wait before the next step.

        Raises:
            UnavailableError: the disk is full or failing.
            IntegrityError: a part of what waits is damaged; the next step goes on after it.
        """
        with self._lock:
            waiting = self._queue.next()
        if waiting is None:
            return IDLE
        try:
            outcome = self._send(waiting)
        except _Reconnects:
            with self._lock:
                self._queue.rewind()
            self._expects = True
            return 0
        with self._lock:
            if outcome.again:
                return self._failed(outcome)
            self._pause = 0
            self._taken(waiting, outcome)
            self._queue.done()
        return 0

    def run(self, stop: Event) -> None:
        """Sends until it is told to stop; what its disk refuses is said once, and sending goes on after a pause."""
        while not stop.is_set():
            try:
                pause = self.step()
            except HaidangError as error:
                pause = self._failed(_Outcome(again=True, words=str(error)))
            stop.wait(pause)

    def close(self) -> None:
        """Notes how far it came and closes the client; what was not sent is sent by the next process.

        Raises:
            UnavailableError: the disk is full or failing; what was sent since the last note is sent again.
        """
        self._client.close()
        with self._lock:
            self._queue.close()

    def _send(self, waiting: Waiting) -> _Outcome:
        try:
            answer = self._client.post(
                self._receiver.url,
                content=waiting.request.body,
                headers=_HEADERS | authorization(self._receiver),
                extensions={"trace": self._trace},
            )
        except _Reconnects:
            raise
        except (httpx.RequestError, UnavailableError) as error:
            self._expects = True
            return _Outcome(again=True, died=True, words=str(error) or type(error).__name__)
        # A receiver that says it will close the connection is alive.
        self._expects = answer.headers.get("Connection", "").lower() == "close"
        if answer.is_success:
            return _Outcome()
        again = not answer.is_client_error or answer.status_code in _TRY_AGAIN
        words = f"{answer.status_code}: {' '.join(answer.text[:_WORDS].split())}"
        return _Outcome(again, answer.is_server_error, words, _retry_after(answer))

    def _trace(self, name: str, _: object) -> None:
        if name == "connection.connect_tcp.started" and not self._expects:
            raise _Reconnects("the connection is gone")

    def _failed(self, outcome: _Outcome) -> float:
        self._say(outcome.words)
        if outcome.died:
            self._queue.rewind()
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        return max(self._pause, min(outcome.pause, LONGEST_PAUSE))

    def _taken(self, waiting: Waiting, outcome: _Outcome) -> None:
        samples = waiting.request.samples
        if not outcome.words:
            self.sent += 0 if waiting.again else samples
            self.repeated += samples if waiting.again else 0
        elif waiting.again or any(words in outcome.words.lower() for words in _KNOWN_WORDS):
            # Requests go in order and whole: one that is behind what the receiver has is one that it has.
            self.repeated += samples
        else:
            self.dropped += samples
            self._say(f"{samples} samples refused: {outcome.words}")

    def _say(self, words: str) -> None:
        if words != self.words:
            _log.warning("remote-write to %s: %s", self._receiver.url, words)
        self.words = words


def authorization(receiver: Receiver) -> dict[str, str]:
    """The header that says who we are; the token is read each time, so a renewed one is used at once.

    Raises:
        UnavailableError: its file cannot be read, or is not ASCII.
    """
    return {} if receiver.token is None else {"Authorization": f"Bearer {_secret(receiver.token)}"}


def open_client(receiver: Receiver) -> httpx.Client:
    """A client for this receiver, which asks nobody's environment for a proxy.

    Raises:
        SettingsError: a certificate cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=receiver.authorities)
    except OSError as error:
        raise SettingsError(f"remote-write to {receiver.url}: a certificate cannot be used: {error}") from error
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
    return httpx.Client(verify=context, limits=limits, timeout=SECONDS, trust_env=False)


def open_remote_write(
    folder: Path, clock: Clock, receiver: Receiver, unit_of: Callable[[str], str], most_bytes: int = MOST_BYTES
) -> RemoteWrite:
    """Remote-write from a spool in this folder; ``unit_of`` tells whose a site is.

    Raises:
        SettingsError: a certificate cannot be used.
        UnavailableError: the folder cannot be written.
        IntegrityError: the position in it cannot be read.
    """
    queue = RequestQueue(folder, clock, most_bytes)
    return RemoteWrite(queue, Encoder(unit_of), receiver, open_client(receiver))


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(f"{path}: cannot be read as a token in ASCII: {error}") from error


def _retry_after(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else 0
