"""Fetching from a local server, by the real yt-dlp in its own process: what comes, what goes on, what is refused."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from pipeline.sound.downloading import Downloaded, FetchTroubled, Job, Limits, Listing, Progress, download, probe
from pipeline.sound.records import ErrorKind, Trouble
from tests.paths import CHECKOUT
from tests.pipeline.sound.downloading.material import packets, tone
from tests.pipeline.sound.media_server import MediaServer, Reply
from tests.waiting import wait_for

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def server() -> Iterator[MediaServer]:
    with MediaServer() as running:
        yield running


@pytest.fixture
def fetch(server: MediaServer, tmp_path: Path) -> Callable[..., Downloaded]:
    def fetched(url: str, beat: Callable[[Progress | None], None] | None = None, **fields: object) -> Downloaded:
        job = Job(url=url, workspace=tmp_path / "work", loopback_ports=(server.port,))
        return download(msgspec.structs.replace(job, **fields), beat)

    return fetched


def refused(job: Job, act: Callable[[Job], object] = probe) -> Trouble:
    with pytest.raises(FetchTroubled) as refusal:
        act(job)
    return refusal.value.trouble


def processes_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is a folder."""
    inside = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                inside.append(int(process.name))
        except OSError:
            continue  # it has ended, or is another user's
    return inside


class Killed(Exception):
    """A parent whose work is another's now."""


def kill_when_held(server: MediaServer, workspace: Path) -> Callable[[Progress | None], None]:
    """Raise once bytes are on the disk, and the server holds back the rest."""
    server.held.clear()

    def beat(_progress: Progress | None) -> None:
        if server.held.is_set() and any(part.stat().st_size for part in workspace.glob("*.part")):
            raise Killed

    return beat


def test_a_file_comes_byte_by_byte_as_the_service_sent_it(
    server: MediaServer, fetch: Callable[..., Downloaded], tmp_path: Path
) -> None:
    beats: list[Progress | None] = []

    fetched = fetch(server.file("/a tone.m4a".replace(" ", "%20"), tone()), beats.append)

    assert fetched.path.read_bytes() == tone()
    assert (fetched.extension, fetched.size, fetched.media.title) == ("m4a", len(tone()), "a tone")
    assert [beat.size for beat in beats if beat is not None][-1] == len(tone())
    assert processes_in(tmp_path / "work") == []


