"""Fetch a source that is due: claim it, ask it with no transaction open, store its answer, set its next due time.

A lock of a session says that a source is being fetched, and ends with the process that fetches it. The row says that a
fetch has begun (`lease_until`): where nobody holds the lock any more, that fetch came to nothing, and counts as a
failure. The fence keeps out one that takes the lock for its own still.
"""

import contextlib
import gc
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from models import FetchRun, Source
from models.due import CLOCK_TOLERANCE, is_impossible
from models.events import EventKind
from models.locks import AT_ONCE, LockKey, lock_key, row_key, rows_locked
from pipeline.database.lease import NOTICED_WITHIN, GaveWay, Lease, LeaseLost, Slowness
from pipeline.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from pipeline.events.append import append_events
from pipeline.fetch.http import LONGEST_RETRY_AFTER, Client
from pipeline.fetch.shapes import digest
from pipeline.ingest import service_time
from pipeline.ingest.quarantine import keep_aside
from pipeline.ingest.snapshots import Context, ingest, ingest_unchanged
from pipeline.ingest.source import Answer, Fetchable, Ingested, Outcome, PolledSource, RoundSource, Validators
from pipeline.ingest.staleness import source_event
from pipeline.ingest.turn import lock_source

# Longer than any fetch may take (its task's time limit); what a row says, the lock decides.
LEASE = timedelta(minutes=5)
# Of a fetch that asks for page after page, or number after number: a process that holds them all may be killed.
MOST_BYTES = 64 * 2**20
FIRST_RETRY = timedelta(seconds=60)
LONGEST_RETRY = timedelta(hours=1)
# One failed fetch has tried three times; the second in a row is worth a message.
FAILURES_TO_TELL = 2
# A process dies for many reasons, and its source is asked again at once; so often in a row the source is the reason.
DEATHS_TO_BACK_OFF = 3
# Far more than a service takes that is well.
SLOW_AFTER = timedelta(seconds=10)
_LOCK = "lootwire source"
_GAVE_WAY: Outcome = "gave way"
# How long the last fetch of a source took; one that gave way would have taken longer than it may.
_LAST_SECONDS = (
    select(case((FetchRun.outcome == _GAVE_WAY, literal(math.inf)), else_=FetchRun.seconds))
    .where(FetchRun.source_id == Source.id)
    .order_by(FetchRun.started_at.desc())
    .limit(1)
    .scalar_subquery()
)
# How far ahead a source's due time can be: its pace, or where it fails what a service may ask for.
_PACE = func.make_interval(0, 0, 0, 0, 0, 0, func.greatest(Source.refresh_seconds, FIRST_RETRY.total_seconds()))
_FURTHEST = case((Source.consecutive_failures > 0, literal(LONGEST_RETRY_AFTER)), else_=_PACE)


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """How a fetch went; `next_due_at` is when the source is asked again."""

    source: str
    outcome: str
    seconds: float
    next_due_at: datetime
    items: int = 0
    changed: int = 0
    events: Counter[str] = Counter()
    error: str | None = None


def register(
    connection: Connection, sources: Sequence[PolledSource], now: datetime, *, on_demand: Collection[str] = ()
) -> None:
    """Make sure that every source has its row; a new one is due at once.

    Those that exist `on_demand`, by name, are on while they are among the sources, and off while they are not.
    """
    known = dict(connection.execute(select(Source.name, Source.enabled)).all())
    listed = {source.name for source in sources}
    rows = [{"name": s.name, "service": s.service, "next_due_at": now} for s in sources if s.name not in known]
    if rows:
        connection.execute(upsert(Source).values(rows).on_conflict_do_nothing())
    differing = [name for name in on_demand if name in known and known[name] is not (name in listed)]
    for enabled, names in ((True, listed.intersection(differing)), (False, set(differing) - listed)):
        if names:
            connection.execute(update(Source).where(Source.name.in_(names)).values(enabled=enabled))


def due(connection: Connection, now: datetime, *, by: datetime | None = None) -> list[str]:
    """Return the names of the sources that are due, or were by an earlier time, and are not being fetched."""
    waiting = select(Source.name).where(_is_due(now, by), Source.id.not_in(rows_locked(_LOCK)))
    return list(connection.scalars(waiting.order_by(Source.next_due_at)))


