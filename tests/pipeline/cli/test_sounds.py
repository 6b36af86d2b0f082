"""`lootwire sounds`, `shows`, `playlists` and `extractions`."""

import re
import sys
import wave
from math import sin
from pathlib import Path
from struct import pack

import pytest
from sqlalchemy import insert, select, update

from models import Channel, Extraction, Follow, Game, Play, Show, Sound, SoundHost
from models.vault import Vault
from pipeline.sound.store.hosts import load_cookies
from tests.feeds.world import NOON
from tests.pipeline.cli.operator import Operator
from tests.pipeline.sound.wheels import NEWER, wheel

SECRET = "s3cret-session"
COOKIES = f"# Netscape HTTP Cookie File\n.tube.example\tTRUE\t/\tTRUE\t4102444800\tsession\t{SECRET}\n"


def tone(path: Path, pitch: float, seconds: float = 4.0) -> None:
    """Write a tone of some seconds."""
    rate = 8000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = (int(3000 * sin(pitch * number)) for number in range(int(rate * seconds)))
        file.writeframes(b"".join(pack("<h", sample) for sample in samples))


@pytest.fixture
def folder(operator: Operator, tmp_path: Path) -> Path:
    """A folder with two tones and a file that is no sound, which was scanned."""
    folder = tmp_path / "effects"
    folder.mkdir()
    tone(folder / "air_horn.wav", 0.5)
    tone(folder / "door bell.wav", 0.2)
    (folder / "broken.mp3").write_bytes(b"this is no sound")
    return folder


@pytest.fixture
def scanned(operator: Operator, folder: Path) -> Path:
    operator.run("sounds", "scan", str(folder))
    return folder


@pytest.fixture
def ann(operator: Operator) -> int:
    """A channel that is followed, so that nobody need ask Twitch for it."""
    with operator.engine.begin() as connection:
        row = {"service": "twitch", "external_id": "501", "login": "ann", "display_name": "Ann", "first_seen_at": NOON}
        channel_id = connection.scalars(insert(Channel).values(row).returning(Channel.id)).one()
        connection.execute(insert(Follow).values(kind="channel", channel_id=channel_id, created_at=NOON))
        connection.execute(insert(Game).values(name="Rust", name_key="rust", public_id="1a2b3c4d"))
    return channel_id


def test_a_folder_is_scanned_again_and_again_and_says_what_became_of_its_files(
    operator: Operator, folder: Path
) -> None:
    first = operator.run("sounds", "scan", str(folder))
    assert first.code == 3
    assert "3 files, 3 read: 2 added, 1 unreadable." in first.out
    assert "unreadable: broken.mp3" in first.errors

    (folder / "broken.mp3").unlink()
    (folder / "air_horn.wav").rename(folder / "horn.wav")
    (folder / "again.wav").write_bytes((folder / "door bell.wav").read_bytes())
    again = operator.run("sounds", "scan", "--json")
    (row,) = again.lines
    assert (again.code, row["moved"], row["duplicate"], row["unreadable"], row["read"]) == (0, 1, 1, 0, 1)
    assert {"what": "moved", "file": "horn.wav", "other": "air_horn.wav", "sound_id": 1} in row["files"]

    (folder / "horn.wav").unlink()
    assert "missing: horn.wav" in operator.run("sounds", "scan", "1").out
    assert [line["title"] for line in operator.run("sounds", "list", "--missing", "--json").lines] == ["air horn"]
    (listed,) = operator.run("sounds", "folders", "--json").lines
    assert (listed["path"], listed["sounds"]) == (str(folder), 2)

    operator.run("sounds", "forget", str(folder))
    assert len(operator.run("sounds", "list", "--missing", "--json").lines) == 2
    assert "no folder of sounds is" in operator.run("sounds", "forget", str(folder)).errors
    assert "that can be listed" in operator.run("sounds", "scan", str(folder / "none")).errors


def test_sounds_are_tagged_played_and_added_up(operator: Operator, scanned: Path) -> None:
    assert "Sound 1: loud" in operator.run("sounds", "tag", "air horn", "loud").out
    assert operator.run("sounds", "tag", "air horn", "short", "--remove", "LOUD", "--json").lines[0]["tags"] == [
        "short"
    ]
    assert operator.run("sounds", "tag", "--json").lines == [{"tag": "short", "sounds": 1}]
    assert [row["sound"] for row in operator.run("sounds", "list", "--tag", "short", "--json").lines] == [1]

    assert operator.run("sounds", "play", "horn").out.strip() == str(scanned / "air_horn.wav")
    (played,) = operator.run("sounds", "play", "1", "--json").lines
    assert played["title"] == "air horn"
    with operator.engine.connect() as connection:
        assert connection.scalars(select(Play.origin)).all() == ["command", "command"]

    (statistics,) = operator.run("sounds", "stats", "--json").lines
    assert statistics["kinds"][0] | {"bytes": 0} == {
        "kind": "effect",
        "sounds": 2,
        "seconds": 8.0,
        "bytes": 0,
        "rendered": 0,
        "rendered_bytes": 0,
        "missing": 0,
        "plays": 2,
    }
    assert "2 × air horn" in operator.run("sounds", "stats").out


