"""Sixteen programs spend credits of a few people and give them back, and are killed at it.

Each reserves credits for a piece of work, settles it with another figure or gives all of it back, repeats some of that,
and dies by SIGKILL at chance; a new one repeats what the dead one was at. In the end each balance is the sum of its
ledger, no entry leaves less than nothing, and each piece of work has cost what it is to cost, once.
"""

import multiprocessing
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from models import Balance, LedgerEntry
from pipeline.people.store.people import add_person
from pipeline.people.store.plans import add_plan
from pipeline.runtime.runtime import utc_now
from tests.campaigns import _ledger_client
from tests.campaigns._ledger_client import ACTION, Work, work_of
from tests.campaigns.campaign import Claim, Size, Trial, at_least, figure, none_of
from tests.campaigns.own_servers import own_databases

CLIENTS = 16
PEOPLE = 4
LIMIT = 1800.0


@dataclass(frozen=True, kw_only=True)
class Spending(Size):
    """Each of the clients has so many works, and so many kills fall, a pause of at most so many seconds between."""

    works_each: int
    kills: int
    pause: float


FULL = Spending(works_each=625, kills=200, pause=0.5)
SHORT = Spending(works_each=20, kills=4, pause=0.1)


@dataclass
class Client:
    """A client's process, and how far the last one was when this one began."""

    process: BaseProcess
    began_at: int


def run(size: Spending, trial: Trial) -> Sequence[Claim]:
    """Let them spend, kill some, wait for all to end, and look at the ledger."""
    with own_databases() as own, own.databases.new() as engine:
        people = _people(engine)
        began = time.monotonic()
        kills = _spend(size, trial, engine, people)
        seconds = time.monotonic() - began
        return [
            *_claims(size, trial, engine),
            at_least("kills", kills, size.kills),
            figure("works a second", CLIENTS * size.works_each / seconds),
        ]


def _people(engine: Engine) -> list[int]:
    now = utc_now()
    with engine.begin() as connection:
        add_plan(connection, "plan", now, credits_=20)
        return [add_person(connection, f"person {number}", "member", now, plan="plan").id for number in range(PEOPLE)]


def _spend(size: Spending, trial: Trial, engine: Engine, people: Sequence[int]) -> int:
    # Forked from one that has imported all: sixteen that do would take longer than the work.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_ledger_client.__name__])
    url = engine.url.render_as_string(hide_password=False)

    def start(number: int) -> Client:
        progress = trial.folder / f"{number}.progress"
        arguments = (url, people, number, size.works_each, trial.seed, progress)
        process = context.Process(target=_ledger_client.spend, args=arguments)
        process.start()
        return Client(process, _at(progress))

    clients = {number: start(number) for number in range(CLIENTS)}
    kills, began = 0, time.monotonic()
    try:
        while any(client.process.is_alive() for client in clients.values()):
            assert time.monotonic() < began + LIMIT, "the clients do not come to an end"
            # Not a wait for anything: kills are to find them at another point each time.
            time.sleep(trial.dice.uniform(0, size.pause))
            # One that has done something since it began; what starts only costs time.
            working = [
                number
                for number, client in clients.items()
                if client.process.is_alive() and _at(trial.folder / f"{number}.progress") > client.began_at
            ]
            if kills < size.kills and working:
                number = trial.dice.choice(working)
                clients[number].process.kill()
                clients[number].process.join()
                clients[number] = start(number)
                kills += 1
                if kills % 20 == 0:
                    trial.say(f"{kills} kills")
    finally:
        for client in clients.values():
            client.process.kill()
            client.process.join()
    failed = [number for number, client in clients.items() if client.process.exitcode]
    assert not failed, f"the clients {failed} ended with an error, which they printed"
    return kills


def _at(progress: Path) -> int:
    return int(progress.read_text()) if progress.exists() else 0


def _claims(size: Spending, trial: Trial, engine: Engine) -> Sequence[Claim]:
    with engine.connect() as connection:
        balances = connection.execute(select(Balance.person_id, Balance.credits)).all()
        entries = connection.execute(select(LedgerEntry).order_by(LedgerEntry.id)).all()
    sums: dict[int, int] = defaultdict(int)
    breaks, charges = [], defaultdict[str, list[Any]](list)
    for entry in entries:
        sums[entry.person_id] += entry.amount
        if entry.balance_after != sums[entry.person_id]:
            breaks.append(entry.id)
        if entry.action.startswith(ACTION):
            charges[entry.reference.partition("#")[0]].append(entry)
    works = [
        work_of(trial.seed, client, number, PEOPLE) for client in range(CLIENTS) for number in range(size.works_each)
    ]
    charged = [work for work in works if work.reference in charges]
    return [
        none_of("balances that are not the sum of their ledger", _unlike(balances, sums)),
        none_of("entries that do not follow from the one before", breaks),
        none_of("entries that leave less than nothing", [each.id for each in entries if each.balance_after < 0]),
        none_of("works that cost something else, or twice", [*_wrong(charged, charges)]),
        none_of("works of nobody", sorted(charges.keys() - {work.reference for work in works})),
        at_least("works that were paid for or given back", len(charged), len(works) / 2),
        figure("works that nobody could pay for", len(works) - len(charged)),
        figure("entries", len(entries)),
    ]


def _unlike(balances: Sequence[Any], sums: Mapping[int, int]) -> list[str]:
    return [
        f"{row.person_id}: {row.credits}, not {sums[row.person_id]}"
        for row in balances
        if row.credits != sums[row.person_id]
    ]


def _wrong(works: Sequence[Work], charges: Mapping[str, Sequence[Any]]) -> list[str]:
    wrong = []
    for work in works:
        cost = -sum(entry.amount for entry in charges[work.reference])
        if work.cost is None:
            most = least = 0
        else:
            # What it cost beyond its reserve is taken as far as the balance had it.
            least, most = min(work.cost, work.reserved), work.cost
        if not least <= cost <= most:
            wrong.append(f"{work.reference}: {cost}, not {least} to {most}")
    return wrong