def count_leased(connection: Connection) -> int:
    """Return how many sources are being fetched."""
    return connection.scalar(select(func.count()).select_from(rows_locked(_LOCK).subquery())) or 0


def source_lock(source_id: int) -> LockKey:
    """Return the lock that says that a source is being fetched."""
    return row_key(_LOCK, source_id)


def slow_locks(host: str, fetchers: int) -> Sequence[LockKey]:
    """Return the locks of fetches that take long, on a host with so many processes: one is left for quick ones."""
    return [lock_key(f"lootwire slow fetch {number} on {host}") for number in range(fetchers - 1)]


def fetch_source(
    engine: Engine,
    source: Fetchable,
    now: Callable[[], datetime],
    *,
    patience: timedelta = AT_ONCE,
    cut_off: type[Exception] | tuple[()] = (),
    slow: Sequence[LockKey] = (),
    slow_after: timedelta = SLOW_AFTER,
) -> Fetched | None:
    """Fetch one source if it is due, and neither it nor another of the service that it asks is being fetched.

    Returns None when there was nothing to do. `now` gives the present moment, in UTC. Another fetch is waited for as
    long as the `patience`. `cut_off` is the error by which the caller's time limit ends what runs for too long.

    Whatever takes longer than `slow_after`, or did so last time, needs one of the locks `slow`, if there are any: where
    none is free, the source waits for its turn, and stays due.

    Failures of the service are settled, not raised: the source then has its error and the time of its next attempt.
    """
    with engine.connect() as connection:
        known = select(Source.id, _LAST_SECONDS).where(Source.name == source.name, _is_due(now()))
        row = connection.execute(known).one_or_none()
    if row is None:
        return None
    source_id, last_seconds = row
    keys = [source_lock(source_id), lock_key(f"lootwire service {source.asks}")]
    was_slow = last_seconds is not None and last_seconds >= slow_after.total_seconds()
    slowness = Slowness(slow, slow_after, is_expected=was_slow and bool(slow))
    with Lease(engine, keys, patience, slowness) as lease:
        if not lease.held:
            return None
        claimed = _claim(engine, source.name, now())
        if claimed is None and _settle_the_dead(engine, source, now):
            claimed = _claim(engine, source.name, now())
        if claimed is None:
            return None
        fetched = _run(_Run(engine, source, claimed, now), source, claimed, lease, cut_off)
    if fetched is None or fetched.error:
        # What could not be read hangs on its error, and that on itself: tenacity keeps both.
        gc.collect()
    return fetched


def _run(
    run: "_Run", source: Fetchable, claimed: RowMapping, lease: Lease, cut_off: type[Exception] | tuple[()]
) -> Fetched | None:
    validators = Validators(etag=claimed["etag"], last_modified=claimed["last_modified"], cursor=claimed["cursor"])
    try:
        return _carry_out(run, source, validators, lease)
    except LeaseLost:
        run.let_go()
        raise
    except GaveWay as error:
        run.give_way(str(error))
        return None
    except Exception as error:
        if _is_behind(error, cut_off):
            reason = f"its fetch was cut off after {run.seconds:.0f} s, its time limit"
            return run.settle_failure(SourceUnavailable(reason))
        if _is_away(error):
            # Not the source's fault.
            run.let_go()
        else:
            run.blame_us(error)
        raise
    except BaseException:
        # A person's Ctrl-C, a worker that is to end.
        run.let_go()
        raise


def _is_behind(error: BaseException | None, kinds: type[Exception] | tuple[()]) -> bool:
    """Whether an error is of these kinds or came of one: what interrupts a query looks like a fault of the database."""
    while error is not None and not isinstance(error, kinds):
        error = error.__cause__ or error.__context__
    return error is not None


def _is_away(error: Exception) -> bool:
    return isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def _carry_out(run: "_Run", source: Fetchable, validators: Validators, lease: Lease) -> Fetched | None:
    try:
        with lease.interrupting(), Client(in_all=MOST_BYTES) as client:
            answer = source.fetch(client, validators)
        return run.settle_answer(answer, answered_at=client.answered_at)
    except SourceError as error:
        return run.settle_failure(error)