def test_sounds_are_made_evenly_loud_and_show_how_loud_they_were(operator: Operator, scanned: Path) -> None:
    rendered = operator.run("sounds", "render", "--kind", "effect", "--json")
    assert rendered.code == 0
    assert [(row["sound"], row["profile"], row["outcome"]) for row in rendered.lines] == [
        (1, "effects", "rendered"),
        (2, "effects", "rendered"),
    ]
    assert "Every sound is rendered" in operator.run("sounds", "render").out
    assert [row["outcome"] for row in operator.run("sounds", "render", "bell", "--force", "--json").lines] == [
        "rendered"
    ]
    assert operator.run("sounds", "list", "--unrendered", "--json").lines == []

    (shown,) = operator.run("sounds", "show", "1", "--json").lines
    (rendition,) = shown["renditions"]
    assert abs(rendition["integrated_after"] + 16) < 0.5
    assert operator.run("sounds", "play", "1").out.strip().endswith(".mp3")
    assert "effects" in operator.run("sounds", "show", "1").out
    assert "no profile 'soft'; there are podcast" in operator.run("sounds", "render", "--profile", "soft").errors


def test_a_sound_that_is_removed_is_gone_and_its_file_is_not(operator: Operator, scanned: Path) -> None:
    operator.run("sounds", "render", "1")
    renditions = list((operator.folder / "data" / "sounds" / "renditions").rglob("*.mp3"))
    assert len(renditions) == 1

    assert operator.run("sounds", "remove", "air horn").out == "1 sound removed.\n"

    assert [row["sound"] for row in operator.run("sounds", "--json").lines] == [2]
    assert (scanned / "air_horn.wav").exists()
    assert not renditions[0].exists()


def test_which_sound_is_meant_is_said_or_asked_for(operator: Operator, scanned: Path) -> None:
    with operator.engine.begin() as connection:
        public_id = connection.scalar(select(Sound.public_id).where(Sound.id == 2))
    assert operator.run("sounds", "show", str(public_id)[:8], "--json").lines[0]["sound"] == 2
    unknown = operator.run("sounds", "show", "air hron")
    assert (unknown.code, "did you mean 'air horn'" in unknown.errors) == (2, True)
    assert "may be several sounds: 1 (air horn), 2 (door bell)" in operator.run("sounds", "show", "r").errors
    assert "no sound '99'" in operator.run("sounds", "show", "99").errors


def test_addresses_are_fetched_once_cancelled_and_tried_again(operator: Operator) -> None:
    address = "https://tube.example/watch?v=1"
    assert operator.run("sounds", "add", address, "--kind", "clip", "--json").lines == [{"extraction": 1, "new": True}]
    assert "is there already" in operator.run("sounds", "add", address).out
    assert "sounds are fetched from http" in operator.run("sounds", "add", "file:///etc/passwd").errors

    (waiting,) = operator.run("extractions", "--json").lines
    assert (waiting["state"], waiting["stage"], waiting["kind"]) == ("pending", "probe", "clip")
    assert "1 extraction cancelled: 1." in operator.run("sounds", "cancel", "1").out
    assert "only one that goes on can be cancelled" in operator.run("sounds", "cancel", "1").errors
    assert operator.run("extractions", "list", "--state", "pending", "--json").lines == []
    assert operator.run("sounds", "retry", "1", "--json").lines == [{"extraction": 1, "result": "tried again"}]

    with operator.engine.begin() as connection:
        failed = {"state": "failed", "error_kind": "private", "error": "it is private", "is_permanent": True}
        connection.execute(update(Extraction).values(failed))
    shown = operator.run("extractions", "show", "1").out
    assert "Kind of error: private: nothing cures it" in shown
    assert "lootwire sounds retry 1" in shown
    assert "1 extraction tried again: 1." in operator.run("sounds", "retry").out
    assert "no extraction 7" in operator.run("extractions", "show", "7").errors


