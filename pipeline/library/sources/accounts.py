"""Sync the libraries of the accounts at one service: those that are due are asked, and what they have is taken in.

The due times are the accounts' own: daily, and hourly while something is played; the source is looked at hourly. An
account that cannot be read keeps its library as it is and says why (`problem`), and the source fails while one does.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, update

from models import Source
from models.events import EventKind
from models.vault import Vault, VaultError
from pipeline.errors import SourceError, SourceRefused
from pipeline.events.append import append_events
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import keep_answers
from pipeline.ingest.service_time import present
from pipeline.ingest.source import Answer, Ingested, Validators
from pipeline.ingest.staleness import source_event
from pipeline.library.records import Reading, Record
from pipeline.library.sources.rounds import (
    Asked,
    Failure,
    LookedUp,
    decode_round,
    digest_of,
    encode_round,
    error_of,
    failure_of,
    joined,
    last_played,
    with_way_out,
)
from pipeline.library.sources.shop import Shop
from pipeline.library.store import accounts
from pipeline.library.store.accounts import Account
from pipeline.library.store.imports import count_waiting, open_import
from pipeline.library.take_in import take_in

# Who has played within this time may play again today.
PLAYED_LATELY = timedelta(days=2)


LookUp = Callable[[Client, Sequence[Record]], LookedUp]


class _Answered(msgspec.Struct, frozen=True):
    account: Account
    asked: Asked
    reading: Reading
    digest: bytes


class LibrarySource:
    """The source of the libraries at one service: an account is asked `every` so often, or `while_played`."""

    def __init__(
        self,
        shop: Shop,
        engine: Engine,
        open_vault: Callable[[], Vault],
        clock: Callable[[], datetime],
        *,
        every: timedelta,
        while_played: timedelta,
        look_up: LookUp | None = None,
    ) -> None:
        """`look_up` asks IGDB for games that the catalogue lacks, where that can be asked."""
        self.name = shop.source
        self.service = shop.service
        self.asks = shop.service
        self._shop = shop
        self._engine = engine
        self._open_vault = open_vault
        self._clock = clock
        self._every = every
        self._while_played = min(every, while_played)
        self._look_up = look_up

    def fetch(self, client: Client, validators: Validators) -> Answer:  # noqa: ARG002 - each round asks anew
        """Ask for the libraries of the accounts that are due; what fails is part of the answer."""
        at = self._clock()
        with self._engine.connect() as connection:
            due = accounts.due_accounts(connection, self.service, at, self._every)
        asked = [self._ask(client, account, at) for account in due]
        looked_up = self._look_up_new(client, due, asked)
        return Answer(payload=encode_round(asked, looked_up) if asked else None, refresh_after=self._while_played)

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store what the accounts have; raises `SourceError` while one of them has a problem.

        What could be read, and the problem itself, is stored before that, as a part of the answer: when the rest of it
        is taken in, only the error remains.
        """
        connection.execute(update(Source).where(Source.id == row["id"]).values(last_snapshot_at=now))
        round_ = decode_round(answer.payload)
        asked = round_.asked
        new = [(account, each) for each in asked if (account := _unsettled(connection, each)) is not None]
        for account, each in new:
            if each.failure is not None:
                self._note_problem(connection, account, each, each.failure, now)
        if new and round_.looked_up.asked_at is not None:
            keep_answers(connection, round_.looked_up.rows, round_.looked_up.asked_at, now)
        again = round_.looked_up.is_failed
        taken = [self._take(connection, row["id"], each, now, again=again) for each in self._by_person(new)]
        error = self._error(connection, asked)
        if error is not None and not new:
            raise error
        recovered = _tell_recovered(connection, row, now) if error is None else Counter[str]()
        return Ingested(
            outcome="ok" if any(each.outcome == "ok" for each in taken) else "unchanged",
            items=sum(each.items for each in taken),
            changed=sum(each.changed for each in taken),
            invalid=sum(each.invalid for each in taken),
            events=sum((each.events for each in taken), recovered),
            is_part=error is not None,
        )

    def _ask(self, client: Client, account: Account, at: datetime) -> Asked:
        try:
            body = self._shop.ask(client, self._key(account), account.external_id)
            self._shop.read(body)
        except SourceError as error:
            return Asked(account_id=account.id, at=at, failure=with_way_out(failure_of(error), self._shop.title))
        return Asked(account_id=account.id, at=at, body=msgspec.Raw(body))

    def _look_up_new(self, client: Client, due: Iterable[Account], asked: Iterable[Asked]) -> LookedUp:
        """Ask for the games of accounts that differ from what is known; those that wait for a person were asked for."""
        if self._look_up is None:
            return LookedUp()
        with self._engine.connect() as connection:
            waiting = accounts.waiting_lines(connection, self.name)
        known = {account.id: account.digest for account in due}
        new: dict[int, Record] = {}
        for each in asked:
            if each.failure is None:
                reading = self._shop.read(bytes(each.body))
                before = known[each.account_id]
                skipped = waiting if before is not None else ()
                if digest_of(reading) != before:
                    new |= {record.line: record for record in reading.records if record.line not in skipped}
        return self._look_up(client, list(new.values())) if new else LookedUp()

    def _key(self, account: Account) -> str:
        try:
            return self._open_vault().decrypt(account.key_encrypted)
        except VaultError:
            raise SourceRefused(
                f"the key file does not open the stored key of {self._shop.title}: put the file back that it was "
                f"stored with, or sign in again: `lootwire sources login {self.service}`"
            ) from None

    def _note_problem(
        self, connection: Connection, account: Account, asked: Asked, failure: Failure, now: datetime
    ) -> None:
        # One that is away stays due: the source itself waits for as long as its failures have it.
        again_at = account.next_due_at if failure.kind == "unavailable" else now + self._while_played
        accounts.change_account(
            connection,
            account,
            asked_at=asked.at,
            next_due_at=again_at,
            problem=failure.message,
            problem_since=account.problem_since or now,
        )

    def _by_person(self, new: Iterable[tuple[Account, Asked]]) -> Sequence[list[_Answered]]:
        by_person: defaultdict[int, list[_Answered]] = defaultdict(list)
        for account, asked in new:
            if asked.failure is None:
                reading = self._shop.read(bytes(asked.body))
                by_person[account.person_id].append(_Answered(account, asked, reading, digest_of(reading)))
        return list(by_person.values())

    def _take(
        self, connection: Connection, source_id: int, answered: Sequence[_Answered], now: datetime, *, again: bool
    ) -> Ingested:
        """Store what one person has, by the answers for their accounts; with `again` the next ones count as new."""
        person_id = answered[0].account.person_id
        # Of somebody's accounts one that could not be read may have what the others lack.
        is_all = len(answered) == len(accounts.load_accounts(connection, self.service, person_id))
        reading = joined([each.reading for each in answered])
        reading = msgspec.structs.replace(reading, is_whole=reading.is_whole and is_all)
        at = present(connection, self.asks, now)
        is_known = all(each.account.digest == each.digest for each in answered)
        items, answers_before = len(reading.records), [each.account.answered_at for each in answered]
        for each in answered:
            self._note_answer(connection, each, now, is_done=reading.is_whole and not again)
        import_id = open_import(
            connection,
            person_id=person_id,
            format_=self.name,
            name=self._shop.title,
            digest=self.name.encode(),
            now=at,
        )
        is_open = accounts.is_anything_missing(connection, person_id, source_id) or count_waiting(connection, import_id)
        if is_known and not is_open:
            return Ingested(outcome="unchanged", items=items)
        taken = take_in(
            connection,
            reading,
            person_id=person_id,
            import_id=import_id,
            source_id=source_id,
            now=at,
            # What an account has when it is first read was there before.
            silent=None in answers_before,
            since=max((before for before in answers_before if before is not None), default=None),
        )
        changed = sum(taken.counts.get(verdict, 0) for verdict in ("new", "changed")) + taken.gone + taken.returned
        return Ingested(
            outcome="ok" if taken.is_changed else "unchanged",
            items=items,
            changed=changed,
            invalid=len(reading.broken),
            events=taken.events,
        )

    def _note_answer(self, connection: Connection, answered: _Answered, now: datetime, *, is_done: bool) -> None:
        account = answered.account
        played_at = last_played(answered.reading, now)
        is_played = played_at is not None and now - played_at < PLAYED_LATELY
        accounts.change_account(
            connection,
            account,
            asked_at=answered.asked.at,
            answered_at=now,
            next_due_at=now + (self._while_played if is_played else self._every),
            # The same again is taken in again where this one showed nothing to be gone, or lacked IGDB's word.
            digest=answered.digest if is_done else None,
            played_at=played_at,
            problem=None,
            problem_since=None,
        )

    def _error(self, connection: Connection, asked: Iterable[Asked]) -> SourceError | None:
        """Return the error of the accounts that have a problem now, also of those that were not asked this time."""
        failures = {each.account_id: each.failure for each in asked if each.failure is not None}
        return error_of(
            [
                failures.get(account.id) or Failure(kind="refused", message=account.problem)
                for account in accounts.load_accounts(connection, self.service)
                if account.problem is not None
            ]
        )


def _unsettled(connection: Connection, asked: Asked) -> Account | None:
    """Return the account that was asked, locked; None where it was signed out, or the answer is stored already."""
    account = accounts.lock_account(connection, asked.account_id)
    return None if account is None or account.asked_at == asked.at else account


def _tell_recovered(connection: Connection, row: RowMapping, now: datetime) -> Counter[str]:
    """Append that answers can be read again, where one could not; the rails tell of all else."""
    if row["changed_since"] is None:
        return Counter()
    connection.execute(update(Source).where(Source.id == row["id"]).values(changed_since=None, last_error=None))
    event = source_event(EventKind.SOURCE_RECOVERED, row, now, since=row["changed_since"])
    return append_events(connection, [event], source_id=row["id"], silent=False, now=now)
