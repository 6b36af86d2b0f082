"""Sign in to a service with a key of one's own, whose library is then synced: the part of `sources login` for those."""

import sys
from getpass import getpass

import typer

from models.errors import UsageError
from models.printable import NAME_LENGTH, on_a_line
from models.words.units import counted_plainly
from pipeline.cli.opening import read_named
from pipeline.library.sources.shop import Shop
from pipeline.operations import accounts
from pipeline.runtime.output import console
from pipeline.runtime.runtime import Runtime, utc_now

MOST_BYTES = 4096


def sign_in(runtime: Runtime, shop: Shop, account: str | None, key_file: str | None, person_id: int) -> None:
    """Ask for what was not given, try it at once, and keep it, the key encrypted."""
    key = shop.read_key(_read_key(shop, key_file))
    written = account or _ask(f"Your account at {shop.title} ({shop.account_hint})", hidden=False)
    if not written:
        raise UsageError(f"which account at {shop.title}? --account names it: {shop.account_hint}")
    signed_in = accounts.sign_in(runtime, person_id, utc_now(), shop.service, key, written)
    named = on_a_line(signed_in.account, NAME_LENGTH)
    console.print(
        f"Signed in to {shop.title} as {named}, with {counted_plainly(signed_in.games, 'game')}. "
        f"Fetched from now on: {shop.source}.",
        markup=False,
        soft_wrap=True,
    )


def sign_out(runtime: Runtime, shop: Shop, account: str | None, person_id: int) -> None:
    """Forget a person's accounts at a service with their keys, or one of them; what was learned by them stays."""
    gone = accounts.sign_out(runtime, person_id, utc_now(), shop.service, account)
    for each in gone:
        console.print(f"Signed {on_a_line(each.account, NAME_LENGTH)} out of {shop.title}.", markup=False)
    if not gone:
        console.print(f"Nobody was signed in to {shop.title}.")


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
