"""Random histories lead to the state of a simple model, and a replay adds no event."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select

from models import AllowedChannel, Channel, DropCampaign, Event
from pipeline.ingest.fetching import register
from tests.pipeline.builders import NOON, Json, campaign, drops
from tests.pipeline.world import SOURCES, take_in

GAME_OF = {"a": "7001", "b": "7001", "c": "7002", "d": "7002", "e": "7003", "f": "7003"}
ENDS = [NOON + timedelta(hours=1), NOON + timedelta(hours=4), NOON + timedelta(days=30)]
State = tuple[str, datetime, frozenset[str]]


@dataclass(frozen=True)
class Entry:
    """One campaign in a snapshot."""

    end: datetime
    channels: frozenset[int]

    def payload(self, key: str) -> Json:
        return campaign(key, game_id=GAME_OF[key], end=self.end, channels=sorted(self.channels), drops=[])


@dataclass(frozen=True)
class Step:
    """One snapshot: minutes since the one before, its campaigns, and whether it lists games without campaigns."""

    minutes: int
    listed: dict[str, Entry]
    shows_empty_groups: bool

    @property
    def empty_groups(self) -> list[str]:
        filled = {GAME_OF[key] for key in self.listed}
        return sorted(set(GAME_OF.values()) - filled) if self.shows_empty_groups else []

    def payload(self) -> bytes:
        return drops(*(entry.payload(key) for key, entry in self.listed.items()), empty_groups=self.empty_groups)


@dataclass
class Known:
    end: datetime
    channels: frozenset[int]
    state: str = "open"
    ended_at: datetime = NOON
    empty_lists: int = 0
    absences: list[datetime] = field(default_factory=list)


class Model:
    """A second, plain implementation of the rules of the design."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}

    def take_in(self, step: Step, at: datetime) -> None:
        were_open = [key for key, known in self.known.items() if known.state == "open"]
        if not step.listed and len(were_open) > 3:
            return
        for key, entry in step.listed.items():
            self._list(key, entry, at)
        for key in were_open:
            if key not in step.listed and GAME_OF[key] not in step.empty_groups:
                self._miss(self.known[key], at)

    def _list(self, key: str, entry: Entry, at: datetime) -> None:
        known = self.known.setdefault(key, Known(entry.end, entry.channels))
        extended = known.state == "ended" and entry.end > max(at, known.ended_at)
        if known.state == "withdrawn" or extended:
            known.state = "open"
        known.end = entry.end
        known.absences = []
        known.empty_lists = 0 if entry.channels or not known.channels else known.empty_lists + 1
        if entry.channels or known.empty_lists == 3:
            known.channels, known.empty_lists = entry.channels, 0

    def _miss(self, known: Known, at: datetime) -> None:
        if known.end <= at:
            known.state, known.ended_at = "ended", known.end
        elif not known.absences or at - known.absences[-1] >= timedelta(minutes=30):
            known.absences.append(at)
            if len(known.absences) == 3:
                known.state = "withdrawn"

    def states(self) -> dict[str, State]:
        return {
            f"camp-{key}": (known.state, known.end, frozenset(f"keeper{number}" for number in known.channels))
            for key, known in self.known.items()
        }


def states(connection: Connection) -> dict[str, State]:
    """Return the state of every campaign in the database, in the model's terms."""
    logins = (
        select(func.array_agg(Channel.login))
        .join(AllowedChannel, AllowedChannel.channel_id == Channel.id)
        .where(AllowedChannel.campaign_id == DropCampaign.id, AllowedChannel.last_seen_at.is_(None))
        .scalar_subquery()
    )
    query = select(
        DropCampaign.external_id, DropCampaign.ended_at, DropCampaign.withdrawn_at, DropCampaign.end_at, logins
    )
    return {
        key: ("ended" if ended_at else "withdrawn" if withdrawn_at else "open", end_at, frozenset(channels or ()))
        for key, ended_at, withdrawn_at, end_at, channels in connection.execute(query)
    }


def events(connection: Connection) -> Counter[tuple[str, int | None]]:
    """Count the events of each kind and campaign."""
    query = select(Event.kind, Event.campaign_id).where(Event.campaign_id.is_not(None))
    return Counter((kind, campaign_id) for kind, campaign_id in connection.execute(query))


ENTRIES = st.builds(Entry, end=st.sampled_from(ENDS), channels=st.frozensets(st.sampled_from([301, 302]), max_size=2))
LISTED: st.SearchStrategy[dict[str, Entry]] = st.one_of(
    st.dictionaries(st.sampled_from(sorted(GAME_OF)), ENTRIES, max_size=6),
    st.fixed_dictionaries(dict.fromkeys(GAME_OF, ENTRIES)),
    st.just({}),
)
STEPS = st.lists(st.builds(Step, st.integers(5, 75), LISTED, st.booleans()), min_size=2, max_size=8)
# Most histories are calm: the same list again and again, which no random choice of lists would give.
CALM = st.builds(lambda steps, times: [step for step in steps for _ in range(times)], STEPS, st.integers(2, 4))


def replay(connection: Connection, steps: Sequence[Step], model: Model | None = None) -> None:
    at = NOON
    for step in steps:
        at += timedelta(minutes=step.minutes)
        take_in(connection, step.payload(), at, silent=False)
        if model is not None:
            model.take_in(step, at)
            assert states(connection) == model.states()


@settings(
    max_examples=60,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.one_of(STEPS, CALM))
def test_any_history_leads_to_the_state_that_the_rules_say_and_its_replay_adds_nothing(
    engine: Engine, steps: list[Step]
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        register(connection, SOURCES, NOON)
        model = Model()
        replay(connection, steps, model)
        counted = events(connection)
        count = connection.scalar(select(func.count(Event.id)))

        replay(connection, steps)

        assert states(connection) == model.states()
        assert connection.scalar(select(func.count(Event.id))) == count
        added = {campaign_id: n for (kind, campaign_id), n in counted.items() if kind == "campaign.added"}
        assert sorted(added.values()) == [1] * len(model.known)
        transaction.rollback()
