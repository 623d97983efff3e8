"""What hostile and poor agents do, over UDP."""

from __future__ import annotations

import time
from typing import Any

import pytest

from collectors.snmp.failures import Failure
from collectors.snmp.gets import Fetch
from collectors.snmp.readings import Tally
from collectors.snmp.session import Version
from collectors.snmp.sizes import Sizes

ROOT = "1.3.6.1.4.1.99999.7.1"
OIDS = [f"{ROOT}.{n}" for n in range(1, 101)]
UPTIME = {"1.3.6.1.2.1.1.3.0": ("ticks", 100)}
VALUES = {oid: ("int", number) for number, oid in enumerate(OIDS)} | UPTIME
EXPECTED = {oid: number for number, oid in enumerate(OIDS)}


async def fetched(session, sizes: Sizes | None = None, oids: list[str] = OIDS) -> tuple[Any, dict[str, Any], Tally]:
    tally = Tally()
    fetch = Fetch(session, sizes or Sizes(), tally, time.monotonic_ns)
    failure = await fetch.run(oids)
    fetch.values.pop("1.3.6.1.2.1.1.3.0", None)
    return failure, fetch.values, tally


def test_all_values_come(sync, made_agent):
    async def asked():
        async with made_agent(dict(VALUES)) as (_, session):
            return await fetched(session)

    failure, values, tally = sync(asked())
    assert (failure, values) == (None, EXPECTED)
    assert (tally.varbinds, tally.requests, tally.errors) == (100, 2, 0)


@pytest.mark.parametrize("most", [7, 30, 59])
def test_a_device_that_answers_few_at_once_is_asked_for_few(sync, made_agent, most):
    async def asked():
        async with made_agent(dict(VALUES)) as (agent, session):
            agent.most, sizes = most, Sizes()
            first = await fetched(session, sizes)
            second = await fetched(session, sizes)
            return first, second, sizes

    (failure, values, first), (_, _, second), sizes = sync(asked())
    assert (failure, values) == (None, EXPECTED)
    assert first.too_big > 0
    assert second.too_big == 0
    assert most // 2 <= sizes.size <= most


def test_a_device_that_is_silent_to_big_requests_is_asked_for_few(sync, made_agent):
    async def asked():
        async with made_agent(dict(VALUES), timeout=0.1) as (agent, session):
            agent.most, agent.silent_if_big = 25, True
            return await fetched(session)

    failure, values, tally = sync(asked())
    assert (failure, values) == (None, EXPECTED)
    assert tally.timeouts > 0


def test_an_answer_that_is_cut_short_is_completed(sync, made_agent):
    async def asked():
        async with made_agent(dict(VALUES)) as (agent, session):
            agent.most, agent.truncates, sizes = 25, True, Sizes()
            return await fetched(session, sizes), sizes.size

    (failure, values, tally), size = sync(asked())
    assert (failure, values) == (None, EXPECTED)
    assert tally.truncated > 0
    assert size == 25


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_what_is_not_there_is_counted_and_hinders_nothing(sync, made_agent, version):
    gone = {OIDS[0], OIDS[40], OIDS[59], OIDS[99]}

    async def asked():
        values = {oid: value for oid, value in VALUES.items() if oid not in gone}
        async with made_agent(values, version) as (_, session):
            sizes = Sizes()
            return await fetched(session, sizes), sizes.size

    (failure, values, tally), size = sync(asked())
    assert (failure, values) == (None, {oid: value for oid, value in EXPECTED.items() if oid not in gone})
    assert tally.missing == 4
    assert size == 60


def test_a_device_that_has_nothing_of_it_is_not_too_big(sync, made_agent):
    async def asked():
        async with made_agent(dict(UPTIME)) as (agent, session):
            return await fetched(session), agent.requests

    (failure, values, tally), requests = sync(asked())
    assert (failure, values, tally.missing) == (None, {}, 100)
    assert len(requests) == 4


@pytest.mark.parametrize("lost", [1, 2])
def test_lost_datagrams_are_asked_for_again(sync, made_agent, lost):
    async def asked():
        async with made_agent(dict(VALUES), timeout=0.1) as (agent, session):
            agent.drops, sizes = lost, Sizes()
            return await fetched(session, sizes), sizes.size

    (failure, values, tally), size = sync(asked())
    assert (failure, values, tally.timeouts) == (None, EXPECTED, lost)
    assert size == 60


def test_a_dead_device_costs_three_questions(sync, made_agent):
    async def asked():
        async with made_agent(dict(VALUES), timeout=0.05) as (agent, session):
            agent.dead = True
            return await fetched(session), agent.requests

    (failure, values, _), requests = sync(asked())
    assert (failure, values) == (Failure.SILENT, {})
    assert [count for _, count in requests] == [60, 1, 1]


def test_a_device_that_dies_in_the_middle_is_given_up(sync, made_agent):
    async def asked():
        async with made_agent(dict(VALUES), timeout=0.05) as (agent, session):
            agent.on_request = lambda number: setattr(agent, "dead", number > 1)
            return await fetched(session)

    failure, values, tally = sync(asked())
    assert failure is Failure.SILENT
    assert len(values) == 60
    assert tally.timeouts <= 12


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_walk_gives_the_rows_in_order_and_ends(sync, made_agent, version):
    async def asked():
        async with made_agent(dict(VALUES), version) as (_, session):
            return await session.walk(ROOT, 1000), await session.walk(f"{ROOT}.200", 10)

    walked, empty = sync(asked())
    assert dict(walked.rows) == EXPECTED
    assert (walked.duplicates, walked.disordered, walked.cut) == (0, False, False)
    assert empty.rows == []


def test_a_walk_that_does_not_go_on_is_given_up(sync, made_agent):
    async def asked():
        async with made_agent(dict(VALUES)) as (agent, session):
            agent.backwards = True
            return await session.walk(ROOT, 1000), len(agent.requests)

    walked, requests = sync(asked())
    assert [oid for oid, _ in walked.rows] == [OIDS[0]]
    assert (walked.disordered, walked.duplicates, requests) == (True, 1, 1)


def test_a_walk_of_too_many_rows_is_cut(sync, made_agent):
    async def asked():
        async with made_agent(dict(VALUES)) as (_, session):
            return await session.walk(ROOT, 50)

    walked = sync(asked())
    assert (len(walked.rows), walked.cut) == (50, True)


def test_what_is_not_snmp_is_told_as_such(sync, garbage_agent):
    assert sync(garbage_agent()) is Failure.MALFORMED


def test_a_late_answer_is_not_taken_for_the_next_question(sync, made_agent):
    async def asked():
        async with made_agent(dict(VALUES), timeout=0.05) as (agent, session):
            agent.lag = 0.07
            late = await session.get(OIDS[:3])
            agent.lag = 0.0
            return late, await session.get(OIDS[5:8])

    late, right = sync(asked())
    assert late is Failure.SILENT
    assert right == {oid: EXPECTED[oid] for oid in OIDS[5:8]}