def test_a_playlist_is_made_filled_ordered_and_removed(operator: Operator, scanned: Path) -> None:
    made = operator.run("playlists", "create", "For the Drive").out
    assert "https://drops.example/" in made
    assert "lootwire feeds rotate" in made
    assert "already" in operator.run("playlists", "create", "for the drive").errors

    (filled,) = operator.run("playlists", "add", "for the drive", "bell", "horn", "--json").lines
    assert [row["title"] for row in filled["order"]] == ["door bell", "air horn"]
    (moved,) = operator.run("playlists", "move", "For the Drive", "horn", "1", "--json").lines
    assert [row["title"] for row in moved["order"]] == ["air horn", "door bell"]
    assert [row["title"] for row in operator.run("sounds", "list", "--playlist", "For the Drive", "--json").lines] == [
        "air horn",
        "door bell",
    ]
    (left,) = operator.run("playlists", "take-off", "For the Drive", "horn", "--json").lines
    assert [row["title"] for row in left["order"]] == ["door bell"]
    assert "is not on" in operator.run("playlists", "move", "For the Drive", "horn", "1").errors

    (changed,) = operator.run("playlists", "change", "For the Drive", "--name", "Bells", "--public", "--json").lines
    assert (changed["name"], changed["is_public"]) == ("Bells", True)
    (shown,) = operator.run("playlists", "show", "Bells", "--json").lines
    assert shown["rss"].startswith("https://drops.example/playlists/")
    assert [row["sound"] for row in shown["order"]] == [2]
    assert "Bells is removed" in operator.run("playlists", "remove", "bells").out
    assert operator.run("playlists", "--json").lines == []


def test_a_show_of_a_channel_is_added_changed_and_removed(operator: Operator, ann: int) -> None:
    (added,) = operator.run(
        "shows", "add", "ann", "--kind", "archive", "--kind", "clip", "--keep", "20,30d", "--longer-than", "10m",
        "--category", "rust", "--since", "2d", "--json",
    ).lines  # fmt: skip
    assert (added["name"], added["author"], added["keep_count"], added["keep_days"]) == ("Ann", "Ann", 20, 30)
    assert added["rss"].startswith("https://drops.example/private/")
    assert "already" in operator.run("shows", "add", "https://www.twitch.tv/ann").errors

    (changed,) = operator.run(
        "shows", "change", "ann", "--keep", "5GB", "--category", "", "--name", "Nightly", "--explicit", "--json"
    ).lines
    assert (changed["keep_count"], changed["keep_mb"], changed["name"], changed["is_explicit"]) == (
        None,
        5000,
        "Nightly",
        True,
    )
    with operator.engine.connect() as connection:
        assert connection.execute(select(Show.channel_id, Show.game_id, Show.longer_than)).one() == (ann, None, 600)
    (listed,) = operator.run("shows", "--json").lines
    assert (listed["channel"], listed["episodes"], listed["waiting"]) == ("Ann", 0, 0)
    shown = operator.run("shows", "show", "nightly").out
    assert "Keeps: 5,000 MB" in shown
    assert "Takes: archive, clip longer than 600 seconds" in shown
    assert "Nightly is removed" in operator.run("shows", "remove", "Nightly").out
    assert operator.run("shows", "--json").lines == []


def test_a_show_of_an_address_takes_its_name_from_it(operator: Operator) -> None:
    (added,) = operator.run("shows", "add", "https://www.tube.example/playlists/walks", "--public", "--json").lines
    assert (added["name"], added["url"]) == ("tube.example walks", "https://www.tube.example/playlists/walks")
    assert added["rss"].startswith("https://drops.example/shows/")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--keep", "lots"], "'lots' is no amount to keep"),
        (["--kind", "movie"], "'movie' is no kind of video; there are archive"),
        (["--longer-than", "long"], "'long' is no length: write 90s, 10m or 2h"),
        (["--category", "Rsut"], "did you mean 'Rust'"),
        (["--profile", "soft"], "there is no profile 'soft'"),
        (["--cover", "none.png"], "none.png is no picture that can be read"),
        (["--cover", __file__], "is no picture that can be read"),
        (["--genre", "Walks"], "'Walks' is none of Apple's categories: Arts"),
        (["--language", "my own"], "'my own' is no code of a language: write en or pt-BR"),
    ],
)
def test_what_a_show_cannot_be_is_said_with_the_way_out(
    operator: Operator, ann: int, options: list[str], complaint: str
) -> None:
    result = operator.run("shows", "add", "ann", *options)
    assert result.code == 2
    assert complaint in result.errors
    assert operator.run("shows", "--json").lines == []


def test_an_address_has_no_kinds_of_videos(operator: Operator) -> None:
    result = operator.run("shows", "add", "https://www.tube.example/playlists/walks", "--kind", "clip")
    assert "--kind is of the videos of a Twitch channel" in result.errors
    operator.run("shows", "add", "https://www.tube.example/playlists/walks")
    assert "what is listed there" in operator.run("shows", "show", "tube.example walks").out


def test_a_show_of_a_channel_that_is_not_followed_says_what_twitch_needs(operator: Operator) -> None:
    assert "TWITCH_CLIENT_ID" in operator.run("shows", "add", "stranger").errors


