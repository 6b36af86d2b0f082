"""Write a podcast: first what it leads to, then the feed and its pages; what it leads to no more is removed last."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from feeds.formats import RSS_ENDING
from feeds.formats.document import PAGE_ENDING
from feeds.looks import Look
from feeds.podcasts.chapters import chapters_json
from feeds.podcasts.content import (
    HOUSE_ARTWORK,
    Episode,
    Podcast,
    Source,
    Transcript,
    TranscriptFormat,
    digest_of,
)
from feeds.podcasts.pages import render_episode_page, render_podcast_page
from feeds.podcasts.rss import render_podcast
from feeds.podcasts.standing import FOLDERS
from feeds.podcasts.subtitles import SubtitlesError, converted
from feeds.stores import Store
from feeds.stores.packing import ENDINGS
from feeds.templating import ASSETS
from feeds.write import SourceMissing

_logger = logging.getLogger(__name__)


class Files(Protocol):
    """What takes the files of a podcast, and counts them."""

    store: Store

    def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        ...

    def place(self, path: str, source: Path, size: int) -> None:
        """Have a large file under a path."""
        ...


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What all podcasts of a run have in common: where their files come from, and where and how they are shown.

    `data` is the data directory: without one no sound can be published, and podcasts have no episodes.
    """

    data: Path | None
    base_url: str
    look: Look
    stamp: str


def write_podcast(podcast: Podcast, files: Files, setting: Setting) -> tuple[Podcast, frozenset[str]]:
    """Write a podcast, and return it as it was written, with the names of all that it leads to.

    An episode whose file is gone is left out, and subtitles that cannot be read: the log says so. Raises PublishError.
    """
    podcast = _with_files(podcast, files, setting)
    folder = podcast.folder
    for episode in podcast.episodes:
        _write_page(podcast, episode, files, setting)
        if episode.chapters:
            files.write(f"{folder}/{episode.chapters_file}", chapters_json(episode, podcast))
    if podcast.artwork is None:
        files.write(f"{folder}/{podcast.artwork_file}", (ASSETS / HOUSE_ARTWORK).read_bytes())
    files.write(podcast.path + RSS_ENDING, render_podcast(podcast, setting.base_url))
    files.write(podcast.path + PAGE_ENDING, render_podcast_page(podcast, stamp=setting.stamp, look=setting.look))
    return podcast, frozenset(_names(podcast))


def _write_page(podcast: Podcast, episode: Episode, files: Files, setting: Setting) -> None:
    """Write the page of an episode, unless it is there: one new episode is no reason to render hundreds of pages."""
    path = f"{podcast.folder}/{episode.page}"
    stamp = digest_of(setting.stamp, podcast.title, podcast.path, msgspec.json.encode(episode).decode())
    if files.store.stamp_of(path) != stamp:
        files.write(path, render_episode_page(podcast, episode, stamp=stamp, look=setting.look))


def remove_unwanted(root: Path, podcast: Podcast, wanted: Iterable[str], store: Store) -> int:
    """Remove what lies in a podcast's folder and is not wanted there, and return how many files that were.

    Call it when the feed that does not lead there any more is on the disk.
    """
    names, removed = set(wanted), 0
    for path in _files_in(root / podcast.folder):
        if path.name not in names:
            removed += store.remove(f"{podcast.folder}/{path.name}")
    return removed