def _settle_the_dead(engine: Engine, source: Fetchable, now: Callable[[], datetime]) -> bool:
    """Count a fetch that has begun and that nobody carries out any more as a failure; returns whether there was one.

    Needs the source's lock.
    """
    with engine.connect() as connection:
        if connection.scalar(select(Source.lease_until).where(Source.name == source.name)) is None:
            return False
    # It may live, and have lost its connection only: it then settles, or knows by now that the source is not its own.
    time.sleep(NOTICED_WITHIN.total_seconds())
    with engine.begin() as connection:
        row = lock_source(connection, source.name)
        if row["lease_until"] is None:
            return True
        began_at = min(row["lease_until"] - LEASE, now())
        run = _Run(engine, source, row, now, began_at=began_at)
        death = SourceUnavailable(
            "its last fetch came to nothing: the process was killed, by a time limit or for want of memory, or the "
            "database was away"
        )
        deaths = row["consecutive_failures"] + 1
        rest = _retry_in(deaths - DEATHS_TO_BACK_OFF + 1, death) if deaths >= DEATHS_TO_BACK_OFF else timedelta(0)
        run.write_failure(connection, row, death, rest=rest)
        return True


def _claim(engine: Engine, name: str, now: datetime) -> RowMapping | None:
    claim = (
        update(Source)
        .values(
            lease_until=now + LEASE,
            fence=Source.fence + 1,
            # A snapshot of the future, which a clock that ran ahead wrote, would make all that come now old ones.
            last_snapshot_at=case(
                (Source.last_snapshot_at > now + CLOCK_TOLERANCE, now), else_=Source.last_snapshot_at
            ),
        )
        .where(Source.name == name, _is_due(now), Source.lease_until.is_(None))
        .returning(*Source.__table__.c)
    )
    with engine.begin() as connection:
        return connection.execute(claim).mappings().one_or_none()


def _is_due(now: datetime, by: datetime | None = None) -> ColumnElement[bool]:
    is_due = or_(Source.next_due_at <= (by or now), is_impossible(Source.next_due_at, now, _FURTHEST))
    return and_(Source.enabled, is_due)


