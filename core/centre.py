"""The client of the centre's API, for the console and the command line: HTTP over a Unix socket.

Every change goes through it; what is only read is read from the state database.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx

from core.errors import NotFoundError, RefusedError, UnavailableError

ACTOR_HEADER = "X-Haidang-Actor"
PATIENCE = 30.0
LONG_PATIENCE = 300.0
"""Seconds that an answer may take."""
_LONG = ("rules.", "inventory.", "requests.")
"""An action on rules is answered once thousands of them are in use, one on the inventory once all its rows are compared
and entered in the audit chain; approving does what was asked for."""

_REFUSED = {400: RefusedError, 401: RefusedError, 403: RefusedError, 404: NotFoundError, 409: RefusedError}


class CentreClient:
    """Calls one action of the centre at a time; may be shared by threads.

    Args:
        socket: path of the centre's Unix socket.
        token: the console's token, with which it may act for the users signed in to it. Without one the centre
            takes the caller for the user that its local account is mapped to.
    """

    def __init__(self, socket: Path, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._socket = socket
        transport = httpx.HTTPTransport(uds=str(socket))
        self._http = httpx.Client(transport=transport, base_url="http://centre", headers=headers)

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        """Does the action (``incidents.acknowledge``, ``users.add`` ...) and returns its answer.

        Raises:
            RefusedError: the action is not allowed, or the state of its object forbids it.
            NotFoundError: its object is not there or not the actor's to see.
            UnavailableError: the centre does not answer.
        """
        headers = {ACTOR_HEADER: actor} if actor else {}
        if self._is_absent():  # httpcore leaves open the socket with which it finds nothing
            raise UnavailableError(self._why_not())
        try:
            answer = self._http.post(f"/api/{action}", json=values, headers=headers, timeout=_patience(action))
        except httpx.HTTPError as error:
            raise UnavailableError(self._why_not()) from error
        if answer.status_code in _REFUSED:
            raise _REFUSED[answer.status_code](_reason(answer))
        if answer.is_error:
            failed = f"the centre failed at {action}: see its log"
            raise UnavailableError(_reason(answer, failed))
        return answer.json()

    def _is_absent(self) -> bool:
        try:
            return not self._socket.exists()
        except PermissionError:  # a folder above it may not be entered
            return True

    def _why_not(self) -> str:
        try:
            forbidden = self._socket.exists() and not os.access(self._socket, os.W_OK)
        except PermissionError:  # a folder above it may not be entered
            forbidden = True
        if forbidden:
            return f"this account may not use {self._socket}: see [centre.accounts] and centre.socket in haidang.toml"
        return "the centre does not answer: is 'haidang up' running with these settings?"

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()


def _patience(action: str) -> float:
    return LONG_PATIENCE if action.startswith(_LONG) else PATIENCE


def _reason(answer: httpx.Response, otherwise: str = "") -> str:
    """The centre's own words; a defect of it has none."""
    try:
        return str(answer.json()["reason"])
    except (ValueError, KeyError, TypeError):
        return otherwise or f"the centre refused ({answer.status_code})"