def test_a_show_may_have_a_picture_of_its_own(operator: Operator, ann: int, tmp_path: Path) -> None:
    picture = tmp_path / "cover.ppm"
    picture.write_bytes(b"P6 2 1 255\n" + bytes([255, 0, 0, 0, 0, 255]))
    operator.run("shows", "add", "ann", "--cover", str(picture))
    with operator.engine.connect() as connection:
        artwork = connection.scalars(select(Show.artwork)).one()
    assert artwork is not None
    assert (operator.folder / "data" / artwork).read_bytes().startswith(b"\xff\xd8")


def test_cookies_are_kept_encrypted_for_their_host_and_never_shown(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "cookies.txt"
    file.write_text(COOKIES + f".other.example\tTRUE\t/\tTRUE\t0\tsession\t{SECRET}-2\n")

    kept = operator.run("sounds", "cookies", "set", "https://www.tube.example/watch", str(file))
    assert "tube.example" in kept.out

    with operator.engine.connect() as connection:
        stored = connection.scalars(select(SoundHost.cookies_encrypted)).one()
        assert stored is not None
        assert SECRET.encode() not in stored
        loaded = load_cookies(connection, Vault.open(operator.folder / "data" / "secret.key"), "tube.example")
    assert loaded is not None
    assert SECRET in loaded
    assert "other.example" not in loaded
    listed = operator.run("sounds", "cookies", "--json")
    assert listed.lines[0]["cookies_set_at"] is not None
    refused = operator.run("sounds", "cookies", "set", "elsewhere.example", str(file))
    assert refused.code == 2
    for result in (kept, listed, refused):
        assert SECRET not in result.out + result.errors
    assert "are forgotten" in operator.run("sounds", "cookies", "remove", "tube.example").out
    assert "no cookies for tube.example" in operator.run("sounds", "cookies", "remove", "tube.example").errors


def test_a_title_that_a_terminal_would_obey_is_printed_harmlessly(operator: Operator, scanned: Path) -> None:
    with operator.engine.begin() as connection:
        connection.execute(update(Sound).where(Sound.id == 1).values(title="\x1b[2Jboo\u202e[red]"))
    for command in (["sounds"], ["sounds", "show", "1"], ["sounds", "--json"], ["sounds", "show", "1", "--json"]):
        out = operator.run(*command).out
        assert "\x1b" not in out
        assert "\u202e" not in out


@pytest.mark.long
def test_a_newer_yt_dlp_is_taken_from_a_wheel_and_a_file_that_is_none_changes_nothing(
    operator: Operator, tmp_path: Path
) -> None:
    kept = tmp_path / "data" / "sounds" / "extractors" / NEWER
    said = operator.run("sounds", "update-extractors", "--wheel", str(wheel(tmp_path, NEWER)))
    assert said.out == f"Sounds are fetched by yt-dlp {NEWER}.\n"
    again = operator.run("sounds", "update-extractors", "--wheel", str(wheel(tmp_path, "2020.1.1")), "--json")
    assert again.lines == [{"version": NEWER, "folder": str(kept)}]

    refused = operator.run("sounds", "update-extractors", "--wheel", str(tmp_path / "none.whl"))
    assert (refused.code, refused.out) == (2, "")
    assert "none.whl is no wheel of yt-dlp" in refused.errors
    broken = tmp_path / "yt_dlp-2099.9.9-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    refused = operator.run("sounds", "update-extractors", "--wheel", str(broken))
    assert (refused.code, "is it the whole file?" in refused.errors) == (1, True)
    assert [path.name for path in kept.parent.iterdir()] == [NEWER]


def test_what_is_not_installed_is_said_by_the_doctor_with_its_way_out_and_not_called_well(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Python has it where a package is not installed.
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    looked = operator.run("doctor").out
    assert "! ffmpeg: there is no ffmpeg: the group `sound` is not installed. `uv sync --group sound` brings" in looked
    assert "(not installed)" not in looked
    assert "yt-dlp (" in looked


@pytest.mark.parametrize("command", [("sounds", "add", "https://sounds.example/1"), ("shows", "add", "ann")])
def test_where_nothing_can_fetch_sounds_that_is_said_at_once(
    operator: Operator, ann: int, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Python has it where the group `sound` is left out.
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)

    answer = operator.run(*command)

    assert answer.code == 1
    assert "the group `sound` is not installed" in answer.errors
    assert operator.run("extractions", "--json").lines == operator.run("shows", "--json").lines == []


def test_the_options_of_a_show_are_the_same_where_it_is_made_and_changed(operator: Operator) -> None:
    of_both = {
        command: set(re.findall(r"--[a-z-]+", operator.run("shows", command, "--help").out))
        for command in ("add", "change")
    }

    assert of_both["add"] - of_both["change"] == {"--since"}
    assert of_both["change"] - of_both["add"] == set()
    assert len(of_both["change"] - {"--help", "--json", "--person", "--name"}) == 16