def test_a_file_whose_child_was_killed_goes_on_where_it_ended(
    server: MediaServer, fetch: Callable[..., Downloaded], tmp_path: Path
) -> None:
    body = tone() * 8
    url = server.put("/killed.m4a", Reply(body=body, content_type="audio/mp4", hold_at=len(body) // 2))

    with pytest.raises(Killed):
        fetch(url, kill_when_held(server, tmp_path / "work"))
    assert processes_in(tmp_path / "work") == []
    server.file("/killed.m4a", body)
    fetched = fetch(url)

    assert fetched.path.read_bytes() == body
    last = server.asked_for("/killed.m4a")[-1].range
    assert last is not None
    assert last != "bytes=0-"


def test_a_stream_whose_child_was_killed_asks_for_no_part_twice_and_mends_one_that_was_half_written(
    server: MediaServer, fetch: Callable[..., Downloaded], tmp_path: Path
) -> None:
    parts = [packets(number) for number in range(6)]
    url = server.stream("/hls/list.m3u8", parts)
    server.replies["/hls/4.ts"].hold_at = len(parts[4]) // 2

    with pytest.raises(Killed):
        fetch(url, kill_when_held(server, tmp_path / "work"))
    with (tmp_path / "work" / "original-0.mp4.part").open("ab") as file:
        file.write(b"torn")
    server.replies["/hls/4.ts"].hold_at = None
    fetched = fetch(url)

    assert fetched.path.read_bytes() == b"".join(parts)
    assert fetched.extension == "ts"
    assert [len(server.asked_for(f"/hls/{number}.ts")) for number in (0, 1, 2, 3, 5)] == [1] * 5


def test_the_child_ends_with_a_parent_that_is_killed(server: MediaServer, tmp_path: Path) -> None:
    url = server.put("/orphan.m4a", Reply(body=tone(), content_type="audio/mp4", hold_at=1000))
    script = (
        "import sys; from pathlib import Path; from pipeline.sound.downloading import Job, download; "
        "download(Job(url=sys.argv[1], workspace=Path(sys.argv[2]), loopback_ports=(int(sys.argv[3]),)))"
    )
    with subprocess.Popen([sys.executable, "-c", script, url, str(tmp_path), str(server.port)], cwd=CHECKOUT) as parent:
        wait_for(lambda: server.asked_for("/orphan.m4a") and processes_in(tmp_path))
        parent.send_signal(signal.SIGKILL)

    wait_for(lambda: not processes_in(tmp_path))


def test_a_page_with_a_video_is_one_sound_and_one_with_two_is_a_list(
    server: MediaServer, fetch: Callable[..., Downloaded], tmp_path: Path
) -> None:
    server.file("/first.m4a", tone())
    server.file("/second.m4a", tone(hertz=880))
    first, second = ('<video src="/first.m4a"></video>', '<video src="/second.m4a"></video>')
    page = server.page("/page", f"<html><title>My page</title>{first}{second}</html>")
    workspace = tmp_path / "probe"

    listing = probe(Job(url=page, workspace=workspace, loopback_ports=(server.port,)))

    assert isinstance(listing, Listing)
    assert [entry.title for entry in listing.entries] == ["My page (1)", "My page (2)"]
    assert fetch(listing.entries[1].url).path.read_bytes() == tone(hertz=880)
    assert refused(Job(url=page, workspace=workspace, loopback_ports=(server.port,)), download).kind == "unsupported"


def test_what_a_page_has_beside_its_video_comes_with_it(server: MediaServer, fetch: Callable[..., Downloaded]) -> None:
    server.file("/third.m4a", tone())
    server.file("/third.en.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n", "text/vtt")
    server.file("/third.jpg", b"\xff\xd8\xff picture", "image/jpeg")
    tracks = (
        '<track kind="subtitles" srclang="en" src="/third.en.vtt"><track kind="subtitles" srclang="de" src="/no.vtt">'
    )
    video = f'<video src="/third.m4a" poster="/third.jpg">{tracks}</video>'

    fetched = fetch(server.page("/single", f"<html><title>One</title>{video}</html>"))

    assert fetched.path.read_bytes() == tone()
    assert fetched.media.title.startswith("One")
    (subtitles,) = fetched.subtitles
    assert (subtitles.language, subtitles.format) == ("en", "vtt")
    assert b"hello" in subtitles.path.read_bytes()
    assert fetched.thumbnail is not None
    assert fetched.thumbnail.read_bytes() == b"\xff\xd8\xff picture"


@pytest.mark.parametrize(
    ("status", "kind", "wait"),
    [
        (401, "sign_in", None),
        (403, "sign_in", None),
        (404, "gone", None),
        (429, "rate", 77.0),
        (451, "geo", None),
        (503, "server", 77.0),
    ],
)
def test_a_refusal_has_a_kind_and_the_wait_that_the_service_wants(
    server: MediaServer, tmp_path: Path, status: int, kind: ErrorKind, wait: float | None
) -> None:
    url = server.status(f"/{status}.mp3", status, {"Retry-After": "77"})

    trouble = refused(Job(url=url, workspace=tmp_path, loopback_ports=(server.port,)))

    assert (trouble.kind, trouble.retry_after) == (kind, wait)
    assert str(status) in trouble.reason


def test_a_refused_part_ends_a_stream_at_once_with_the_wait_that_was_asked_for(
    server: MediaServer, tmp_path: Path
) -> None:
    url = server.stream("/busy/list.m3u8", [packets(number) for number in range(3)])
    server.status("/busy/1.ts", 429, {"Retry-After": "55"})

    trouble = refused(Job(url=url, workspace=tmp_path, loopback_ports=(server.port,)), download)

    assert (trouble.kind, trouble.retry_after) == ("rate", 55.0)
    assert len(server.asked_for("/busy/1.ts")) == 1


def test_a_page_that_comes_as_a_sound_is_broken_and_not_kept(server: MediaServer, tmp_path: Path) -> None:
    url = server.put("/page.mp3", Reply(body=b"\n<!DOCTYPE html><p>Buy now", content_type="audio/mpeg"))

    trouble = refused(Job(url=url, workspace=tmp_path, loopback_ports=(server.port,)), download)

    assert (trouble.kind, trouble.cure) == ("broken", "never")
    assert list(tmp_path.glob("original*")) == []


def test_a_page_without_a_sound_is_unsupported(server: MediaServer, tmp_path: Path) -> None:
    url = server.page("/text", "<html><p>nothing</p></html>")

    assert refused(Job(url=url, workspace=tmp_path, loopback_ports=(server.port,))).kind == "unsupported"


def test_a_length_that_is_a_lie_is_a_failure_of_the_network(server: MediaServer, tmp_path: Path) -> None:
    lie = Reply(body=tone(), content_type="audio/mp4", length=len(tone()) + 1000)

    trouble = refused(Job(url=server.put("/lie.m4a", lie), workspace=tmp_path, loopback_ports=(server.port,)), download)

    assert (trouble.kind, trouble.cure) == ("network", "time")


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        (Limits(patience=2), "network"),
        (Limits(seconds=3), "too_long"),
        (Limits(size=1000), "quota"),
        (Limits(keep_free=2**60), "disk"),
    ],
)
def test_a_download_ends_by_itself_at_its_limits(
    server: MediaServer, tmp_path: Path, limits: Limits, kind: ErrorKind
) -> None:
    drip = Reply(body=tone(), content_type="audio/mp4", piece=100, seconds=0.05)
    job = Job(url=server.put("/drip.m4a", drip), workspace=tmp_path, limits=limits, loopback_ports=(server.port,))

    assert refused(job, download).kind == kind
    assert processes_in(tmp_path) == []


