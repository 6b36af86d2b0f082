"""One probe or download by yt-dlp: its options, what it says, and what its errors were. For the child alone."""

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import msgspec
import yt_dlp
import yt_dlp.globals
import yt_dlp.networking.exceptions

from models.errors import LootwireError
from pipeline.sound.chapters import muted_of_playlist
from pipeline.sound.downloading import wire
from pipeline.sound.downloading.guard import Guard
from pipeline.sound.downloading.info import ITEM, read_info, read_listing
from pipeline.sound.downloading.resuming import mend_resuming
from pipeline.sound.records import ErrorKind, MediaInfo, Muted
from pipeline.sound.troubles import Failure

# Sound alone first (Twitch calls it Audio_Only), as AAC where it can be had, else the smallest video that has sound.
# `?`: also where the service does not say what is inside.
FORMATS = "ba[ext=m4a]/ba/w/w*[acodec!=?none]"
# In seconds: a line of progress at most so often.
EVERY = 0.5
SUBTITLE_BYTES = 8 * 2**20
THUMBNAIL_BYTES = 16 * 2**20
PLAYLIST_BYTES = 8 * 2**20
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
# What YouTube's channels have for an address without a tab.
_TAB = "YoutubeTab"
TABS = 3
_FINAL = frozenset({401, 403, 404, 410, 429, 451})
_CHAIN = 30
_STATUS = re.compile(r"HTTP Error (\d{3})")


_A_LIST = "the address holds a list of sounds: add it as a show"


