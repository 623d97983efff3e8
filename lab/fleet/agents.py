"""All agents at once: a datagram to an address in, the response out. No sockets here.

Responses are remembered for a tick (a second as a rule): for so long an agent shows the same counters, all read at the
tick's beginning, as real devices refresh theirs now and then. The request-id alone is put into a remembered response.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.clock import SECOND
from core.records import Record
from lab.fleet.ber import INTEGER, SEQUENCE, expect, read_integer, tlv
from lab.fleet.messages import (
    FRAME,
    GET_BULK,
    NO_ERROR,
    NO_SUCH_NAME,
    NOT_WRITABLE,
    RESPONSE,
    SET,
    TOO_BIG,
    V1,
    V3,
    Answer,
    Community,
    Pdu,
    around,
    pdu_around,
    read_community,
    request_id_place,
)
from lab.fleet.sector import Node
from lab.fleet.state import State, World
from lab.fleet.usm import Engine, Refusal, Security, User, engine_id, read_secured
from lab.fleet.view import Cell, Plans, View, Ways, view_of, ways_of

MEMO_BYTES = 32 * 1024 * 1024
"""Octets of requests and responses that are remembered at most; beyond it all are forgotten."""

_AN_ENTRY = 300
"""Octets that remembering takes beside the octets themselves."""

_WORDS, _SECURITY = 40, 150
"""Octets around the variables of a response: of version 1 and 2c without the community, and what version 3 adds."""

_EMPTY = tlv(SEQUENCE, b"")


class Secrets(Record, frozen=True, kw_only=True):
    """By what one may ask: a community of versions 1 and 2c, and a user of version 3."""

    community: str = "public"
    user: User | None = None


class Agent(NamedTuple):
    """One address at one tick: what it holds, the same for version 1, and the state its values come from."""

    view: View
    narrow: View
    state: State


class Agents:
    """The agents of a world, and saved walks at further addresses; ``tick`` is in nanoseconds."""

    def __init__(
        self, world: World, secrets: Secrets, walks: Mapping[bytes, View] | None = None, tick: int = SECOND
    ) -> None:
        self.world = world
        self.ignored = 0
        self._walks = dict(walks or {})
        self._community = secrets.community.encode()
        self._security = Security(secrets.user) if secrets.user else None
        self._tick = tick
        self._number = -1
        self._agents: dict[bytes, Agent | None] = {}
        self._views: dict[tuple[int, Ways], View] = {}
        self._memo: dict[tuple[bytes, bytes, bytes], tuple[bytes, bytes]] = {}
        self._held = 0
        self._plans = Plans()

    def answer(self, address: bytes, data: bytes, now: int, largest: int = 0) -> bytes | None:
        """The response of the agent at this address (four octets) to a datagram; None where it gives none.

        Args:
            address: where the datagram was sent to.
            data: the datagram; it may be anything.
            now: nanoseconds UTC.
            largest: octets of the largest response, where it is not what fits a frame.
        """
        if now // self._tick != self._number:
            self._turn(now)
        start, stop = request_id_place(data)
        found = None if largest else self._memo.get((address, data[:start], data[stop:]))
        if found is not None:
            return found[0] + data[start:stop] + found[1]
        try:
            return self._make(address, data, now, largest)
        except ValueError:
            self.ignored += 1
            return None

    def moment(self, now: int) -> int:
        """The time at which the values shown now were read."""
        return now - now % self._tick

    def _turn(self, now: int) -> None:
        self._number = now // self._tick
        self._agents.clear()
        self._forget()

    def _forget(self) -> None:
        self._memo.clear()
        self._held = 0

    def _make(self, address: bytes, data: bytes, now: int, largest: int) -> bytes | None:
        agent = self._agent(address)
        if agent is None:
            return None
        if _version(data) == V3:
            return self._secured(address, agent, data, (now, largest))
        message = read_community(data)
        if message.community != self._community:
            self.ignored += 1
            return None
        room = (largest or FRAME) - _WORDS - len(message.community)
        answer = self._answer(agent, message.version, message.pdu, room)
        if answer is None:
            return None
        before, after = around(message, answer)
        if not largest:
            self._remember((address, *_split(data, message)), (before, after))
        return before + message.pdu.request_id + after

    def _remember(self, key: tuple[bytes, bytes, bytes], response: tuple[bytes, bytes]) -> None:
        size = sum(map(len, (*key, *response))) + _AN_ENTRY
        if self._held + size > MEMO_BYTES:
            self._forget()
        self._memo[key] = response
        self._held += size

    def _secured(self, address: bytes, agent: Agent, data: bytes, limits: tuple[int, int]) -> bytes | None:
        if self._security is None:
            return None
        now, largest = limits
        message = read_secured(data)
        engine = self._engine(address, now)
        try:
            scoped = self._security.open(data, message, engine)
        except Refusal as refusal:
            return self._security.report(message, engine, refusal)
        response = self._scoped(address, agent, scoped.context, scoped.pdu, largest)
        return self._security.respond(message, engine, response) if response else None

    def _scoped(self, address: bytes, agent: Agent, context: bytes, pdu: Pdu, largest: int) -> bytes | None:
        """The scoped PDU that answers one; remembered as a response is."""
        key = (address, context + bytes((V3, pdu.tag, len(pdu.request_id))), pdu.rest)
        found = None if largest else self._memo.get(key)
        if found is None:
            room = (largest or FRAME) - _WORDS - _SECURITY - len(context)
            answer = self._answer(agent, V3, pdu, room)
            if answer is None:
                return None
            head, tail = pdu_around(RESPONSE, len(pdu.request_id), answer)
            found = (context + head, tail)
            if not largest:
                self._remember(key, found)
        return tlv(SEQUENCE, found[0] + pdu.request_id + found[1])

    def _answer(self, agent: Agent, version: int, pdu: Pdu, room: int) -> Answer | None:
        if pdu.tag == GET_BULK and version == V1:
            return None
        if pdu.tag == SET:
            return Answer(NO_SUCH_NAME if version == V1 else NOT_WRITABLE, 1, _asked(pdu))
        view = agent.narrow if version == V1 else agent.view
        cells = self._plans.of(view, pdu.tag, pdu.rest)
        if version == V1:
            missing = next((number for number, cell in enumerate(cells, 1) if not cell.found), 0)
            if missing:
                return Answer(NO_SUCH_NAME, missing, _asked(pdu))
        variables = _variables(cells, agent.state, room, bulk=pdu.tag == GET_BULK)
        if variables is None:
            return Answer(TOO_BIG, 0, _asked(pdu) if version == V1 else _EMPTY)
        return Answer(NO_ERROR, 0, variables)

    def _agent(self, address: bytes) -> Agent | None:
        if address not in self._agents:
            self._agents[address] = self._awake(address)
        return self._agents[address]

    def _awake(self, address: bytes) -> Agent | None:
        node = self.world.sector.by_address.get(address)
        moment = self._number * self._tick
        walk = self._walks.get(address)
        if walk is not None:
            return Agent(walk, walk, self.world.state(self.world.sector.nodes[0], moment))
        if node is None:
            return None
        state = self.world.state(node, moment)
        ways = ways_of(state)
        return Agent(self._view(node, ways), self._view(node, ways._replace(narrow=True)), state)

    def _view(self, node: Node, ways: Ways) -> View:
        key = (node.number, ways)
        if key not in self._views:
            self._views[key] = view_of(self.world, node, ways)
        return self._views[key]

    def _engine(self, address: bytes, now: int) -> Engine:
        node = self.world.sector.by_address.get(address)
        started, starts = self.world.boots(node, now) if node else (self.world.start, 1)
        return Engine(engine_id(address), starts, max(0, now - started) // SECOND)


def _version(data: bytes) -> int:
    start, stop = expect(data, 0, len(data), SEQUENCE)
    start, stop = expect(data, start, stop, INTEGER)
    return read_integer(data[start:stop])


def _split(data: bytes, message: Community) -> tuple[bytes, bytes]:
    """The datagram before and after the content of the request-id; checked to be where a quick look finds it."""
    start, stop = request_id_place(data)
    if data[start:stop] != message.pdu.request_id or data[stop:] != message.pdu.rest:
        return data, b"\0"  # another encoding than usual: a key that no look-up makes
    return data[:start], data[stop:]


def _variables(cells: tuple[Cell, ...], state: State, room: int, *, bulk: bool) -> bytes | None:
    """The list of variables, of a GETBULK as many as there is room for; None if they do not fit."""
    found: list[bytes] = []
    for cell in cells:
        encoded = cell.encode(state)
        room -= len(encoded)
        if room < 0:
            if bulk and found:
                break
            return None
        found.append(encoded)
    return tlv(SEQUENCE, b"".join(found))


def _asked(pdu: Pdu) -> bytes:
    """The request's own list of variables."""
    _, end = expect(pdu.rest, 0, len(pdu.rest), INTEGER)
    _, end = expect(pdu.rest, end, len(pdu.rest), INTEGER)
    start, stop = expect(pdu.rest, end, len(pdu.rest), SEQUENCE)
    return tlv(SEQUENCE, pdu.rest[start:stop])
