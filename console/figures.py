"""The leader's figures and the wallboard: few numbers, each with its list, and none where nothing is known. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from functools import partial
from typing import NamedTuple

from console.clocks import overdue
from console.health import SHAPES, WORST_FIRST, is_serious, joint_health
from console.map import TileHealth, names
from console.overview import LOGS, Overview, SiteState
from console.reads import MOST_SEARCHED
from console.site_rows import REACHABLE, WATCHED, health_counts
from console.source_views import number
from console.views import SHAPES as SEVERITY_SHAPES
from core.incident import Incident
from core.records import Record, Severity
from core.sources import SourceState
from inventory.sorting import vietnamese_key

MOST_FIGURES = 10
MOST_WORST = 12
"""Provinces that are named beside the map."""

SERIOUS, RECENT, LATE = "serious", "new", "overdue"
LISTS = (SERIOUS, RECENT, LATE)
"""The lists of incidents behind figures, by the end of their address."""


class Figure(Record, frozen=True, kw_only=True):
    """One number with its words; ``value`` is empty while there is no data.

    Attributes:
        key: the end of its texts' keys.
        of: of how many, empty where it is a share of nothing.
        link: the list that it counts.
        action: what the reader must be allowed in order to see that list.
        mood: ``good``, ``bad`` or ``plain``.
    """

    key: str
    value: str
    of: str = ""
    link: str
    action: str
    mood: str = "plain"


class Worst(Record, frozen=True, kw_only=True):
    """A province with trouble; ``down`` and ``degraded`` are its sites that are so, of ``sites``."""

    code: str
    name: str
    health: str
    shape: str
    down: int
    degraded: int
    sites: int


class SeverityCount(Record, frozen=True, kw_only=True):
    """How many incidents of a severity are open."""

    severity: str
    shape: str
    count: str


class Facts(NamedTuple):
    """From what the figures are made; ``recent`` are the incidents of the last 24 hours, open or closed."""

    overview: Overview
    recent: Collection[Incident]
    now: int
    language: str


def leader_figures(facts: Facts) -> tuple[Figure, ...]:
    """At most ``MOST_FIGURES``, in the order in which they are read."""
    return (*_site_figures(facts), _source_figure(facts), *_incident_figures(facts), _province_figure(facts))


def worst_provinces(overview: Overview) -> list[Worst]:
    """The provinces with sites that are down or degraded, the worst first."""
    found = [_worst(code, states) for code, states in overview.by_province().items()]
    troubled = [one for one in found if one.down or one.degraded]
    return sorted(troubled, key=_badness)


def severity_counts(overview: Overview, language: str) -> list[SeverityCount]:
    """How many open incidents there are of each severity, the gravest first."""
    counts = Counter(one.severity for one in overview.incidents)
    return [
        SeverityCount(severity=each.value, shape=SEVERITY_SHAPES[each], count=_count(counts[each], language))
        for each in reversed(Severity)
    ]


def site_counts(overview: Overview, language: str) -> list[tuple[str, str, str]]:
    """How many sites are how, the worst first: health, its shape and the count."""
    counts = Counter(state.health for state in overview.sites)
    return [(health.value, SHAPES[health], number(counts[health], language)) for health in WORST_FIRST]


def silent_sources(overview: Overview) -> int | None:
    """How many log sources are silent; None while nothing holds that was told of them."""
    if LOGS not in overview.holding or not overview.told.sources:
        return None
    return sum(one.state is SourceState.SILENT for one in overview.told.sources)


def serious_incidents(overview: Overview) -> list[Incident]:
    """The open ones of severity high or above."""
    return [one for one in overview.incidents if is_serious(one.severity)]


def _site_figures(facts: Facts) -> tuple[Figure, ...]:
    overview, language = facts.overview, facts.language
    counts = health_counts(overview.sites)
    known, watched, reachable = counts[""], counts[WATCHED], counts[REACHABLE]
    has_told = any(overview.written.values())
    judged = known - counts[TileHealth.UNKNOWN.value]
    told = partial(number, language=language)
    return (
        _figure("sites", told(known) if known else "", "/sites", "inventory.read"),
        _figure(
            "watched",
            told(watched) if known and has_told else "",
            f"/sites?health={WATCHED}",
            "inventory.read",
            of=told(known),
            mood="plain",
        ),
        _figure(
            "reachable",
            told(reachable) if judged else "",
            f"/sites?health={REACHABLE}",
            "inventory.read",
            of=told(judged),
            mood="good" if reachable == judged else "bad",
        ),
    )


def _source_figure(facts: Facts) -> Figure:
    silent, total = silent_sources(facts.overview), len(facts.overview.told.sources)
    value = "" if silent is None else number(total - silent, facts.language)
    mood = "bad" if silent else "good"
    return _figure("sources", value, "/sources", "sources.read", of=number(total, facts.language), mood=mood)


def _incident_figures(facts: Facts) -> tuple[Figure, ...]:
    counts = {
        SERIOUS: len(serious_incidents(facts.overview)),
        RECENT: len(facts.recent),
        LATE: len(overdue(facts.overview.incidents, facts.now)),
    }
    moods = {SERIOUS: "bad" if counts[SERIOUS] else "good", RECENT: "plain", LATE: "bad" if counts[LATE] else "good"}
    return tuple(
        _figure(key, _count(counts[key], facts.language), f"/leader/{key}", "incident.read", mood=moods[key])
        for key in LISTS
    )


def _province_figure(facts: Facts) -> Figure:
    healths = [joint_health(state.health for state in one) for one in facts.overview.by_province().values()]
    watched = [health for health in healths if health is not TileHealth.UNKNOWN]
    troubled = sum(health is not TileHealth.UP for health in watched)
    return _figure(
        "provinces",
        number(troubled, facts.language) if watched else "",
        "/map",
        "sources.read",
        of=number(len(watched), facts.language),
        mood="bad" if troubled else "good",
    )


def _figure(key: str, value: str, link: str, action: str, of: str = "", mood: str = "plain") -> Figure:
    shown = {"of": of, "mood": mood} if value else {}
    return Figure(key=key, value=value, link=link, action=action, **shown)


def _count(count: int, language: str) -> str:
    return number(count, language) + ("+" if count >= MOST_SEARCHED else "")


def _worst(code: str, states: Collection[SiteState]) -> Worst:
    counts = Counter(state.health for state in states)
    health = joint_health(counts)
    return Worst(
        code=code,
        name=names()[code],
        health=health.value,
        shape=SHAPES[health],
        down=counts[TileHealth.DOWN],
        degraded=counts[TileHealth.DEGRADED],
        sites=len(states),
    )


def _badness(one: Worst) -> tuple[object, ...]:
    place = WORST_FIRST.index(TileHealth(one.health))
    return place, -one.down / one.sites, -one.degraded / one.sites, vietnamese_key(one.name)