class Stopped(LootwireError):
    """The attempt ends by itself, for a reason of ours."""

    def __init__(self, kind: ErrorKind, text: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class _Refused(LootwireError):
    """A refusal that yt-dlp does not catch."""


class _Silence:
    """yt-dlp's logger: what it says may hold signed addresses."""

    def debug(self, message: str) -> None:
        """Say nothing."""

    info = warning = error = debug


class _Downloader(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """yt-dlp, which remembers the last refusal: what gives up after some of them says no more than its text.

    A refused part is not asked for again and again: that would make an address that is known for asking too much.
    """

    is_downloading = False
    refusal: yt_dlp.networking.exceptions.HTTPError | None = None

    def urlopen(self, req: Any) -> Any:
        try:
            return super().urlopen(req)
        except yt_dlp.networking.exceptions.HTTPError as error:
            self.refusal = error
            if self.is_downloading and error.status in _FINAL:
                raise _Refused(str(error)) from error
            raise


class Attempt:
    """One probe or download as `request` asks; `say` passes progress on. `media` is what the service said so far."""

    def __init__(self, request: wire.Request, say: Callable[[wire.Progress], None]) -> None:
        self._request = request
        self._say = say
        self._folder = Path(request.workspace)
        self._said_at = 0.0
        self._downloader: _Downloader | None = None
        self._address, self._item = item_of(request.url)
        self.media: MediaInfo | None = None

    def run(self) -> wire.Probed | wire.Fetched:
        """Do what was asked; raises what yt-dlp does, and `Stopped`."""
        # The environment says so too.
        yt_dlp.globals.all_plugins_loaded.value = True
        mend_resuming()
        with _Downloader(self._options()) as downloader:
            self._downloader = downloader
            self._take_cookies(downloader)
            return self._probe(downloader) if self._request.act == "probe" else self._download(downloader)

    def _options(self) -> dict[str, Any]:
        limits = self._request.limits
        return {
            "format": FORMATS,
            # In the working directory: a path would be read as a template, with variables of the environment.
            "outtmpl": {"default": "original-%(format_id).60s.%(ext)s"},
            "restrictfilenames": True,
            "logger": _Silence(),
            "noprogress": True,
            "color": "never",
            # A download goes on where the last one ended, and lacks no part that could not be had.
            "continuedl": True,
            "overwrites": False,
            "skip_unavailable_fragments": False,
            "updatetime": False,
            # No program but ours reads what came: yt-dlp's ffmpeg would, and could open more than that.
            "fixup": "never",
            "hls_prefer_native": True,
            "external_downloader": {"default": "native"},
            "retries": 2,
            "fragment_retries": 5,
            "extractor_retries": 2,
            "retry_sleep_functions": dict.fromkeys(("http", "fragment", "extractor"), _pause),
            "socket_timeout": 20,
            "ratelimit": limits.rate,
            "noplaylist": True,
            "extract_flat": "in_playlist",
            "playlistend": self._request.entries if self._item is None else None,
            "playlist_items": None if self._item is None else str(self._item),
            "cachedir": False,
            "proxy": "",
            "geo_bypass": False,
            "enable_file_urls": False,
            "default_search": "error",
            "allow_unplayable_formats": False,
            "usenetrc": False,
            "js_runtimes": {"deno": {"path": self._request.deno}} if self._request.deno else {},
            "remote_components": [],
            "cookiefile": self._request.cookies,
            "match_filter": self._look,
            "progress_hooks": [self._progress],
        }

    def _take_cookies(self, downloader: _Downloader) -> None:
        if self._request.cookies is not None:
            # They are read at the first use; then neither the file nor the wish to write it is left.
            _ = downloader.cookiejar
            Path(self._request.cookies).unlink(missing_ok=True)
            downloader.params["cookiefile"] = None
            downloader.save_cookies = lambda: None

    def _probe(self, downloader: _Downloader) -> wire.Probed:
        document = self._the_item(downloader.extract_info(self._address, download=False) or {})
        if _is_list(document):
            entries = self._entries(downloader, document)
            plain = downloader.sanitize_info({**document, "entries": entries})
            return wire.Probed(listing=read_listing(plain, self._request.entries))
        self._look(document)
        return wire.Probed(media=self.media)

    def _entries(self, downloader: _Downloader, document: Mapping[str, Any]) -> list[Any]:
        """Return what a list holds; for a list of a channel's tabs (videos, streams, shorts) what each of them does."""
        entries = list(islice(document.get("entries") or (), self._request.entries))
        if not all(isinstance(each, Mapping) and each.get("ie_key") == _TAB for each in entries):
            return entries
        tabs = [downloader.extract_info(each["url"], download=False) or {} for each in entries[:TABS]]
        # By turns, so that none is crowded out.
        turns = zip_longest(*(islice(tab.get("entries") or (), self._request.entries) for tab in tabs))
        return [each for turn in turns for each in turn if each is not None]

    def _download(self, downloader: _Downloader) -> wire.Fetched:
        document = self._the_item(downloader.extract_info(self._address, download=True) or {})
        if _is_list(document):
            raise Stopped("unsupported", _A_LIST)
        downloads = document.get("requested_downloads") or ()
        if self.media is None or not downloads:
            raise Stopped("tool", "yt-dlp ended without a file")
        downloader.is_downloading = False
        name = Path(downloads[0]["filepath"]).name
        media = msgspec.structs.replace(self.media, muted=self._muted(downloader, downloads[0]))
        return wire.Fetched(
            media=media,
            name=name,
            subtitles=tuple(islice(self._subtitles(downloader, document), self._request.subtitles)),
            thumbnail=self._beside(downloader, media.thumbnail_url, "thumbnail", THUMBNAIL_BYTES),
        )

    def _the_item(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the one of a page's sounds that was asked for; a document that is no list as it is."""
        if self._item is None or not _is_list(document):
            return document
        items = list(islice(document.get("entries") or (), 2))
        if len(items) != 1 or not items[0]:
            raise Stopped("gone", f"this page has no sound number {self._item} any more")
        item: Mapping[str, Any] = items[0]
        return item

    def _look(self, document: Mapping[str, Any], *, incomplete: bool = False) -> None:
        """Keep what a document says; raises `Stopped` for what is not yet to be had."""
        if incomplete or _is_list(document):
            return
        if document.get("playlist_index") is not None and self._item is None:
            # All of them would be fetched.
            raise Stopped("unsupported", _A_LIST)
        self.media = read_info(yt_dlp.YoutubeDL.sanitize_info(dict(document)))
        if self.media.live_status in {"is_live", "post_live"}:
            raise Stopped("live")
        if self.media.live_status == "is_upcoming":
            raise Stopped("upcoming")
        if self._downloader is not None:
            self._downloader.is_downloading = self._request.act == "download"

    def _progress(self, status: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if now - self._said_at < EVERY and status.get("status") != "finished":
            return
        self._said_at = now
        size = int(status.get("downloaded_bytes") or 0)
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        limits = self._request.limits
        if limits.size is not None and max(size, int(status.get("total_bytes") or 0)) > limits.size:
            raise Stopped("quota", f"it is larger than the {limits.size / 1e6:,.1f} MB that are left")
        if shutil.disk_usage(self._folder).free < limits.keep_free:
            raise Stopped("disk", f"less than {limits.keep_free / 1e6:,.0f} MB are free")
        part = min(size / total, 1.0) if total else None
        self._say(wire.Progress(size=size, total=int(total) if total else None, part=part))

    def _muted(self, downloader: _Downloader, chosen: Mapping[str, Any]) -> tuple[Muted, ...] | None:
        """Return the muted parts by the names of the segments: Twitch alone has such."""
        if self.media is None or self.media.service != "twitch" or not self.media.is_muted:
            return None
        text = b""
        with suppress(yt_dlp.utils.YoutubeDLError, OSError, ValueError), downloader.urlopen(chosen["url"]) as answer:
            text = answer.read(PLAYLIST_BYTES)
        return muted_of_playlist(text.decode("utf-8", "replace")) or None

    def _subtitles(self, downloader: _Downloader, document: Mapping[str, Any]) -> Iterator[wire.SubtitleFile]:
        """Fetch the subtitles that `media` names; those that cannot be had are left out."""
        offered = document.get("subtitles") or {}
        for number, subtitles in enumerate(self.media.subtitles if self.media is not None else ()):
            # Languages are written as BCP 47 has them, `en_US` as `en-US`.
            files = next((offered[name] for name in offered if name.replace("_", "-") == subtitles.language), ())
            chosen: Mapping[str, Any] = next((each for each in files if each.get("ext") == subtitles.format), {})
            name = f"subtitles-{number}.{subtitles.format}"
            if self._beside(downloader, chosen.get("url"), name, SUBTITLE_BYTES, chosen.get("data")) is not None:
                yield wire.SubtitleFile(
                    name=name, language=subtitles.language, format="srt" if subtitles.format == "srt" else "vtt"
                )

    def _beside(self, downloader: _Downloader, url: Any, name: str, most: int, data: Any = None) -> str | None:
        """Fetch a small file into the workspace and return its name; None where it cannot be had or is too large."""
        content = data.encode() if isinstance(data, str) else None
        if content is None and isinstance(url, str) and re.match(r"https?://", url):
            with suppress(yt_dlp.utils.YoutubeDLError, OSError, ValueError), downloader.urlopen(url) as answer:
                content = answer.read(most + 1)
        if not content or len(content) > most:
            return None
        draft = self._folder / f".{name}"
        draft.write_bytes(content)
        draft.replace(self._folder / name)
        return name

    def _refusal(self, text: str) -> yt_dlp.networking.exceptions.HTTPError | None:
        """Return the last refusal where that is what a text speaks of."""
        refusal = self._downloader.refusal if self._downloader is not None else None
        spoken_of = _STATUS.search(text)
        return refusal if refusal is not None and spoken_of and int(spoken_of[1]) == refusal.status else None

    def failure(self, error: BaseException, guard: Guard) -> Failure:
        """Return what an error was, with those that caused it, in words without this machine's paths."""
        chain = list(islice(_causes(error), _CHAIN))
        answer = next((each for each in chain if isinstance(each, yt_dlp.networking.exceptions.HTTPError)), None)
        saying = next((each.orig_msg for each in chain if isinstance(each, yt_dlp.utils.ExtractorError)), str(error))
        answer = answer or self._refusal(str(error))
        headers = answer.response.headers if answer is not None else {}
        system = next((each for each in chain if isinstance(each, OSError) and _is_of_disk(each)), None)
        return Failure(
            names=tuple(dict.fromkeys(name for each in chain for name in _names(each))),
            text=str(saying).replace(os.fspath(self._folder), "the workspace"),
            kind=error.kind if isinstance(error, Stopped) else None,
            status=answer.status if answer is not None else None,
            retry_after=headers.get("Retry-After"),
            sent_at=headers.get("Date"),
            errno_name=errno.errorcode.get(system.errno or 0) if system is not None else None,
            is_inward=guard.refusals > 0 and answer is None and not isinstance(error, Stopped),
            is_expected=any(getattr(each, "expected", False) is True for each in chain),
            with_cookies=self._request.cookies is not None,
            while_downloading=self._downloader is not None and self._downloader.is_downloading,
        )


def item_of(url: str) -> tuple[str, int | None]:
    """Return an address, and the number of the sound on its page where it names one: `…#lootwire-2`."""
    address, mark, number = url.partition(ITEM)
    return (address, int(number)) if mark and number.isascii() and number.isdigit() and number != "0" else (url, None)


def _is_list(document: Mapping[str, Any]) -> bool:
    return document.get("_type") in {"playlist", "multi_video"}


def _pause(n: int) -> float:
    return float(min(2**n, 8))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and those that it came of, by all the ways that yt-dlp and Python note them; each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        own = (getattr(each, "exc_info", None) or (None, None))[1]
        causes = (own, getattr(each, "cause", None), getattr(each, "reason", None), each.__cause__, each.__context__)
        waiting.extend(cause for cause in causes if isinstance(cause, BaseException))


def _names(error: BaseException) -> Iterator[str]:
    # The classes that it is one of, since a handler's errors are children of yt-dlp's.
    yield from (each.__name__ for each in type(error).__mro__ if each not in {object, BaseException, Exception})


def _is_of_disk(error: OSError) -> bool:
    return error.errno in _DISK or (error.errno == errno.EACCES and error.filename is not None)
