"""Sounds, shows and playlists for the tests of podcasts: rows in few words, and small files that ffmpeg makes."""

import hashlib
import itertools
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from lxml import etree
from sqlalchemy import insert, update

from feeds.podcasts.marking import mark_playlists, mark_shows, mark_sounds
from feeds.publish import publish
from feeds.writing import PublishSummary
from models import Episode, Extraction, Playlist, PlaylistSound, Rendition, Show, Sound
from models.vault import Vault
from tests.feeds.world import BASE_URL, NOON, Publishing

CODECS = {
    "mp3": ["-c:a", "libmp3lame", "-b:a", "64k"],
    "m4a": ["-c:a", "aac", "-b:a", "64k"],
    "opus": ["-c:a", "libopus"],
}


@lru_cache
def tone(ending: str = "mp3", seconds: float = 1.0, pitch: int = 440) -> bytes:
    """A tone as a file of this kind."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    source = f"sine=frequency={pitch}:duration={seconds}"
    forms = {
        "m4a": ["-f", "ipod", "-movflags", "frag_keyframe+empty_moov"],
        "mp3": ["-f", "mp3"],
        "opus": ["-f", "ogg"],
    }
    command = [program, "-v", "error", "-f", "lavfi", "-i", source, *CODECS[ending], *forms[ending], "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


@lru_cache
def picture(colour: str = "teal") -> bytes:
    """A square picture as JPEG."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", f"color={colour}:s=1400x1400"]
    return subprocess.run([*command, "-frames:v", "1", "-f", "mjpeg", "-"], check=True, capture_output=True).stdout


class Station:
    """A world whose owner has sounds in a data directory, with a key file."""

    def __init__(self, world: Publishing, data: Path) -> None:
        self.world = world
        self.data = data
        self.key_file = data / "key"
        Vault.open(self.key_file)
        self._numbers = itertools.count(1)

    def file(self, path: str, data: bytes) -> str:
        """Put a file into the data directory."""
        target = self.data / "sounds" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o600)
        return f"sounds/{path}"

    def sound(self, title: str = "Wipe day", *, at: datetime = NOON, ending: str = "mp3", **columns: Any) -> int:
        """A sound with a rendition for podcasts."""
        number = next(self._numbers)
        data = tone(ending, pitch=300 + number)
        values = {
            "public_id": str(uuid.UUID(int=number, version=4)), "kind": "episode", "title": title, "seconds": 1.0,
            "sha256": hashlib.sha256(b"original" + data).digest(), "size": len(data), "published_at": at,
            "added_at": at,
        }  # fmt: skip
        sound_id = self.world.add(Sound, **values | columns)
        self.render(sound_id, data, ending)
        return sound_id

    def render(self, sound_id: int, data: bytes, ending: str = "mp3", *, profile: str = "podcast") -> None:
        """Have a rendition of a sound with these bytes, in place of the one that it has."""
        digest = hashlib.sha256(data).digest()
        path = self.file(f"renditions/{digest.hex()[:2]}/{digest.hex()}.{ending}", data)
        values = {"path": path, "digest": digest, "size": len(data), "codec": ending, "state": "ready", "seconds": 1.0}
        of_profile = (Rendition.sound_id == sound_id, Rendition.profile == profile)
        with self.world.engine.begin() as connection:
            if not connection.execute(update(Rendition).where(*of_profile).values(values)).rowcount:
                row = {"sound_id": sound_id, "profile": profile, "next_due_at": NOON}
                connection.execute(insert(Rendition).values(row | values))
            mark_sounds(connection, [sound_id])

    def show(self, name: str = "Captain Brine", *sound_ids: int, is_public: bool = True, **columns: Any) -> int:
        values = {
            "public_id": str(uuid.UUID(int=1000 + next(self._numbers), version=4)), "name": name, "title": name,
            "name_key": name.lower(), "is_public": is_public, "since": NOON, "added_at": NOON,
        }  # fmt: skip
        show_id = self.world.add(Show, **values | columns)
        for sound_id in sound_ids:
            self.take(show_id, sound_id)
        return show_id

    def take(self, show_id: int, sound_id: int) -> None:
        """Have a show take a sound."""
        address = f"https://example.com/{next(self._numbers)}"
        row = {"url": address, "host": "example.com", "added_at": NOON, "next_due_at": NOON, "state": "completed"}
        extraction_id = self.world.add(Extraction, **row)
        with self.world.engine.begin() as connection:
            values = {"show_id": show_id, "extraction_id": extraction_id, "sound_id": sound_id, "added_at": NOON}
            connection.execute(insert(Episode).values(values))
            mark_shows(connection, [show_id])

    def let_go(self, show_id: int, sound_id: int) -> None:
        of_show = (Episode.show_id == show_id, Episode.sound_id == sound_id)
        with self.world.engine.begin() as connection:
            connection.execute(update(Episode).where(*of_show).values(kept_out_at=NOON))
            mark_shows(connection, [show_id])

    def playlist(self, name: str, *sound_ids: int, is_public: bool = True) -> int:
        public_id = str(uuid.UUID(int=2000 + next(self._numbers), version=4))
        values = {"public_id": public_id, "name": name, "name_key": name.lower(), "is_public": is_public}
        playlist_id = self.world.add(Playlist, **values, added_at=NOON)
        with self.world.engine.begin() as connection:
            for number, sound_id in enumerate(sound_ids):
                row = {"playlist_id": playlist_id, "sound_id": sound_id, "position": f"{number:04}", "added_at": NOON}
                connection.execute(insert(PlaylistSound).values(row))
            mark_playlists(connection, [playlist_id])
        return playlist_id

    def change(self, table: type[Show] | type[Playlist] | type[Sound], row_id: int, **columns: Any) -> None:
        """Change a row as commands do, and mark what shows it."""
        marks = {Show: mark_shows, Playlist: mark_playlists, Sound: mark_sounds}
        with self.world.engine.begin() as connection:
            connection.execute(update(table).where(table.id == row_id).values(**columns))
            marks[table](connection, [row_id])

    def publish(self, base_url: str = BASE_URL, **options: Any) -> PublishSummary:
        return publish(
            self.world.engine, self.world.root, base_url, self.world.now, vault=lambda: Vault.open(self.key_file),
            data=self.data, **options,
        )  # fmt: skip

    def feeds(self) -> list[str]:
        """The paths of all podcasts' feeds that are there."""
        root = self.world.root
        folders = ("shows/*.rss.xml", "playlists/*.rss.xml", "private/*/*.rss.xml")
        return sorted(str(path.relative_to(root)) for folder in folders for path in root.glob(folder))

    def feed(self) -> Any:
        """The one feed of a podcast that there is, as a tree."""
        (path,) = self.feeds()
        return etree.fromstring((self.world.root / path).read_bytes())

    def files(self, folder: str) -> Mapping[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.world.root / folder).iterdir())}


def enclosures(feed: Any, base_url: str = BASE_URL) -> Iterator[str]:
    """Yield where the sounds of a feed lie below the published folder."""
    return (each.get("url").removeprefix(f"{base_url}/") for each in feed.iter("enclosure"))
