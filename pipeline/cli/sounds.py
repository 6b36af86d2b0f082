"""Commands on sounds: `sounds list`, `show`, `add`, `retry`, `cancel`, `remove`, `tag`, `play`, `stats`."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from models.words.units import counted_plainly, length
from pipeline.catalogue.people import person_named
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.meaning import refuse_person
from pipeline.cli.opening import GREATEST, open_command
from pipeline.library.journal.reading import check_word
from pipeline.operations import sounds as operations
from pipeline.operations.extractions import ExtractionChange, cancel_extractions, retry_extractions
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now
from pipeline.sound.listing.sounds import SoundLine, load_sounds, sounds_named
from pipeline.sound.listing.statistics import load_statistics
from pipeline.sound.records import SoundKind
from pipeline.sound.store.folders import KINDS

ORIGIN = "command"
sounds = make_noun(COMMANDS["sounds"].help)
PersonName = Annotated[
    str | None, typer.Option("--person", metavar="NAME", help="Whose sounds; the owner's, if none is given.")
]
SoundNames = Annotated[
    list[str], typer.Argument(metavar="SOUND...", help="Sounds by number, title, or part of a title.")
]
Numbers = Annotated[
    list[int], typer.Argument(metavar="EXTRACTION...", min=1, max=GREATEST, help="As `extractions` numbers them.")
]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="How loud: podcast, ebu, effects, off, or one of your own."),
]
_EMPTY = "There are no sounds yet: lootwire sounds add ADDRESS, lootwire sounds scan FOLDER, lootwire shows add CHANNEL"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(sounds, name="sounds")


@sounds.callback(invoke_without_command=True)
def list_by_default(context: typer.Context, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show your sounds; with a command, fetch some, scan a folder of them, make them evenly loud."""
    refuse_person(context, person)
    if context.invoked_subcommand is None:
        list_all(person=person, as_json=as_json)


@sounds.command("list")
def list_all(
    kind: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(KINDS)}.")] = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Those with this tag.")] = None,
    text: Annotated[str | None, typer.Option("--search", metavar="TEXT", help="Part of a title or an artist.")] = None,
    of_show: Annotated[str | None, typer.Option("--show", metavar="NAME", help="The episodes of a show.")] = None,
    playlist: Annotated[str | None, typer.Option(metavar="NAME", help="Those on a playlist, in its order.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Those whose files are gone.")] = False,
    unrendered: Annotated[bool, typer.Option("--unrendered", help="Those that are not made evenly loud yet.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most.")] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Show sounds, the newest first."""
    wish = operations.SoundWish(
        kind=None if kind is None else checked_kind(kind),
        tag=tag,
        search=text,
        show=of_show,
        playlist=playlist,
        missing=missing,
        unrendered=unrendered,
    )
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        lines = load_sounds(connection, owner, operations.filter_of(connection, owner, wish), limit)
    empty = _EMPTY if wish == operations.SoundWish() else "No sound is as you say."
    print_sounds(lines, as_json=as_json, empty=empty)


@sounds.command("show")
def show_sounds(names: SoundNames, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Show all that is known of sounds: chapters, muted parts, how loud they were and are, and where they lie."""
    with open_command().engine.connect() as connection:
        owner = person_named(connection, person)
        numbers = sounds_named(connection, owner, names)
        chosen = [operations.show_sound(connection, owner, number) for number in numbers]
    for details in chosen:
        if as_json:
            print_json(details)
        else:
            _print_details(details)


