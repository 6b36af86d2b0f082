"""`/library/imports`, `/library/waiting`, `/library/accounts`: where a library comes from, and what of it is unsure."""

from typing import Annotated, Literal

import msgspec

from pipeline.library.importing.files import Imported
from pipeline.library.records import ReadOptions, Store
from pipeline.operations import accounts
from pipeline.operations import library_imports as imports
from pipeline.operations.accounts import AccountAnswer, SignedIn
from pipeline.operations.library_imports import SettledAnswer, WaitingAnswer
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routes.library_words import Name, Number
from pipeline.web.api.routing import Routes

routes = Routes("library")
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the file is called, and how it is to be read where its content does not say."""

    name: Name
    format: Annotated[str, msgspec.Meta(max_length=100)] | None = msgspec.field(name="as", default=None)
    columns: list[str] = msgspec.field(name="map", default=[])
    rating_scale: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    store: Store | None = None
    platform: Name | None = None
    dry_run: bool = False


class WaitingQuery(PageQuery, frozen=True, kw_only=True):
    """Which lines that wait: all, or the titles of ROMs alone."""

    of: Literal["roms"] | None = None


class AnswerBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines, and what they mean: a `game`, one that IGDB lacks (`own`), or with `skip` none."""

    lines: Annotated[list[Number | Name], msgspec.Meta(min_length=1, max_length=1000)]
    game: Name | None = None
    own: bool = False
    skip: bool = False

    def __post_init__(self) -> None:
        if (self.game is not None) + self.own + self.skip != 1:
            raise ValueError("give one of game, own and skip")


class AccountBody(msgspec.Struct, frozen=True, kw_only=True):
    """A shop (`steam`, `retroachievements`), a key of yours there, and which account it is of."""

    service: Name
    account: Name
    key: Secret

    def __repr__(self) -> str:
        return f"AccountBody(service={self.service!r})"


@routes.add("POST", "/library/imports", scope="library")
def import_file(call: Working, query: ImportQuery, body: bytes) -> Imported:
    """Import a file that says what you own, play and finished.

    The body is the file itself, of 32 MB at most, whatever its Content-Type. Exports of Steam, Playnite, Heroic,
    legendary, Yamtrack, Grouvee, HowLongToBeat, Backloggd and RetroAchievements, Lootwire's own, any table with a
    column of titles, Markdown and text are recognised by their content. It is taken in whole or not at all, and again
    it changes nothing. With `dry_run` nothing is written. One that takes too long to be answered is taken in all the
    same: send it again for what came of it.
    """
    options = ReadOptions(
        format=query.format,
        columns=imports.columns_of(query.columns),
        rating_scale=query.rating_scale,
        store=query.store,
        platform=query.platform,
    )
    brought = imports.bring(body, query.name, options)
    [imported] = imports.import_files(call.runtime, call.person_id, [brought], rehearse=query.dry_run)
    return imported


@routes.add("GET", "/library/waiting", scope="library")
def list_waiting(call: Reading, query: WaitingQuery) -> Page[WaitingAnswer]:
    """List the lines of files, answers and lists that wait for you, and which games each may mean."""
    return page_of(imports.list_waiting(call.connection, call.person_id, query.of), query, imports.place_of)


@routes.add("POST", "/library/waiting/settle", scope="library")
def settle_lines(call: Working, body: AnswerBody) -> list[SettledAnswer]:
    """Say which game lines mean; the answer holds for that title in all that is imported or synced from now on.

    Returns the lines that it settled, also of other files that have the same title.
    """
    lines = [str(line) for line in body.lines]
    return imports.settle_lines(call.runtime, call.person_id, call.now, lines, body.game, own=body.own)


@routes.add("POST", "/library/waiting/{line}/undo", scope="library")
def undo_line(call: Working, line: str) -> list[WaitingAnswer]:
    """Take back the answer on a line: what it brought is removed, and it waits again, with all that it had settled."""
    return imports.undo_line(call.runtime, call.person_id, call.now, line)


@routes.add("GET", "/library/accounts", scope="library")
def list_accounts(call: Reading, query: PageQuery) -> Page[AccountAnswer]:
    """List your accounts at shops whose libraries are synced: when each was asked, and what is wrong with it."""
    listed = accounts.list_accounts(call.connection, call.person_id)
    return page_of(listed, query, lambda each: (each.service, each.id))


@routes.add("POST", "/library/accounts", scope="library", status=201)
def sign_in(call: Working, body: AccountBody) -> SignedIn:
    """Sync the library of an account of yours from now on, by a key that is tried at once and kept encrypted."""
    return accounts.sign_in(call.runtime, call.person_id, call.now, body.service, body.key, body.account)


@routes.add("POST", "/library/accounts/{account}/sync", scope="library", status=202)
def sync_account(call: Changing, account: Number) -> AccountAnswer:
    """Have an account's library synced in the worker's next round; `answered_at` says when it was done.

    A shop is not asked sooner than five minutes after the last time: `next_due_at` says when.
    """
    return accounts.sync_soon(call.connection, call.runtime.settings, call.person_id, call.now, account)


@routes.add("DELETE", "/library/accounts/{account}", scope="library")
def sign_out(call: Working, account: Number) -> None:
    """Forget an account with its key; what was learned by it stays."""
    accounts.remove_account(call.runtime, call.person_id, call.now, account)
