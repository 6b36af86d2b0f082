"""`/roms`: your collection of ROMs, what DATs say of it, and which games they are. Files are only ever read."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec

from pipeline.operations import rom_answers as answers
from pipeline.operations import roms
from pipeline.operations.rom_answers import ExportAnswer, ReopenedRoms
from pipeline.operations.roms import RomAnswer, RomFolderAnswer, RomPage, UnreadFile
from pipeline.roms.exports.records import Exported, Format
from pipeline.roms.listing.collected import RomFilter, RomKey, key_of
from pipeline.roms.listing.dats import ListedDat
from pipeline.roms.listing.duplicates import Duplicate
from pipeline.roms.listing.missing import LackingGame, Misnamed
from pipeline.roms.listing.statistics import PlatformStatistics
from pipeline.roms.records import Layout, Verdict
from pipeline.roms.store.folders import FolderOptions
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.routes.library_words import Name, Number
from pipeline.web.api.routing import Routes

routes = Routes("roms")
Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
ServerPath = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class RomQuery(PageQuery, frozen=True, kw_only=True):
    """Which ROMs: those that fit each condition. `search` is a part of a name or title."""

    folder: Number | None = None
    platform: Name | None = None
    verdict: Verdict | None = None
    search: Name | None = None
    missing: bool = False
    unmatched: bool = False


class LackingQuery(PageQuery, frozen=True, kw_only=True):
    """Which games of DATs: of one DAT, of a platform, or only those of which some files are there."""

    dat: Number | None = None
    platform: Name | None = None
    incomplete: bool = False


class MisnamedQuery(PageQuery, frozen=True, kw_only=True):
    """Of which folder; of all without it."""

    folder: Number | None = None


class BestQuery(PageQuery, frozen=True, kw_only=True):
    """Of which platform, and which regions and languages (two letters) you would rather have, the dearest first."""

    platform: Name | None = None
    region: tuple[str, ...] = ()
    language: tuple[str, ...] = ()


class DatQuery(PageQuery, frozen=True, kw_only=True):
    """Whether versions that a newer one replaced are listed too."""

    all: bool = False


class FolderBody(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of the server's machine. Without a platform the names of its folders and its files say it."""

    path: ServerPath
    platform: Name | None = None
    layout: Layout = "auto"
    extensions: list[Pattern] = []
    ignore: list[Pattern] = []


class SomeRoms(msgspec.Struct, frozen=True, kw_only=True):
    """ROMs by their numbers."""

    roms: Annotated[list[Number], msgspec.Meta(min_length=1, max_length=1000)]


class RomMeaning(msgspec.Struct, frozen=True, kw_only=True):
    """Which ROMs, and what they are: a `game`, one that IGDB lacks (`own`), or with `skip` none."""

    roms: Annotated[list[Number], msgspec.Meta(min_length=1, max_length=1000)]
    game: Name | None = None
    own: bool = False
    skip: bool = False

    def __post_init__(self) -> None:
        if (self.game is not None) + self.own + self.skip != 1:
            raise ValueError("give one of game, own and skip")


class ExportBody(msgspec.Struct, frozen=True, kw_only=True):
    """A front end's file in one of your folders of ROMs, and which of them it is to have; all without any."""

    format: Format
    to: ServerPath
    folder: Number | None = None
    platform: Name | None = None
    dry_run: bool = False


@routes.add("GET", "/roms", scope="library")
def list_roms(call: Reading, query: RomQuery) -> Page[RomAnswer]:
    """List your ROMs by title: what each is, what DATs say of it, and which game it is."""
    wish = RomFilter(
        folder_id=query.folder,
        platform=query.platform,
        verdict=query.verdict,
        text=query.search,
        missing=query.missing,
        unmatched=query.unmatched,
    )
    key = read_cursor(query, str, bool, str, str, int)
    after = None if key is None else RomKey(*key)
    listed = roms.list_roms(call.connection, call.person_id, wish, after=after, limit=query.limit + 1)
    return make_page(listed, query, lambda each: msgspec.structs.astuple(key_of(each, each.rom)))


@routes.add("GET", "/roms/stats", scope="library")
def show_statistics(call: Reading, query: PageQuery) -> Page[PlatformStatistics]:
    """Add your collection up by platform: games and ROMs, what DATs verify, what is matched, missing, and how large."""
    figures = roms.add_up(call.connection, call.person_id)
    return page_of(figures, query, lambda each: (-each.roms, each.platform or ""))


@routes.add("GET", "/roms/missing", scope="library")
def list_lacking(call: Reading, query: LackingQuery) -> Page[LackingGame]:
    """List what your collection lacks of the games that DATs list: whole games, or some of their files."""
    after = read_cursor(query, Number)
    # There may be hundreds of thousands: no more are fetched than are shown.
    with call.transaction():
        lacking = roms.lacking(
            call.connection,
            call.person_id,
            dat_id=query.dat,
            platform=query.platform,
            state="incomplete" if query.incomplete else None,
            after=after[0] if after else None,
        )
        games = list(islice(lacking, query.limit + 1))
    return make_page(games, query, lambda each: each.game_id)


@routes.add("GET", "/roms/misnamed", scope="library")
def list_misnamed(call: Reading, query: MisnamedQuery) -> Page[Misnamed]:
    """List your ROMs that their DAT calls otherwise. Lootwire renames nothing."""
    folder = None if query.folder is None else str(query.folder)
    misnamed = roms.misnamed(call.connection, call.person_id, folder)
    return page_of(misnamed, query, lambda each: (each.folder, each.path, each.rom_id))