def leftover(root: Path, paths: Sequence[str]) -> Iterator[str]:
    """Yield the files of podcasts that lie in the open at none of these paths: their show is private or gone."""
    for above in FOLDERS.values():
        try:
            entries = sorted((root / above).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            if f"{above}/{entry.name.partition('.')[0]}" in paths:
                continue
            if entry.is_dir() and not entry.is_symlink():
                yield from (f"{above}/{entry.name}/{path.name}" for path in _files_in(entry))
            elif not entry.name.endswith(tuple(ENDINGS.values())):
                yield f"{above}/{entry.name}"


def _files_in(folder: Path) -> Iterator[Path]:
    """Yield what lies in a folder but what is packed of something that does: a store removes them together."""
    try:
        entries = {path.name: path for path in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in sorted(entries):
        plain = next((name.removesuffix(ending) for ending in ENDINGS.values() if name.endswith(ending)), name)
        if plain == name or plain not in entries:
            yield entries[name]


def _names(podcast: Podcast) -> Iterator[str]:
    own = podcast.path.rpartition("/")[2]
    yield from (f"{own}{RSS_ENDING}", f"{own}{PAGE_ENDING}", podcast.artwork_file)
    for episode in podcast.episodes:
        yield from (episode.file, episode.page)
        if episode.chapters:
            yield episode.chapters_file
        if episode.artwork_file:
            yield episode.artwork_file
        yield from (episode.transcript_file(*each) for each in episode.transcript_files)


def _with_files(podcast: Podcast, files: Files, setting: Setting) -> Podcast:
    """Put the files of a podcast into its folder, and return it with those that are there."""
    podcast = msgspec.structs.replace(podcast, artwork=_picture(podcast.artwork, setting))
    if podcast.artwork is not None:
        _place_picture(f"{podcast.folder}/{podcast.artwork_file}", podcast.artwork, files, setting)
    present = (_with_its_files(episode, podcast.folder, files, setting) for episode in podcast.episodes)
    return msgspec.structs.replace(podcast, episodes=tuple(episode for episode in present if episode is not None))


def _with_its_files(episode: Episode, folder: str, files: Files, setting: Setting) -> Episode | None:
    source = _path(setting, episode.enclosure)
    if source is None:
        return None
    try:
        files.place(f"{folder}/{episode.file}", source, episode.size)
    except SourceMissing as error:
        _logger.warning("A sound is left out of its podcast: %s", error, extra={"sound": episode.public_id})
        return None
    episode = msgspec.structs.replace(
        episode,
        artwork=_picture(episode.artwork, setting),
        transcripts=tuple(_with_subtitles(episode, folder, files, setting)),
    )
    if episode.artwork is not None:
        _place_picture(f"{folder}/{episode.artwork_file}", episode.artwork, files, setting)
    return episode


def _with_subtitles(episode: Episode, folder: str, files: Files, setting: Setting) -> Iterator[Transcript]:
    """Write the subtitles of each language in both formats, and yield what they are made of."""
    languages = {each.language for each in episode.transcripts}
    for language in sorted(languages):
        of_language = {each.format: each for each in episode.transcripts if each.language == language}
        try:
            written = {each: _subtitles(of_language, each, setting) for each in ("srt", "vtt")}
        except (OSError, SubtitlesError) as error:
            shown = error.strerror if isinstance(error, OSError) else error
            _logger.warning("Subtitles are left out: %s", shown, extra={"sound": episode.public_id})
            continue
        for format_, data in written.items():
            files.write(f"{folder}/{episode.transcript_file(language, format_)}", data)  # type: ignore[arg-type]
        yield next(iter(of_language.values()))


def _subtitles(of_language: dict[TranscriptFormat, Transcript], wanted: str, setting: Setting) -> bytes:
    transcript = of_language.get(wanted) or next(iter(of_language.values()))  # type: ignore[call-overload]
    path = _path(setting, transcript.source)
    if path is None:
        raise SubtitlesError("there is no data directory")
    return converted(path.read_bytes(), transcript.format, wanted)  # type: ignore[arg-type]


def _picture(source: Source | None, setting: Setting) -> Source | None:
    """Return a picture with a digest that is another where the file is; None where it is gone, or is none of ours."""
    path = None if source is None else _path(setting, source)
    if source is None or path is None or path.is_symlink() or not path.is_file():
        return None
    status = path.stat()
    return Source(path=source.path, digest=digest_of(source.path, status.st_size, status.st_mtime_ns))


def _place_picture(path: str, source: Source, files: Files, setting: Setting) -> None:
    file = _path(setting, source)
    if file is not None:
        files.place(path, file, file.stat().st_size)


def _path(setting: Setting, source: Source) -> Path | None:
    """Return where a file of the data directory is; None for a path that leads out of it."""
    if setting.data is None:
        return None
    path = setting.data / source.path
    return path if path.is_relative_to(setting.data) and ".." not in path.parts else None
