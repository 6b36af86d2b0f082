"""Accounts at shops whose libraries are synced: signed in by a key of the person's own, listed, and signed out."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, update

from models import Source
from models.errors import LootwireError, UnknownThing, UsageError
from pipeline.errors import SourceChanged, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.library.sources import shops
from pipeline.library.sources.shop import Member, Shop
from pipeline.library.store import accounts as store
from pipeline.programs.sources import register
from pipeline.runtime.runtime import Runtime


class UnknownAccount(UnknownThing):
    """The person has no such account at a shop."""


class AccountAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is synced, without its key; `external_id` is the service's own, times are UTC."""

    service: str
    account: str
    external_id: str
    asked_at: datetime | None
    answered_at: datetime | None
    next_due_at: datetime
    played_at: datetime | None
    problem: str | None
    problem_since: datetime | None
    id: int


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is synced from now on, by a source, with how many games it has."""

    service: str
    account: str
    external_id: str
    games: int
    source: str


def list_accounts(connection: Connection, person_id: int) -> list[AccountAnswer]:
    """Return a person's accounts at all services, by service and then as they were signed in."""
    return [_answer(account) for account in store.accounts_of(connection, person_id)]


def sign_in(runtime: Runtime, person_id: int, now: datetime, service: str, key: str, account: str) -> SignedIn:
    """Try a key at a shop, keep it encrypted, and sync the library of its account from now on.

    Raises `UsageError` where the key or the account can be none, `SourceUnavailable` and `LootwireError` where the shop
    does not answer as it should; then nothing is stored.
    """
    shop = shop_named(runtime, service)
    key = shop.read_key(key)
    member = _tried(shop, key, account)
    with runtime.engine.begin() as connection:
        store.save_account(
            connection,
            person_id=person_id,
            service=shop.service,
            external_id=member.external_id,
            name=member.name,
            key_encrypted=runtime.vault.encrypt(key),
            now=now,
        )
    with runtime.engine.begin() as connection:
        register(connection, runtime, now)
        connection.execute(update(Source).where(Source.name == shop.source).values(next_due_at=now))
    return SignedIn(
        service=shop.service,
        account=member.name or member.external_id,
        external_id=member.external_id,
        games=member.games,
        source=shop.source,
    )


def sign_out(
    runtime: Runtime, person_id: int, now: datetime, service: str, account: str | None
) -> Sequence[AccountAnswer]:
    """Forget a person's accounts at a service with their keys, or the one of a name; what was learned by them stays.

    Returns those that were forgotten. Raises `UnknownAccount` for a name of none of several.
    """
    shop = shop_named(runtime, service)
    with runtime.engine.begin() as connection:
        known = store.load_accounts(connection, shop.service, person_id)
        meant = [each for each in known if account is None or account.casefold() in _names(each)]
        if known and not meant:
            names = ", ".join(each.name or each.external_id for each in known)
            raise UnknownAccount(f"no account {account!r} at {shop.title} is signed in; signed in: {names}")
        store.remove_accounts(connection, [each.id for each in meant])
    _register(runtime, now)
    return [_answer(each) for each in meant]


def remove_account(runtime: Runtime, person_id: int, now: datetime, account_id: int) -> None:
    """Forget one account with its key by its number; what was learned by it stays. Raises `UnknownAccount`."""
    with runtime.engine.begin() as connection:
        if account_id not in {each.id for each in store.accounts_of(connection, person_id)}:
            raise UnknownAccount(f"no account has the number {account_id}; `lootwire library accounts` shows them")
        store.remove_accounts(connection, [account_id])
    _register(runtime, now)


def shop_named(runtime: Runtime, service: str) -> Shop:
    """Return a shop by its name on the command line. Raises `UsageError` with those that there are."""
    known = shops(runtime.settings)
    if service not in known:
        raise UsageError(f"{service!r} is no shop whose library can be synced; there are {', '.join(known)}")
    return known[service]


def _register(runtime: Runtime, now: datetime) -> None:
    """Give sources that have an account yet their rows, and turn those off that have none any more."""
    with runtime.engine.begin() as connection:
        register(connection, runtime, now)


def _tried(shop: Shop, key: str, written: str) -> Member:
    try:
        with Client() as client:
            return shop.member(client, key, written)
    except SourceUnavailable as error:
        raise SourceUnavailable(
            f"{shop.title} is away, and nothing was stored ({error}): try again in a few minutes",
            retry_after=error.retry_after,
        ) from error
    except SourceChanged as error:
        raise LootwireError(
            f"{shop.title} answers in a way that this version does not know, and nothing was stored ({error}): "
            "look for a newer version"
        ) from error


def _answer(account: store.Account) -> AccountAnswer:
    return AccountAnswer(
        service=account.service,
        account=account.name or account.external_id,
        external_id=account.external_id,
        asked_at=account.asked_at,
        answered_at=account.answered_at,
        next_due_at=account.next_due_at,
        played_at=account.played_at,
        problem=account.problem,
        problem_since=account.problem_since,
        id=account.id,
    )


def _names(account: store.Account) -> set[str]:
    return {name.casefold() for name in (account.external_id, account.name) if name is not None}
