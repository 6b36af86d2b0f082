"""Says what a target would have been sent and when, by the same decisions that senders make. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from notifiers.timing.deciding import Drop, Muted, Waiting, decide
from notifiers.timing.settings import TargetSettings


@dataclass(frozen=True, kw_only=True)
class PastEvent:
    """An event that a target's subscriptions want, as it would have waited; `due_at` is when it may go at the earliest.

    `over_at` is when the stream that it is about ended.
    """

    event_id: int
    waiting: Waiting
    due_at: datetime
    over_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PastMute:
    """A mute: of a game, or of everything."""

    game_key: str | None
    begins_at: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What would have become of an event: the number of its message and when that was sent, or why it was dropped.

    `held_for` is what it waited for last. One that would wait still has neither a message nor a reason; `at` is then
    until when.
    """

    event_id: int
    at: datetime
    message: int | None = None
    reason: str | None = None
    held_for: str | None = None


def rehearse(
    settings: TargetSettings,
    zone: tzinfo,
    events: Iterable[PastEvent],
    mutes: Sequence[PastMute],
    *,
    most: int,
    now: datetime,
) -> list[Outcome]:
    """Return what would have become of events until now, in their order; `most` go into one message.

    A target is sent to as soon as something is due; nothing fails.
    """
    queue = sorted(events, key=lambda event: (event.due_at, event.event_id))
    outcomes: dict[int, Outcome] = {}
    messages = 0
    while queue and (at := min(event.due_at for event in queue)) <= now:
        due = sorted((e for e in queue if e.due_at <= at), key=lambda event: (event.due_at, event.event_id))[:most]
        burst = [event.waiting.created_at for event in queue if event.waiting.created_at <= at]
        decided = {e.event_id: outcome for e, outcome in _decided(settings, zone, at, due, mutes, burst)}
        messages += any(not isinstance(outcome, PastEvent) and outcome.reason is None for outcome in decided.values())
        for event_id, outcome in decided.items():
            if isinstance(outcome, Outcome):
                outcomes[event_id] = outcome if outcome.reason else replace(outcome, message=messages)
        held = {key: outcome for key, outcome in decided.items() if isinstance(outcome, PastEvent)}
        queue = [held.get(e.event_id, e) for e in queue if e.event_id in held or e.event_id not in decided]
    for event in queue:
        outcomes[event.event_id] = Outcome(event_id=event.event_id, at=event.due_at, held_for=event.waiting.held_for)
    return [outcomes[key] for key in sorted(outcomes)]


def _decided(
    settings: TargetSettings,
    zone: tzinfo,
    at: datetime,
    due: Iterable[PastEvent],
    mutes: Iterable[PastMute],
    burst: Sequence[datetime],
) -> Iterator[tuple[PastEvent, Outcome | PastEvent]]:
    """Yield each event with what becomes of it, or as it waits on."""
    muted = {mute.game_key: Muted(mute.begins_at, mute.until) for mute in mutes if mute.begins_at <= at < mute.until}
    for event in due:
        waiting = replace(event.waiting, is_over=_is_past(event.over_at, at))
        decision = decide(settings, zone, at, waiting, muted=muted, burst=burst)
        outcome = Outcome(event_id=event.event_id, at=at, held_for=waiting.held_for)
        if decision is None:
            yield event, outcome
        elif isinstance(decision, Drop):
            yield event, replace(outcome, reason=decision.reason)
        else:
            # Never back: a burst that is over in the past is over now.
            until = max(decision.until, at + timedelta(microseconds=1))
            yield event, replace(event, waiting=replace(event.waiting, held_for=decision.reason), due_at=until)


def _is_past(over_at: datetime | None, at: datetime) -> bool:
    return over_at is not None and over_at <= at
