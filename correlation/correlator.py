"""The correlator: hits in, alerts out, amended or withdrawn as evidence arrives.

Steps of one update:
    1. each hit joins the tracks of the rules that take it, by its group;
    2. each touched (rule, group) is judged over its whole track, children before the rules that refer to them;
    3. what differs from the alerts told before is told: amended ones, and those that became part of another;
    4. tracks that nothing can join any more are forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from core.records import Alert, Record
from correlation.evidence import build_alert
from correlation.rules import CorrelationRule
from correlation.tracks import MOST_HITS, Track
from correlation.windows import Episode, Firing, count_firings, episodes, ordered_firings

Group = tuple[str, ...]
_MOST_TRACKS = 200_000


class Changes(Record, frozen=True, kw_only=True):
    """What an update changed: alerts new or amended, and ids of alerts that are no more."""

    amended: tuple[Alert, ...]
    withdrawn: tuple[str, ...]


class Correlator:
    """Holds the windows of all rules.

    Args:
        rules: those to which others refer first.
        lateness: how late an event may come and still count, nanoseconds.
    """

    def __init__(self, rules: Sequence[CorrelationRule], lateness: int) -> None:
        self._rules = {rule.info.id: rule for rule in rules}
        self._lateness = lateness
        self._takers: dict[str, list[CorrelationRule]] = defaultdict(list)
        for rule in rules:
            for step in dict.fromkeys(rule.steps):
                self._takers[step].append(rule)
        self._tracks: dict[tuple[str, Group, str], Track] = {}
        self._firings: dict[tuple[str, Group], list[Firing]] = {}
        self._told: dict[tuple[str, Group], dict[str, Alert]] = {}
        self.evicted = 0

    def update(self, hits: Iterable[Alert], now: int) -> Changes:
        """Takes hits that arrived at ``now`` (nanoseconds) and tells what has changed by them."""
        touched = {key for hit in hits for key in self._take(hit, now)}
        amended: list[Alert] = []
        withdrawn: list[str] = []
        for rule in self._rules.values():
            for group in sorted(group for identity, group in touched if identity == rule.info.id):
                changed, gone = self._judge(rule, group)
                amended += changed
                withdrawn += gone
                touched |= {(parent.info.id, group) for parent in self._parents(rule)}
        self._forget(now)
        return Changes(amended=tuple(amended), withdrawn=tuple(withdrawn))

    def _take(self, hit: Alert, now: int) -> list[tuple[str, Group]]:
        keys = []
        for rule in self._takers.get(hit.rule, ()):
            group = group_of(rule, hit)
            track = self._tracks.setdefault((rule.info.id, group, hit.rule), Track())
            track.add(hit, now, max(MOST_HITS, 4 * rule.threshold))
            track.forget_before(track.newest - self._reach(rule))
            keys.append((rule.info.id, group))
        return keys

    def _judge(self, rule: CorrelationRule, group: Group) -> tuple[list[Alert], list[str]]:
        firings = self._fire(rule, group)
        self._firings[rule.info.id, group] = firings
        if rule.info.signal:
            return [], []
        alerts = [self._alert(rule, group, episode) for episode in episodes(firings, rule.span)]
        before = self._told.get((rule.info.id, group), {})
        self._told[rule.info.id, group] = now_told = {alert.id: alert for alert in alerts}
        changed = [alert for alert in alerts if before.get(alert.id) != alert]
        return changed, [identity for identity in before if identity not in now_told]

    def _fire(self, rule: CorrelationRule, group: Group) -> list[Firing]:
        if rule.kind == "count":
            times = sorted(firing.at for step in rule.steps for firing in self._moments(rule, group, step))
            return count_firings(times, rule.span, rule.threshold)
        return ordered_firings([self._moments(rule, group, step) for step in rule.steps], rule.span)

    def _moments(self, rule: CorrelationRule, group: Group, step: str) -> list[Firing]:
        if (step, group) in self._firings and self._rules[step].group_by:
            return self._firings[step, group]
        track = self._tracks.get((rule.info.id, group, step))
        return [Firing(time, time) for time in track.times()] if track else []

    def _alert(self, rule: CorrelationRule, group: Group, episode: Episode) -> Alert:
        tracks = [track for step in rule.steps for track in self._evidence_tracks(rule, group, step)]
        hits = {hit.id: hit for track in tracks for hit in track.within(episode.start, episode.end)}
        left_out = sum(track.left_out for track in tracks)
        names = rule.group_by or rule.info.object
        return build_alert(rule, dict(zip(names, group, strict=True)), list(hits.values()), left_out)

    def _evidence_tracks(self, rule: CorrelationRule, group: Group, step: str) -> list[Track]:
        own = self._tracks.get((rule.info.id, group, step))
        if own is not None:
            return [own]
        child = self._rules.get(step)
        if child is None:
            return []
        return [track for inner in child.steps for track in self._evidence_tracks(child, group, inner)]

    def _parents(self, rule: CorrelationRule) -> list[CorrelationRule]:
        if not rule.group_by:
            return []  # hits of plain rules reach those that take them directly
        return [parent for parent in self._takers.get(rule.info.id, ()) if parent is not rule]

    def _reach(self, rule: CorrelationRule) -> int:
        parents = [self._reach(parent) for parent in self._parents(rule)]
        return rule.span * 2 + self._lateness + max(parents, default=0)

    def _forget(self, now: int) -> None:
        """A track is over when nothing has joined it for as long as anything could."""
        over = [key for key, track in self._tracks.items() if track.touched < now - self._reach(self._rules[key[0]])]
        excess = len(self._tracks) - len(over) - _MOST_TRACKS
        if excess > 0:
            oldest = sorted(self._tracks, key=lambda key: self._tracks[key].touched)[:excess]
            self.evicted += len(oldest)
            over += oldest
        for key in over:
            self._tracks.pop(key, None)
            self._firings.pop(key[:2], None)
            self._told.pop(key[:2], None)


def group_of(rule: CorrelationRule, hit: Alert) -> Group:
    """The values by which the rule groups this hit."""
    if not rule.group_by:
        return tuple(value for _, value in hit.object)
    return tuple(_value(hit, name) for name in rule.group_by)


def _value(hit: Alert, name: str) -> str:
    if name in {"site", "device", "unit"}:
        return str(getattr(hit, name))
    value = hit.fields.get(name)
    return "" if value is None else str(value)
