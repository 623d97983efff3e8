"""The correlator: hits in, alerts out, amended or withdrawn as evidence arrives.

Steps of one update:
    1. each hit joins the cases of the rules that take it, by its group;
    2. each touched case is judged over all its hits, children before the rules that refer to them;
    3. what differs from the alerts told before is told: amended ones, and those that became part of another;
    4. what no hit within the lateness can change any more is settled: its hits go, the alerts stay as they were told,
       and of an episode that goes on the first and last hits and their number are kept;
    5. cases that nothing can join any more are forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import nsmallest

from core.clock import MINUTE
from core.names import canonical
from core.records import Alert, Logsource, Record
from correlation.evidence import build_alert, order
from correlation.rules import CorrelationRule
from correlation.tracks import MOST_HITS, Case, Cut, Track
from correlation.windows import Episode, Firing, count_firings, episodes, ordered_firings

Group = tuple[str, ...]
Key = tuple[str, Group]
"""A rule's id and the group: what a case is of."""

MOST_CASES = 200_000


class Changes(Record, frozen=True, kw_only=True):
    """What an update changed: alerts new or amended, and ids of alerts that are no more."""

    amended: tuple[Alert, ...]
    withdrawn: tuple[str, ...]


class Correlator:
    """Holds the windows of all rules.

    Args:
        rules: those to which others refer first.
        lateness: how far behind the latest hit of its group, in event time, a hit may be and still count in the
            windows of others, nanoseconds. One that is later is judged by itself.
    """

    def __init__(self, rules: Sequence[CorrelationRule], lateness: int) -> None:
        self._rules = {rule.info.id: rule for rule in rules}
        self._lateness = lateness
        self._takers: dict[str, list[CorrelationRule]] = defaultdict(list)
        for rule in rules:
            for step in dict.fromkeys(rule.steps):
                if not (rule.plain and rule.info.signal):  # a plain signal is never told, and its takers get its hits
                    self._takers[step].append(rule)
        self._needs = {rule.info.id: self._need(rule) for rule in rules}
        self._reaches = {rule.info.id: self._reach(rule) for rule in rules}
        self._cases: dict[Key, Case] = {}
        self._newest = 0
        self._look_again = 0
        self.evicted = 0

    def update(self, hits: Iterable[Alert], now: int) -> Changes:
        """Takes hits that arrived at ``now`` (nanoseconds) and tells what has changed by them."""
        touched = self._take(hits, now)
        amended: list[Alert] = []
        withdrawn: list[str] = []
        for key in touched:
            changed, gone = self._judge(key)
            amended += changed
            withdrawn += gone
        for key in reversed(touched):  # parents first, for they fold hits that their children then drop
            self._settle(key, now)
        self._forget(now)
        return Changes(amended=tuple(amended), withdrawn=tuple(withdrawn))

    def _take(self, hits: Iterable[Alert], now: int) -> list[Key]:
        """The keys of the cases that the hits touch, children before parents."""
        touched: dict[str, set[Group]] = defaultdict(set)
        for hit in hits:
            self._newest = max(self._newest, min(hit.start, now))
            for rule in self._takers.get(hit.rule, ()):
                group = group_of(rule, hit)
                tracks = self._cases.setdefault((rule.info.id, group), Case()).tracks
                tracks.setdefault(hit.rule, Track()).add(hit)
                touched[rule.info.id].add(group)
        for identity, rule in self._rules.items():
            for parent in self._parents(rule):
                touched[parent.info.id] |= touched.get(identity, set())
        keys = [(identity, group) for identity in self._rules for group in sorted(touched.get(identity, ()))]
        for key in keys:
            self._cases.setdefault(key, Case()).touched = now
        return keys

    def _judge(self, key: Key) -> tuple[list[Alert], list[str]]:
        rule, case = self._rules[key[0]], self._cases[key]
        case.firings = self._fire(rule, key[1])
        if rule.info.signal:
            return [], []
        known = [Firing(*case.folded.episode)] if case.folded else []
        case.episodes = episodes([*case.firings, *known], rule.span)
        alerts = [self._alert(rule, key[1], episode) for episode in case.episodes]
        before, case.told = case.told, {alert.id: alert for alert in alerts}
        changed = [alert for alert in alerts if before.get(alert.id) != alert]
        return changed, [identity for identity in before if identity not in case.told]

    def _fire(self, rule: CorrelationRule, group: Group) -> list[Firing]:
        if rule.kind == "count":
            moments = sorted(
                (firing for step in rule.steps for firing in self._moments(rule, group, step)), reverse=True
            )
            began = {firing.at: firing.start for firing in moments}
            times = sorted(firing.at for firing in moments)
            found = count_firings(times, rule.span, rule.threshold)
            return [Firing(began[firing.start], firing.at) for firing in found]
        return ordered_firings([self._moments(rule, group, step) for step in rule.steps], rule.span)

    def _moments(self, rule: CorrelationRule, group: Group, step: str) -> list[Firing]:
        if self._is_child(rule, step):
            child = self._cases.get((step, group))
            return child.firings if child else []
        track = self._cases[rule.info.id, group].tracks.get(step)
        return [Firing(time, time) for time in track.times()] if track else []

    def _alert(self, rule: CorrelationRule, group: Group, episode: Episode) -> Alert:
        folded = self._cases[rule.info.id, group].folded_in(episode)
        hits = [*(folded.hits if folded else ()), *self._hits(rule, group, episode)]
        names = rule.info.object if rule.plain else rule.group_by
        values = dict(zip(names, group, strict=True))
        return (
            build_alert(rule, values, hits, folded.left_out, folded.places)
            if folded
            else build_alert(rule, values, hits, 0)
        )

    def _hits(self, rule: CorrelationRule, group: Group, episode: Episode) -> list[Alert]:
        """The hits of the episode that are not folded; what a rule has folded its children may still hold."""
        case = self._cases[rule.info.id, group]
        folded = case.folded_in(episode)
        hits = {
            hit.id: hit
            for holder, track in self._tracks(rule, group)
            for hit in track.within(episode.start, episode.end)
            if folded is None or holder is rule or order(hit) >= case.cut
        }
        return list(hits.values())

    def _tracks(self, rule: CorrelationRule, group: Group) -> list[tuple[CorrelationRule, Track]]:
        """All tracks that are evidence of this rule, with the rules that hold them."""
        case = self._cases.get((rule.info.id, group))
        found = [(rule, track) for track in case.tracks.values()] if case else []
        for step in rule.steps:
            if self._is_child(rule, step):
                found += self._tracks(self._rules[step], group)
        return found

    def _settle(self, key: Key, now: int) -> None:
        rule, case = self._rules[key[0]], self._cases[key]
        tracks = self._tracks(rule, key[1])
        case.newest = max(case.newest, *(track.newest for _, track in tracks))
        settled: Cut = (min(case.newest, now) - self._lateness - self._needs[key[0]], "")
        overflow = [track.overflow(max(MOST_HITS, 4 * holder.threshold)) for holder, track in tracks]
        cut = max(case.cut, settled, *overflow)
        episode = case.across(cut)
        case.settle(cut, self._hits(rule, key[1], episode) if episode else ())

    def _is_child(self, rule: CorrelationRule, step: str) -> bool:
        """Whether the step is a correlation, of which firings count; of a plain rule the hits do."""
        return not rule.plain and step in self._rules and not self._rules[step].plain

    def _parents(self, rule: CorrelationRule) -> list[CorrelationRule]:
        return [] if rule.plain else self._takers.get(rule.info.id, [])

    def _depth(self, rule: CorrelationRule) -> int:
        """How far before a firing its evidence may begin."""
        children = [self._depth(self._rules[step]) for step in rule.steps if self._is_child(rule, step)]
        return rule.span + max(children, default=0)

    def _need(self, rule: CorrelationRule) -> int:
        """How far before a new hit the hits lie that this rule, or one that refers to it, needs."""
        return max([self._depth(rule), *map(self._need, self._parents(rule))])

    def _reach(self, rule: CorrelationRule) -> int:
        """How long after its last hit a case may be needed; a child longer than its parents."""
        return self._lateness + 2 * self._need(rule) + max(map(self._reach, self._parents(rule)), default=0)

    def _forget(self, now: int) -> None:
        """A case is over when all others, by the clock and in event time, are past what it could join."""
        if now < self._look_again and len(self._cases) <= MOST_CASES:
            return
        self._look_again = now + MINUTE
        for key, case in list(self._cases.items()):
            reach = self._reaches[key[0]]
            if case.touched < now - reach and case.newest < self._newest - reach:
                del self._cases[key]
        if len(self._cases) > MOST_CASES:
            self._evict(len(self._cases) - MOST_CASES * 9 // 10)

    def _evict(self, count: int) -> None:
        """Under a flood of groups the longest untouched go, with the parents that would miss them."""
        for key in nsmallest(count, self._cases, key=lambda key: self._cases[key].touched):
            self._evict_family(key)

    def _evict_family(self, key: Key) -> None:
        self.evicted += self._cases.pop(key, None) is not None
        for parent in self._parents(self._rules[key[0]]):
            self._evict_family((parent.info.id, key[1]))


def group_of(rule: CorrelationRule, hit: Alert) -> Group:
    """The values by which the rule groups this hit; a plain rule's group is its object."""
    if rule.plain:
        values = dict(hit.object)
        return tuple(values.get(name, "") for name in rule.info.object)
    return tuple(_value(hit, name) for name in rule.group_by)


def _value(hit: Alert, name: str) -> str:
    if name in {"site", "device", "unit"}:
        return str(getattr(hit, name))
    value = hit.fields.get(canonical(name, Logsource()))
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)