@routes.add("GET", "/roms/duplicates", scope="library")
def list_duplicates(call: Reading, query: PageQuery) -> Page[Duplicate]:
    """List what you have more than once, also inside archives, the most wasteful first. Lootwire deletes nothing."""
    duplicates = roms.duplicates(call.connection, call.person_id)
    return page_of(duplicates, query, lambda each: (-each.wasted, each.digest, each.size))


@routes.add("GET", "/roms/best", scope="library")
def list_best(call: Reading, query: BestQuery) -> Page[RomAnswer]:
    """List one release of each game: sound before bad, sold before beta, your language, your region, the newest."""
    chosen = roms.best(
        call.connection,
        call.person_id,
        platform=query.platform,
        regions=query.region,
        languages=query.language,
    )
    return page_of(chosen, query, lambda each: (each.title.casefold(), each.platform or "", each.disc or 0, each.rom))


@routes.add("GET", "/roms/unread", scope="library")
def list_unread(call: Reading, query: PageQuery) -> Page[UnreadFile]:
    """List the files that could not be read, or not whole, each with its reason."""
    unread = roms.list_unread(call.connection, call.person_id)
    return page_of(unread, query, lambda each: (each.folder, each.file))


@routes.add("GET", "/roms/dats", scope="library")
def list_dats(call: Reading, query: DatQuery) -> Page[ListedDat]:
    """List the DATs that tell what files are, and how much of each you have."""
    dats = roms.dats(call.connection, call.person_id, superseded=query.all)
    return page_of(dats, query, lambda each: (each.platform is None, each.platform or "", each.name, -each.id))


@routes.add("POST", "/roms/settle", scope="library")
def settle_roms(call: Working, body: RomMeaning) -> list[RomAnswer]:
    """Say which game ROMs are; the answer holds for all files of that title, in every folder, now and later.

    Returns the ROMs that it changed. `/library/waiting?of=roms` lists the titles that wait for you.
    """
    return answers.settle_roms(call.runtime, call.person_id, call.now, body.roms, body.game, own=body.own)


@routes.add("POST", "/roms/unmatch", scope="library")
def unmatch_roms(call: Changing, body: SomeRoms) -> list[RomAnswer]:
    """Have ROMs be no game that Lootwire knows, for good: no scan matches them again. Returns those that changed."""
    return answers.unmatch_roms(call.connection, call.person_id, call.now, body.roms)


@routes.add("POST", "/roms/undo", scope="library")
def undo_roms(call: Changing, body: SomeRoms) -> ReopenedRoms:
    """Take back what you said of ROMs; the next scan looks their titles up again."""
    return answers.undo_roms(call.connection, call.person_id, call.now, body.roms)


@routes.add("GET", "/roms/folders", scope="library", role="owner")
def list_folders(call: Reading, query: PageQuery) -> Page[RomFolderAnswer]:
    """List your folders of ROMs: what is in them, when they were looked at, and what is wrong with them."""
    return page_of(roms.list_folders(call.connection, call.person_id), query, lambda each: (each.path, each.folder))


@routes.add("POST", "/roms/folders", scope="library", role="owner", status=201)
def add_folder(call: Changing, body: FolderBody) -> RomFolderAnswer:
    """Add a folder of the server's machine, with what is in its folders; it is looked at every hour.

    Adding it again changes its platform, layout and patterns.
    """
    options = FolderOptions(extensions=tuple(body.extensions), ignore=tuple(body.ignore))
    folder = roms.add_folder(
        call.connection,
        call.person_id,
        call.now,
        body.path,
        platform=body.platform,
        layout=body.layout,
        options=options,
    )
    return roms.show_folder(call.connection, call.person_id, folder.id)


@routes.add("GET", "/roms/folders/{folder}", scope="library", role="owner")
def show_folder(call: Reading, folder: Number) -> RomFolderAnswer:
    """Show one folder of ROMs."""
    return roms.show_folder(call.connection, call.person_id, folder)


@routes.add("DELETE", "/roms/folders/{folder}", scope="library", role="owner")
def remove_folder(call: Changing, folder: Number) -> None:
    """Look at a folder no more. No file is touched; added again, it is as it was."""
    roms.remove_folder(call.connection, call.person_id, call.now, str(folder))


@routes.add("POST", "/roms/folders/{folder}/scan", scope="library", role="owner", status=202)
def scan_folder(call: Changing, folder: Number) -> RomFolderAnswer:
    """Have the worker look at a folder in its next round; `scanned_at` says when it was done."""
    return roms.scan_soon(call.connection, call.person_id, call.now, folder)


@routes.add("GET", "/roms/exports", scope="library", role="owner")
def list_exports(call: Reading, query: PageQuery) -> Page[ExportAnswer]:
    """List the front ends' files that Lootwire wrote into, and when."""
    return page_of(answers.list_exports(call.connection, call.person_id), query, lambda each: each.path)


@routes.add("POST", "/roms/exports", scope="library", role="owner")
def run_export(call: Working, body: ExportBody) -> Exported:
    """Bring ROMs into a front end's list in one of your folders of ROMs; what is not of them stays as it is.

    Again, it changes nothing. With `dry_run` it says what would change.
    """
    return answers.export_into_folder(
        call.runtime,
        call.person_id,
        call.now,
        body.format,
        Path(body.to),
        folder=None if body.folder is None else str(body.folder),
        platform=body.platform,
        dry_run=body.dry_run,
    )


@routes.add("GET", "/roms/{rom}", scope="library")
def show_rom(call: Reading, rom: Number) -> RomPage:
    """Show all that is known of one ROM, and what is in its files."""
    return roms.show_rom(call.connection, call.person_id, rom)