@sounds.command("add")
def add(
    addresses: Annotated[
        list[str], typer.Argument(metavar="ADDRESS...", help="Addresses of videos, tracks or files of sound.")
    ],
    kind: Annotated[str, typer.Option(help=f"What they are: {', '.join(KINDS)}.")] = "track",
    profile: ProfileName = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Have sounds fetched from their addresses and made evenly loud; the same is never fetched twice.

    That is done while Lootwire runs; `lootwire extractions` shows how far it is.
    """
    runtime, now = open_command(), utc_now()
    checked = checked_kind(kind)
    with runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        added = operations.add_sounds(runtime, connection, owner, addresses, now, kind=checked, profile=profile)
    for each in added:
        if as_json:
            print_json(each)
        else:
            how = "will be fetched" if each.new else "is there already"
            number = each.extraction
            console.print(f"Extraction {number} {how}: lootwire extractions show {number}", markup=False)


@sounds.command("retry")
def retry(
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="[EXTRACTION...]", min=1, max=GREATEST, help="As `extractions` numbers them."),
    ] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Try extractions again that failed or were cancelled, and those that wait at once; all that failed without any."""
    runtime, now = open_command(), utc_now()
    with runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        again = retry_extractions(runtime.settings, connection, owner, now, numbers or ())
    _say_extractions(again, "tried again", as_json=as_json)


@sounds.command("cancel")
def cancel(numbers: Numbers, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Cancel extractions; whatever fetches one just now ends within seconds."""
    now = utc_now()
    with open_command().engine.begin() as connection:
        cancelled = cancel_extractions(connection, person_named(connection, person), now, numbers)
    _say_extractions(cancelled, "cancelled", as_json=as_json)


@sounds.command("remove")
def remove(names: SoundNames, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Remove sounds from shows, playlists and feeds, and delete what was fetched and made of them.

    Files in your own folders are never touched.
    """
    runtime, now = open_command(), utc_now()
    with runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        removed = operations.remove(connection, sounds_named(connection, owner, names), now)
    operations.free(runtime)
    if as_json:
        print_json({"removed": list(removed)})
    else:
        console.print(f"{counted_plainly(len(removed), 'sound')} removed.", markup=False)


@sounds.command("tag")
def tag(
    name: Annotated[
        str | None, typer.Argument(metavar="[SOUND]", help="A sound; without one, all tags are shown.")
    ] = None,
    tags: Annotated[list[str] | None, typer.Argument(metavar="[TAG...]", help="Tags to give it.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="TAG", help="A tag to take from it; may be repeated.")
    ] = None,
    person: PersonName = None,
    as_json: JsonFlag = False,
) -> None:
    """Give a sound tags of your own, or take some from it; without a sound, show which tags there are."""
    with open_command().engine.begin() as connection:
        owner = person_named(connection, person)
        if name is None:
            rows = [msgspec.to_builtins(each) for each in operations.list_tags(connection, owner)]
            empty = "No sound has a tag yet: lootwire sounds tag SOUND TAG"
            print_rows(rows, as_json=as_json, columns=("tag", "sounds"), empty=empty)
            return
        (sound_id,) = sounds_named(connection, owner, [name])
        after = operations.tag_sound(connection, sound_id, add=tags or (), remove=remove or ())
    if as_json:
        print_json(after)
    else:
        console.print(f"Sound {sound_id}: {show(after.tags) or 'no tags'}", markup=False, soft_wrap=True)


@sounds.command("play")
def play(names: SoundNames, person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Note that you play sounds, and print the files to play: Lootwire itself has no loudspeaker.

    The file is the evenly loud one where there is one, else the original.
    """
    runtime, now = open_command(), utc_now()
    with runtime.engine.begin() as connection:
        owner = person_named(connection, person)
        numbers = sounds_named(connection, owner, names)
        played = operations.play_sounds(connection, owner, numbers, ORIGIN, now, runtime.settings.data_dir)
    for each in played:
        if as_json:
            print_json(each)
        else:
            console.print(show(each.path or f"{each.title}: its file is missing"), markup=False, soft_wrap=True)


@sounds.command("stats")
def show_statistics(person: PersonName = None, as_json: JsonFlag = False) -> None:
    """Add your sounds up: how many of which kind, how long and how large they are, and what is played most."""
    with open_command().engine.connect() as connection:
        statistics = load_statistics(connection, person_named(connection, person))
    if as_json:
        print_json(statistics)
        return
    rows = [
        {
            "kind": each.kind,
            "sounds": each.sounds,
            "length": length(int(each.seconds)) if each.seconds >= 1 else "",
            "size": megabytes(each.bytes),
            "rendered": each.rendered,
            "rendered size": megabytes(each.rendered_bytes),
            "missing": each.missing,
            "plays": each.plays,
        }
        for each in statistics.kinds
    ]
    columns = ("kind", "sounds", "length", "size", "rendered", "rendered size", "missing", "plays")
    print_rows(rows, as_json=False, columns=columns, empty=_EMPTY, needed=3)
    states = ", ".join(f"{count:,} {state}" for state, count in statistics.extractions.items())
    if states:
        console.print(f"Extractions: {states}", markup=False)
    for each in statistics.most_played:
        console.print(f"{each.plays:,} × {show(each.title)}", markup=False, soft_wrap=True)


def checked_kind(kind: str, kinds: Sequence[SoundKind] = KINDS) -> SoundKind:
    """Return a kind of sound; raises `UsageError` with those that there are where it is none of them."""
    return check_word(kind, kinds, "kind")  # type: ignore[return-value] # the words are those of the type


def print_sounds(lines: Sequence[SoundLine], *, as_json: bool, empty: str) -> None:
    """Print sounds as lists have them."""
    if as_json:
        for line in lines:
            print_json(line)
        return
    columns = ("sound", "title", "length", "of", "kind", "loudness", "published_at", "tags", "state")
    print_rows(map(_readable, lines), as_json=False, columns=columns, empty=empty)


def megabytes(count: int) -> str:
    """Return a number of bytes as a person reads it."""
    return f"{count / 1_000_000_000:,.1f} GB" if count >= 1_000_000_000 else f"{count / 1_000_000:,.1f} MB"


def _readable(line: SoundLine) -> dict[str, Any]:
    ready = [profile for profile, state in line.renditions.items() if state == "ready"]
    failed = [profile for profile, state in line.renditions.items() if state == "failed"]
    state = "missing" if line.is_missing else f"not rendered: {show(failed)}" if failed else ""
    return {
        "sound": line.id,
        "title": line.title,
        "length": clock(line.seconds),
        "of": line.channel or line.artist,
        "kind": line.kind,
        "loudness": ready,
        "published_at": line.published_at or line.added_at,
        "tags": line.tags,
        "state": state,
    }


def clock(seconds: float | None) -> str:
    """Return seconds as a player shows them: 1:02:03, 4:05, or 0.3 s of what is short; nothing for None."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 10 else moment(seconds)


def moment(seconds: float) -> str:
    """Return a place in a sound as a player shows it: 0:00, 4:05, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _print_details(details: operations.SoundAnswer) -> None:
    console.print(f"{show(details.title)} is sound {details.id}", markup=False, style="bold")
    muted = None if not details.muted_seconds else f"{length(int(details.muted_seconds))}, by the service"
    facts = (
        ("Kind", details.kind),
        ("Of", details.channel or details.artist),
        ("Published", details.published_at),
        ("Length", clock(details.seconds)),
        ("Size", megabytes(details.size)),
        ("Tags", details.tags),
        ("Also called", details.aliases),
        ("Page", details.webpage_url),
        ("Shows", details.shows),
        ("Playlists", details.playlists),
        ("Played", f"{details.plays:,} times" if details.plays else None),
        ("Muted", muted),
        ("Files", details.files),
        ("Missing", "its file is gone" if details.is_missing else None),
    )
    for label, value in facts:
        if value:
            console.print(f"  {label}: {show(value)}", markup=False, soft_wrap=True)
    for chapter in details.chapters:
        console.print(f"  {moment(chapter['start'])}  {show(chapter['title'])}", markup=False, soft_wrap=True)
    rows = [
        {
            "profile": each.profile,
            "state": each.state,
            "mode": each.mode,
            "LUFS": _arrow(each.integrated_before, each.integrated_after),
            "dBTP": _arrow(each.true_peak_before, each.true_peak_after),
            "codec": f"{each.codec} {each.bitrate}k" if each.codec and each.bitrate else each.codec,
            "note": each.error or each.note,
        }
        for each in details.renditions
    ]
    if rows:
        columns = ("profile", "state", "mode", "LUFS", "dBTP", "codec", "note")
        print_rows(rows, as_json=False, columns=columns, empty="")


def _arrow(before: float | None, after: float | None) -> str:
    return f"{_figure(before)} → {_figure(after)}" if before is not None or after is not None else ""


def _figure(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"


def _say_extractions(changes: Sequence[ExtractionChange], became: str, *, as_json: bool) -> None:
    if as_json:
        for change in changes:
            print_json(change)
    else:
        named = f": {', '.join(str(change.extraction) for change in changes)}" if changes else ""
        console.print(f"{counted_plainly(len(changes), 'extraction')} {became}{named}.", markup=False)
