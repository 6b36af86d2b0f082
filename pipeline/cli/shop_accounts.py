"""Sign in to a service with a key of one's own, whose library is then synced: the part of `sources login` for those."""

import sys
from getpass import getpass

import typer
from sqlalchemy import update

from models import Source
from models.errors import LootwireError, UsageError
from models.printable import NAME_LENGTH, on_a_line
from models.words.units import counted_plainly
from pipeline.cli.opening import read_named
from pipeline.errors import SourceChanged, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.library.sources.shop import Member, Shop
from pipeline.library.store import accounts
from pipeline.programs.sources import register
from pipeline.runtime.output import console
from pipeline.runtime.runtime import Runtime, utc_now

MOST_BYTES = 4096


def sign_in(runtime: Runtime, shop: Shop, account: str | None, key_file: str | None, person_id: int) -> None:
    """Ask for what was not given, try it at once, and keep it, the key encrypted."""
    key = shop.read_key(_read_key(shop, key_file))
    written = account or _ask(f"Your account at {shop.title} ({shop.account_hint})", hidden=False)
    if not written:
        raise UsageError(f"which account at {shop.title}? --account names it: {shop.account_hint}")
    member = _tried(shop, key, written)
    now = utc_now()
    with runtime.engine.begin() as connection:
        accounts.save_account(
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
    named = on_a_line(member.name or member.external_id, NAME_LENGTH)
    console.print(
        f"Signed in to {shop.title} as {named}, with {counted_plainly(member.games, 'game')}. "
        f"Fetched from now on: {shop.source}.",
        markup=False,
        soft_wrap=True,
    )


def sign_out(runtime: Runtime, shop: Shop, account: str | None, person_id: int) -> None:
    """Forget a person's accounts at a service with their keys, or one of them; what was learned by them stays."""
    with runtime.engine.begin() as connection:
        known = accounts.load_accounts(connection, shop.service, person_id)
        meant = [each for each in known if account is None or account.casefold() in _names(each)]
        if known and not meant:
            names = ", ".join(each.name or each.external_id for each in known)
            raise UsageError(f"no account {account!r} at {shop.title} is signed in; signed in: {names}")
        accounts.remove_accounts(connection, [each.id for each in meant])
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    for each in meant:
        console.print(
            f"Signed {on_a_line(each.name or each.external_id, NAME_LENGTH)} out of {shop.title}.", markup=False
        )
    if not meant:
        console.print(f"Nobody was signed in to {shop.title}.")


def _tried(shop: Shop, key: str, written: str) -> Member:
    try:
        with Client() as client:
            return shop.member(client, key, written)
    except SourceUnavailable as error:
        raise LootwireError(
            f"{shop.title} is away, and nothing was stored ({error}): try again in a few minutes"
        ) from error
    except SourceChanged as error:
        raise LootwireError(
            f"{shop.title} answers in a way that this version does not know, and nothing was stored ({error}): "
            "look for a newer version"
        ) from error


def _read_key(shop: Shop, key_file: str | None) -> str:
    if key_file is None:
        return _ask(f"Your key, which {shop.key_page} shows", hidden=True)
    try:
        return read_named(key_file, MOST_BYTES).decode()
    except UnicodeDecodeError:
        raise UsageError(f"{key_file} holds no key: it is no text") from None


def _ask(question: str, *, hidden: bool) -> str:
    """Return what a person types, or the next line that a script gives."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    if hidden:
        # Typer's own question stands on the screen before the terminal stops to show what is typed.
        return getpass(f"{question}: ").strip()
    answer: str = typer.prompt(question, err=True)
    return answer.strip()


def _names(account: accounts.Account) -> set[str]:
    return {name.casefold() for name in (account.external_id, account.name) if name is not None}