class _Run:
    """One fetch on its way from the answer to the rows; the fence keeps out one that took too long."""

    def __init__(
        self,
        engine: Engine,
        source: Fetchable,
        claimed: RowMapping,
        now: Callable[[], datetime],
        *,
        began_at: datetime | None = None,
    ) -> None:
        self._engine = engine
        self._source = source
        self._fence = claimed["fence"]
        self._now = now
        self._started_at = began_at or now()
        # Of a run that another process began, only the clock knows how long it has taken.
        self._started = time.monotonic() - min(now() - self._started_at, LEASE).total_seconds()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._started

    def settle_answer(self, answer: Answer, *, answered_at: datetime | None) -> Fetched | None:
        """Store an answer; raises `SourceChanged`, with nothing stored, if it cannot be read.

        `answered_at` is when its service sent it, by its own clock. A flood of news is stored in parts, each with its
        events: killed in between, the fetch is made again, and goes on.
        """
        events, changed = Counter[str](), 0
        while isinstance(settled := self._settle_once(answer, answered_at, events, changed), Ingested):
            events, changed = events + settled.events, changed + settled.changed
        return settled

    def _settle_once(
        self, answer: Answer, answered_at: datetime | None, events: Counter[str], changed: int
    ) -> Fetched | Ingested | None:
        """Store an answer, or a part of it, in one transaction; `events` and `changed` are those of earlier parts."""
        with self._engine.begin() as connection:
            row = lock_source(connection, self._source.name)
            if row["fence"] != self._fence:
                return None
            now = self._now()
            service_time.note(connection, self._source.asks, answered_at, now)
            ingested, snapshot_at = _take_in(connection, self._source, row, answer, now)
            if ingested.is_part:
                return ingested
            ingested = _added_up(ingested, events, changed)
            recovered = _tell_recovered(connection, row, now)
            next_due_at = now + (answer.refresh_after or FIRST_RETRY)
            believed = ingested.outcome != "quarantined"
            whole = believed and all(reason != "too_many_invalid" for reason, _ in ingested.quarantined)
            connection.execute(
                update(Source)
                .where(Source.id == row["id"])
                .values(
                    next_due_at=next_due_at,
                    lease_until=None,
                    # An answer that was not believed as a whole is asked for again in full, not compared with.
                    etag=answer.validators.etag if whole else None,
                    last_modified=answer.validators.last_modified if whole else None,
                    cursor=dict(answer.validators.cursor),
                    refresh_seconds=answer.refresh_after.total_seconds() if answer.refresh_after else None,
                    consecutive_failures=0,
                    failing_since=None,
                    last_success_at=now,
                    first_fetched_at=row["first_fetched_at"] or (now if believed else None),
                    last_snapshot_digest=digest(answer.payload) if answer.payload else row["last_snapshot_digest"],
                )
            )
            if believed and row["changed_since"] is None:
                connection.execute(update(Source).where(Source.id == row["id"]).values(last_error=None))
            fetched = self._fetched(ingested, next_due_at, recovered)
            size = len(answer.payload) if answer.payload is not None else 0
            self._record(connection, row["id"], fetched, size=size, snapshot_at=snapshot_at, invalid=ingested.invalid)
        return fetched

    def settle_failure(self, error: SourceError) -> Fetched | None:
        """Write down that the fetch failed, tell the operator where it is worth it, and say when to try again."""
        with self._engine.begin() as connection:
            row = lock_source(connection, self._source.name)
            if row["fence"] != self._fence:
                return None
            return self.write_failure(connection, row, error)

    def write_failure(
        self, connection: Connection, row: RowMapping, error: SourceError, *, rest: timedelta | None = None
    ) -> Fetched:
        """Do so in the caller's turn; the source rests for as long as failures have it, or for this `rest`."""
        now = self._now()
        failures = row["consecutive_failures"] + 1
        if isinstance(error, SourceRefused):
            failures = max(failures, FAILURES_TO_TELL)
        next_due_at = now + (_retry_in(failures, error) if rest is None else rest)
        events = _tell_failure(connection, row, error, failures=failures, now=now, next_due_at=next_due_at)
        changed_since = row["changed_since"] or (now if isinstance(error, SourceChanged) else None)
        connection.execute(
            update(Source)
            .where(Source.id == row["id"])
            .values(
                next_due_at=next_due_at,
                lease_until=None,
                # A worker that took the fetch for its own, and was slow only, must not store after this.
                fence=Source.fence + 1,
                consecutive_failures=failures,
                failing_since=row["failing_since"] or now,
                changed_since=changed_since,
                last_error=str(error),
            )
        )
        ingested = Ingested(outcome="failed", events=events)
        fetched = self._fetched(ingested, next_due_at, Counter(), error=str(error))
        self._record(connection, row["id"], fetched)
        return fetched

    def blame_us(self, error: Exception) -> None:
        """Settle a fault of ours like any failure, for it would come again and again, and nobody would know."""
        try:
            # Its text may hold anything.
            self.settle_failure(SourceUnavailable(f"a fault in Lootwire ({type(error).__name__}); see the log"))
        except SQLAlchemyError:
            self.let_go()

    def let_go(self) -> None:
        """Give the source back after something that is not the service's fault; it is due again soon."""
        mine = update(Source).where(Source.name == self._source.name, Source.fence == self._fence)
        # With the database gone so is the lock, and the first error is the one to report.
        with contextlib.suppress(SQLAlchemyError), self._engine.begin() as connection:
            connection.execute(mine.values(lease_until=None, next_due_at=self._now() + FIRST_RETRY))

    def give_way(self, reason: str) -> None:
        """Leave the source due, and write down how long it took so far: next time it waits for its turn."""
        with self._engine.begin() as connection:
            row = lock_source(connection, self._source.name)
            if row["fence"] == self._fence:
                connection.execute(update(Source).where(Source.id == row["id"]).values(lease_until=None))
                ingested = Ingested(outcome=_GAVE_WAY)
                fetched = self._fetched(ingested, row["next_due_at"], Counter(), error=reason)
                self._record(connection, row["id"], fetched)

    def _fetched(
        self, ingested: Ingested, next_due_at: datetime, recovered: Counter[str], error: str | None = None
    ) -> Fetched:
        return Fetched(
            source=self._source.name,
            outcome=ingested.outcome,
            seconds=round(self.seconds, 3),
            next_due_at=next_due_at,
            items=ingested.items,
            changed=ingested.changed,
            events=ingested.events + recovered,
            error=error or "; ".join(detail for _, detail in ingested.quarantined[:3]) or None,
        )

    def _record(
        self,
        connection: Connection,
        source_id: int,
        fetched: Fetched,
        *,
        size: int | None = None,
        snapshot_at: datetime | None = None,
        invalid: int = 0,
    ) -> None:
        connection.execute(
            insert(FetchRun).values(
                source_id=source_id,
                started_at=self._started_at,
                seconds=fetched.seconds,
                outcome=fetched.outcome,
                snapshot_at=snapshot_at,
                size=size,
                items=fetched.items,
                changed=fetched.changed,
                invalid=invalid,
                events=fetched.events.total(),
                error=fetched.error,
            )
        )


