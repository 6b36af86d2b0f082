"""`/sounds` and `/plays`: a person's sounds, to find, to fetch, to hear, to tag and to let go."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec

from models.moments import Moment
from pipeline.operations import sound_folders, sounds
from pipeline.operations.sound_folders import SoundFolderAnswer
from pipeline.operations.sounds import AddedSound, PlayLine, SoundAnswer, SoundWish, TagLine, TagsAnswer
from pipeline.sound.listing.sounds import SoundLine, key_of
from pipeline.sound.listing.statistics import SoundStatistics, load_statistics
from pipeline.sound.records import SoundKind
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.files import FileAnswer
from pipeline.web.api.paging import Page, PageQuery, make_page, page_of, read_cursor
from pipeline.web.api.routing import Routes

ORIGIN = "api"
routes = Routes("sounds")
plays = Routes("plays")
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class SoundsQuery(PageQuery, frozen=True, kw_only=True):
    """Which sounds: all of it must hold; `show` and `playlist` are names."""

    kind: SoundKind | None = None
    tag: str | None = None
    search: str | None = None
    show: str | None = None
    playlist: str | None = None
    missing: bool = False
    unrendered: bool = False


class NewSounds(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of videos, tracks or files of sound, what they are, and how loud they shall be."""

    addresses: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=4000)]], msgspec.Meta(min_length=1, max_length=100)
    ]
    kind: SoundKind = "track"
    profile: str | None = None


class TagChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Tags to give, and to take away."""

    add: list[str] = []
    remove: list[str] = []


class RenderWish(msgspec.Struct, frozen=True, kw_only=True):
    """Which sounds to make evenly loud: these, or without any all of a kind; `force` also those that are already."""

    sounds: list[Number] | None = None
    kind: SoundKind | None = None
    profile: str | None = None
    force: bool = False


class RenderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many sounds were meant, and how many renditions of them are to be made."""

    sounds: int
    waiting: int


class FileQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The profile of the file, or `original`; without one the first that is there."""

    profile: str | None = None


class PlaysQuery(PageQuery, frozen=True, kw_only=True):
    """Plays of one sound, or of all."""

    sound: Number | None = None


class PlayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A sound that is played now."""

    sound: int
    title: str
    at: Moment


class NewFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of sounds on the server, by its path: what they are, and the profile that they are rendered with."""

    path: Word
    kind: SoundKind | None = None
    profile: str | None = None


@routes.add("GET", "/sounds", scope="sounds")
def list_sounds(call: Reading, query: SoundsQuery) -> Page[SoundLine]:
    """List your sounds, the newest first."""
    after = _after(read_cursor(query, datetime, int))
    wish = SoundWish(**{name: getattr(query, name) for name in SoundWish.__struct_fields__})
    lines = sounds.list_sounds(call.connection, call.person_id, wish, query.limit + 1, after)
    return make_page(lines, query, key_of)


@routes.add("POST", "/sounds", scope="extract", role="member", status=201)
def add_sounds(call: Changing, body: NewSounds) -> Page[AddedSound]:
    """Have sounds fetched from their addresses, and made evenly loud.

    The same is never fetched twice. `/extractions` shows how far it is.
    """
    added = sounds.add_sounds(
        call.runtime,
        call.connection,
        call.person_id,
        body.addresses,
        call.now,
        kind=body.kind,
        profile=body.profile,
    )
    return Page(items=added)


@routes.add("GET", "/sounds/tags", scope="sounds")
def list_tags(call: Reading, query: PageQuery) -> Page[TagLine]:
    """List the tags of your sounds, with how many have each."""
    return page_of(sounds.list_tags(call.connection, call.person_id), query, lambda each: each.tag)


@routes.add("GET", "/sounds/stats", scope="sounds")
def show_statistics(call: Reading) -> SoundStatistics:
    """Add your sounds up: how many of which kind, how long and how large they are, and what is played most."""
    return load_statistics(call.connection, call.person_id)


@routes.add("POST", "/sounds/render", scope="extract", role="member")
def render_sounds(call: Changing, body: RenderWish) -> RenderAnswer:
    """Have sounds made evenly loud while Lootwire runs.

    Without a profile effects are rendered as `effects`, and all others as `podcast`.
    """
    meant = body.sounds and [sounds.own_sound(call.connection, call.person_id, number) for number in body.sounds]
    wanted = sounds.want_renditions(
        call.runtime,
        call.connection,
        call.person_id,
        call.now,
        sound_ids=meant or None,
        kind=body.kind,
        profile=body.profile,
        force=body.force,
    )
    return RenderAnswer(sounds=len(wanted.chosen), waiting=len(wanted.waiting))


@routes.add("GET", "/sounds/folders", scope="admin", role="owner")
def list_folders(call: Reading, query: PageQuery) -> Page[SoundFolderAnswer]:
    """List the folders of sounds on the server."""
    return page_of(sound_folders.list_folders(call.connection, call.person_id), query, lambda each: each.id)


@routes.add("POST", "/sounds/folders", scope="admin", role="owner", status=201)
def add_folder(call: Changing, body: NewFolder) -> SoundFolderAnswer:
    """Add a folder of sounds on the server, or change one, and have it scanned while Lootwire runs."""
    (folder,) = sound_folders.choose_folders(
        call.runtime, call.connection, call.person_id, [body.path], call.now, kind=body.kind, profile=body.profile
    )
    return sound_folders.queue_scan(call.connection, folder, call.now)


@routes.add("POST", "/sounds/folders/{folder}/scan", scope="admin", role="owner")
def scan_folder(call: Changing, folder: Number) -> SoundFolderAnswer:
    """Have a folder scanned while Lootwire runs; `scan_wanted_at` is null when that is done."""
    chosen = sound_folders.find_folder(call.connection, call.person_id, str(folder))
    return sound_folders.queue_scan(call.connection, chosen, call.now)


@routes.add("DELETE", "/sounds/folders/{folder}", scope="admin", role="owner")
def forget_folder(call: Changing, folder: Number) -> None:
    """Look at a folder no more; its sounds are missing until it is scanned again, and no file is touched."""
    chosen = sound_folders.find_folder(call.connection, call.person_id, str(folder))
    sound_folders.forget_folder(call.connection, chosen, call.now)


@routes.add("GET", "/sounds/{sound}", scope="sounds")
def show_sound(call: Reading, sound: Number) -> SoundAnswer:
    """Show all that is known of a sound: chapters, muted parts, how loud it was and is."""
    return sounds.show_sound(call.connection, call.person_id, sound)


@routes.add("DELETE", "/sounds/{sound}", scope="sounds", role="member")
def remove_sound(call: Working, sound: Number) -> None:
    """Remove a sound from shows, playlists and feeds, and delete what was fetched and made of it."""
    with call.runtime.engine.begin() as connection:
        sounds.remove(connection, [sounds.own_sound(connection, call.person_id, sound)], call.now)
    sounds.free(call.runtime)


@routes.add("POST", "/sounds/{sound}/tags", scope="sounds", role="member")
def tag_sound(call: Changing, sound: Number, body: TagChanges) -> TagsAnswer:
    """Give a sound tags of your own, or take some from it."""
    number = sounds.own_sound(call.connection, call.person_id, sound)
    return sounds.tag_sound(call.connection, number, add=body.add, remove=body.remove)


@routes.add("GET", "/sounds/{sound}/file", scope="play")
def hear_sound(call: Reading, sound: Number, query: FileQuery) -> FileAnswer:
    """Get the file of a sound, whole or in parts."""
    data_dir = call.runtime.settings.data_dir
    file = sounds.find_file(call.connection, call.person_id, sound, data_dir, query.profile)
    return FileAnswer(path=file.path, media_type=file.media_type, digest=file.digest)


@routes.add("POST", "/sounds/{sound}/plays", scope="play", status=201)
def play_sound(call: Changing, sound: Number) -> PlayAnswer:
    """Note that you play a sound; `/sounds/{sound}/file` is what to play."""
    number = sounds.own_sound(call.connection, call.person_id, sound)
    data_dir = call.runtime.settings.data_dir
    (played,) = sounds.play_sounds(call.connection, call.person_id, [number], ORIGIN, call.now, data_dir)
    return PlayAnswer(sound=played.sound, title=played.title, at=played.at)


@plays.add("GET", "/plays", scope="play")
def list_plays(call: Reading, query: PlaysQuery) -> Page[PlayLine]:
    """List what you played, the newest first."""
    after = _after(read_cursor(query, datetime, int))
    lines = sounds.list_plays(call.connection, call.person_id, query.limit + 1, sound_id=query.sound, after=after)
    return make_page(lines, query, lambda each: (each.at, each.play))


def _after(key: Iterable[object] | None) -> tuple[datetime, int] | None:
    return None if key is None else tuple(key)  # type: ignore[return-value] # the cursor was read as these