def test_a_live_stream_waits_for_its_end(server: MediaServer, tmp_path: Path) -> None:
    server.file("/live/0.ts", packets(0), "video/mp2t")
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\n0.ts\n"
    url = server.put("/live/x.m3u8", Reply(body=playlist, content_type="application/vnd.apple.mpegurl"))

    trouble = refused(Job(url=url, workspace=tmp_path, loopback_ports=(server.port,)), download)

    assert (trouble.kind, trouble.cure) == ("live", "time")


def test_cookies_are_sent_and_leave_no_file(server: MediaServer, tmp_path: Path) -> None:
    url = server.file("/cookie.m4a", tone())
    cookies = b"# Netscape HTTP Cookie File\n\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tSECRET\n"

    probe(Job(url=url, workspace=tmp_path, cookies=cookies, loopback_ports=(server.port,)))

    assert "session=SECRET" in (server.asked_for("/cookie.m4a")[0].cookie or "")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/x", "ytsearch:x", "https://", "http://[::1", ""]
)
def test_what_is_no_address_of_the_web_is_refused_without_a_child(url: str, tmp_path: Path) -> None:
    trouble = refused(Job(url=url, workspace=tmp_path / "none"))

    assert (trouble.kind, trouble.cure) == ("unsupported", "never")
    assert not (tmp_path / "none").exists()


def test_without_the_tests_rule_nothing_on_this_machine_is_asked(
    server: MediaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOOTWIRE_SOUND_LOOPBACK_PORTS", raising=False)
    before = len(server.requests)

    trouble = refused(Job(url=server.file("/inside.m4a", tone()), workspace=tmp_path))

    assert (trouble.kind, trouble.cure) == ("unsupported", "never")
    assert "private network" in trouble.reason
    assert len(server.requests) == before


def test_a_redirect_inward_is_not_followed(server: MediaServer, tmp_path: Path) -> None:
    with MediaServer() as inside:
        secret = inside.file("/secret.m4a", tone())
        url = server.put("/away.m4a", Reply(status=302, headers={"Location": secret}))

        trouble = refused(Job(url=url, workspace=tmp_path, loopback_ports=(server.port,)))

        assert "private network" in trouble.reason
        assert inside.requests == []


def test_a_redirect_to_a_file_is_not_followed(server: MediaServer, tmp_path: Path) -> None:
    url = server.put("/local.m4a", Reply(status=302, headers={"Location": "file:///etc/passwd"}))

    assert refused(Job(url=url, workspace=tmp_path, loopback_ports=(server.port,))).kind == "unsupported"


def test_no_plugin_and_no_configuration_is_loaded(
    server: MediaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "loaded"
    workspace = tmp_path / "work"
    code = f"open({os.fspath(mark)!r}, 'w').close()\n"
    # The child's home is its workspace: both places that yt-dlp would look at, and a person's own modules.
    for folder in (".config/yt-dlp/plugins/evil/yt_dlp_plugins/extractor", "yt_dlp_plugins/extractor"):
        (workspace / folder).mkdir(parents=True)
        (workspace / folder / "evil.py").write_text(code)
    (workspace / "sitecustomize.py").write_text(code)
    (workspace / "msgspec.py").write_text(code)
    (workspace / ".config/yt-dlp/config").write_text(f"--exec 'before_dl:touch {mark}'\n--proxy http://127.0.0.1:1\n")
    monkeypatch.setenv("PYTHONPATH", os.fspath(workspace))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    fetched = download(Job(url=server.file("/plain.m4a", tone()), workspace=workspace, loopback_ports=(server.port,)))

    assert fetched.path.read_bytes() == tone()
    assert not mark.exists()


def test_a_workspace_of_any_name_holds_what_was_fetched(server: MediaServer, tmp_path: Path) -> None:
    workspace = tmp_path / "100%(title)s $HOME {x} \n"

    fetched = download(
        Job(url=server.file("/name.mp3", b"ID3" + bytes(5000)), workspace=workspace, loopback_ports=(server.port,))
    )

    assert fetched.path.parent == workspace
    assert fetched.extension == "mp3"
