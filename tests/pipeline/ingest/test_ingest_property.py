"""Random histories lead to the state of a simple model, and a replay adds no event."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select, update

from models import AllowedChannel, Channel, DropCampaign, Event, Source
from pipeline.ingest.fetching import register
from tests.examples import examples
from tests.pipeline.builders import NOON, Json, campaign, drops
from tests.pipeline.world import SOURCES, take_in

GAME_OF = {key: game for game, keys in {"7001": "abc", "7002": "def", "7003": "ghi"}.items() for key in keys}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
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
    # When sound answers missed it, as far as they counted; in how many doubted answers, and since when.
    absences: list[datetime] = field(default_factory=list)
    doubts: int = 0
    doubted_since: datetime = NOON

    def missing_for_long(self, at: datetime) -> bool:
        return bool(self.absences) and at - self.absences[0] >= 2 * HOUR


class Model:
    """A second, plain implementation of the rules of the design."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.came_back_after = timedelta(0)

    @property
    def patience(self) -> timedelta:
        """No history here is longer than some days, so everything that came back counts."""
        if not self.came_back_after:
            return 2 * HOUR
        return min(max(DAY, 3 * self.came_back_after), 7 * DAY)

    def take_in(self, step: Step, at: datetime) -> None:
        were_open = {key: known for key, known in self.known.items() if known.state == "open"}
        expected = [key for key, known in were_open.items() if not known.missing_for_long(at)]
        nothing = not step.listed and len(expected) > 3
        missing = {key: known for key, known in were_open.items() if key not in step.listed}
        in_no_empty_group = {key: known for key, known in missing.items() if GAME_OF[key] not in step.empty_groups}
        may_be_lost = missing if nothing else in_no_empty_group
        vanished = [known for key, known in may_be_lost.items() if key in expected and (nothing or known.end > at)]
        shrunken = len(vanished) > 5 and len(vanished) > 0.3 * len(expected)
        recovering = any(self.known[key].doubts for key in step.listed if key in self.known)
        for key, entry in step.listed.items():
            self._list(key, entry, at)
        for known in () if nothing else in_no_empty_group.values():
            if known.end <= at:
                known.state, known.ended_at, known.doubts = "ended", known.end, 0
        if nothing or shrunken:
            self._doubt([known for known in vanished if not known.absences], at, nothing, recovering)
        else:
            for known in in_no_empty_group.values():
                self._miss(known, at)

    def _list(self, key: str, entry: Entry, at: datetime) -> None:
        known = self.known.setdefault(key, Known(entry.end, entry.channels))
        if known.absences and (known.state == "open" or len(known.absences) == 3):
            self.came_back_after += at - known.absences[0]
        extended = known.state == "ended" and entry.end > max(at, known.ended_at)
        if known.state == "withdrawn" or extended:
            known.state = "open"
        known.end = entry.end
        known.absences, known.doubts = [], 0
        known.empty_lists = 0 if entry.channels or not known.channels else known.empty_lists + 1
        if entry.channels or known.empty_lists == 3:
            known.channels, known.empty_lists = entry.channels, 0

    def _miss(self, known: Known, at: datetime) -> None:
        if known.state != "open":
            return
        known.doubts = 0
        counts = not known.absences or at - known.absences[-1] >= HOUR / 2
        if counts and len(known.absences) < 3:
            known.absences.append(at)
        if len(known.absences) == 3 and at - known.absences[0] >= self.patience:
            known.state = "withdrawn"

    def _doubt(self, doubted: list[Known], at: datetime, nothing: bool, recovering: bool) -> None:
        same = not recovering and all(known.doubts for known in doubted)
        for known in doubted:
            known.doubts = known.doubts + 1 if same else 1
            known.doubted_since = known.doubted_since if same else at
            lasted = at - known.doubted_since
            if known.doubts >= 3 and lasted >= max(self.patience, 3 * DAY if nothing else 2 * HOUR):
                known.absences, known.doubts = [known.doubted_since] * 3, 0
                known.state, known.ended_at = ("ended" if known.end <= at else "withdrawn"), known.end

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
    st.dictionaries(st.sampled_from(sorted(GAME_OF)), ENTRIES, max_size=9),
    st.fixed_dictionaries(dict.fromkeys(GAME_OF, ENTRIES)),
    st.just({}),
)
STEPS = st.lists(st.builds(Step, st.integers(5, 75), LISTED, st.booleans()), min_size=2, max_size=8)
# Most histories are calm: the same list again and again, which no random choice of lists would give.
CALM = st.builds(lambda steps, times: [step for step in steps for _ in range(times)], STEPS, st.integers(2, 5))


def replay(connection: Connection, steps: Sequence[Step], model: Model | None = None) -> None:
    at = NOON
    for step in steps:
        at += timedelta(minutes=step.minutes)
        take_in(connection, step.payload(), at, silent=False)
        if model is not None:
            model.take_in(step, at)
            assert states(connection) == model.states()


@settings(
    max_examples=examples(60),
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.one_of(STEPS, CALM))
def test_any_history_leads_to_the_state_that_the_rules_say_and_its_replay_adds_nothing(
    engine: Engine, steps: list[Step]
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        register(connection, SOURCES, NOON)
        connection.execute(update(Source).values(known_since=NOON - 30 * DAY))
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