def _take_in(
    connection: Connection, source: Fetchable, row: RowMapping, answer: Answer, now: datetime
) -> tuple[Ingested, datetime]:
    """Ingest an answer; returns also the moment that it is taken to describe."""
    taken_at = _taken_at(row, answer, now)
    if taken_at is None:
        # An answer that was doubted is doubted still when the service gives it again.
        return Ingested(outcome="quarantined" if row["changed_since"] else "unchanged"), row["last_snapshot_at"]
    if isinstance(source, RoundSource):
        return source.take_in(connection, row, answer, taken_at), taken_at
    context = Context(
        connection=connection,
        adapter=source,
        source=row,
        payload=answer.payload or b"",
        taken_at=taken_at,
        now=now,
        silent=row["first_fetched_at"] is None,
        origin=source.name,
    )
    if answer.payload is None:
        return ingest_unchanged(context), taken_at
    return ingest(context, source.split(answer.payload)), taken_at


def _added_up(ingested: Ingested, events: Counter[str], changed: int) -> Ingested:
    if not changed:
        return ingested
    outcome = "ok" if ingested.outcome == "unchanged" else ingested.outcome
    return msgspec.structs.replace(
        ingested, outcome=outcome, changed=ingested.changed + changed, events=ingested.events + events
    )


def _taken_at(row: RowMapping, answer: Answer, now: datetime) -> datetime | None:
    """Return the moment an answer describes, by the service's clock where that is known; None for one seen before."""
    last, taken_at = row["last_snapshot_at"], answer.taken_at
    if taken_at is None or taken_at > now + CLOCK_TOLERANCE:
        return now
    if last is None or taken_at > last:
        return taken_at
    seen_before = answer.payload is None or digest(answer.payload) == row["last_snapshot_digest"]
    return None if seen_before else max(now, last + timedelta(microseconds=1))


def _retry_in(failures: int, error: SourceError) -> timedelta:
    backoff: timedelta = min(FIRST_RETRY * 2.0 ** min(failures - 1, 10), LONGEST_RETRY)
    # Spread, so that many installations do not come back to a service in the same second.
    backoff *= random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
    requested = error.retry_after if isinstance(error, SourceUnavailable) else None
    return max(backoff, requested or timedelta(0))


def _tell_failure(
    connection: Connection, row: RowMapping, error: SourceError, *, failures: int, now: datetime, next_due_at: datetime
) -> Counter[str]:
    kinds = []
    if isinstance(error, SourceChanged):
        if error.payload:
            keep_aside(
                connection,
                row["id"],
                error.payload,
                reason="unreadable",
                detail=str(error),
                origin=row["name"],
                now=now,
            )
        if row["changed_since"] is None:
            kinds.append(EventKind.SOURCE_CHANGED)
    elif row["consecutive_failures"] < FAILURES_TO_TELL <= failures:
        kinds.append(EventKind.SOURCE_FAILING)
    since = row["failing_since"] or now
    events = [
        source_event(kind, row, now, reason=str(error), since=since, next_attempt_at=next_due_at) for kind in kinds
    ]
    return append_events(connection, events, source_id=row["id"], silent=False, now=now)


def _tell_recovered(connection: Connection, row: RowMapping, now: datetime) -> Counter[str]:
    """Append that a source works again, if an event said that it failed."""
    if row["consecutive_failures"] < FAILURES_TO_TELL or row["changed_since"] is not None:
        return Counter()
    event = source_event(EventKind.SOURCE_RECOVERED, row, now, since=row["failing_since"])
    return append_events(connection, [event], source_id=row["id"], silent=False, now=now)
