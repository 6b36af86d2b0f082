"""An extraction becomes a sound, once, whatever its address says on the way."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import insert, select, update

from models import Event, Extraction, Person, Rendition, Sound
from models.people import OWNER_ID
from pipeline.runtime.runtime import utc_now
from pipeline.sound.downloading import Limits
from pipeline.sound.records import MediaInfo
from pipeline.sound.store.extractions import (
    begin_stage,
    cancel_extraction,
    claim_next,
    load_extraction,
    retry_extraction,
)
from pipeline.sound.store.hosts import set_cookies
from tests.pipeline.sound.audio import make, speech
from tests.pipeline.sound.extracting.conftest import Extracting
from tests.pipeline.sound.media_server import Reply


def test_a_file_becomes_a_sound_with_a_rendition_and_one_event(extracting: Extracting) -> None:
    extraction_id = extracting.add(extracting.server.file("/wipe%20day.m4a", extracting.audio))
    assert extracting.run().outcome == "completed"
    [original] = extracting.originals()
    assert original.read_bytes() == extracting.audio
    row = extracting.row(extraction_id)
    assert (row.state, row.stage, row.progress) == ("completed", "publish", 1.0)
    with extracting.engine.connect() as connection:
        sound = connection.execute(select(Sound).where(Sound.id == row.sound_id)).mappings().one()
        rendition = connection.execute(select(Rendition)).mappings().one()
    assert (sound["codec"], sound["size"]) == ("aac", len(extracting.audio))
    assert sound["seconds"] == pytest.approx(4, abs=0.1)
    assert (extracting.around.data_dir / sound["artwork"]).read_bytes()[:2] == b"\xff\xd8"
    assert (rendition["state"], rendition["profile"]) == ("ready", "podcast")
    assert rendition["integrated_after"] == pytest.approx(-16, abs=0.5)
    assert (extracting.around.data_dir / rendition["path"]).stat().st_size == rendition["size"]
    assert extracting.events() == ["sound.ready"]
    assert extracting.workspaces() == []


def test_a_bare_file_that_a_list_named_has_the_title_and_the_date_of_the_list(extracting: Extracting) -> None:
    published_at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    listed = MediaInfo(service="generic", external_id="any", title="A walk", published_at=published_at)
    extracting.add(extracting.server.file("/0.m4a", extracting.audio), title="A walk", info=listed)
    assert extracting.run().outcome == "completed"
    with extracting.engine.connect() as connection:
        assert connection.execute(select(Sound.title, Sound.published_at)).one() == ("A walk", published_at)


def test_the_event_of_a_sound_leads_to_its_page_where_everybody_may_open_it(extracting: Extracting) -> None:
    extracting.add(extracting.server.file("/a.m4a", extracting.audio))
    page = "https://example.org/shows/a/b.html"
    extracting.having(page_of=lambda _connection, _sound_id: page).run()
    with extracting.engine.connect() as connection:
        assert connection.scalars(select(Event.detail["url"].astext)).one() == page


def test_a_stream_in_parts_becomes_a_sound(extracting: Extracting, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("hls")
    parts = [make(folder / f"{number}.ts", speech(2, seed=number)).read_bytes() for number in (1, 2)]
    extracting.add(extracting.server.stream("/live/index.m3u8", parts))
    assert extracting.run().outcome == "completed"
    assert len(extracting.originals()) == 1


def test_the_same_bytes_from_two_addresses_are_one_sound(extracting: Extracting) -> None:
    for name in ("a", "b"):
        extracting.add(extracting.server.file(f"/{name}.m4a", extracting.audio))
        assert extracting.run().outcome == "completed"
    assert len(extracting.originals()) == 1
    with extracting.engine.connect() as connection:
        assert connection.scalars(select(Sound.aliases)).one() == ["b"]
    assert extracting.events() == ["sound.ready"]


def test_what_two_people_want_is_downloaded_once_and_is_a_sound_of_each(extracting: Extracting) -> None:
    with extracting.engine.begin() as connection:
        ada = connection.scalars(insert(Person).values(name="ada", created_at=utc_now()).returning(Person.id)).one()
    url = extracting.server.file("/a.m4a", extracting.audio)
    mine, hers = extracting.add(url), extracting.add(url, person_id=ada, profile="ebu")
    assert extracting.run().id == mine
    asked = len(extracting.server.requests)
    assert extracting.run().outcome == "completed"

    # A probe looks at the head of a file; nothing was downloaded.
    assert len(extracting.server.requests) - asked <= 2
    assert len(extracting.originals()) == 1
    assert extracting.row(mine).sound_id != extracting.row(hers).sound_id
    with extracting.engine.connect() as connection:
        assert set(connection.scalars(select(Sound.person_id))) == {OWNER_ID, ada}
        assert set(connection.scalars(select(Event.person_id).where(Event.kind == "sound.ready"))) == {OWNER_ID, ada}
        profiles = select(Rendition.profile).join(Sound).where(Sound.person_id == ada, Rendition.state == "ready")
        assert set(connection.scalars(profiles)) == {"podcast", "ebu"}


def test_what_is_fetched_for_another_person_just_now_is_waited_for(extracting: Extracting) -> None:
    with extracting.engine.begin() as connection:
        ada = connection.scalars(insert(Person).values(name="ada", created_at=utc_now()).returning(Person.id)).one()
    url = extracting.server.file("/a.m4a", extracting.audio)
    mine, hers = extracting.add(url), extracting.add(url, person_id=ada)
    with extracting.engine.begin() as connection:
        claimed = claim_next(connection, utc_now(), pause=timedelta(0), only=mine)
        assert claimed is not None
        info = MediaInfo(service="generic", external_id="a", title="a")
        begin_stage(connection, claimed, "render", service=info.service, external_id=info.external_id)
        probed = {"stage": "download", "service": "generic", "external_id": "a", "info": msgspec.to_builtins(info)}
        connection.execute(update(Extraction).where(Extraction.id == hers).values(probed))

    assert extracting.run().outcome == "put off"
    assert extracting.server.requests == []


@pytest.mark.parametrize(
    ("status", "kind", "state"),
    [
        (404, "gone", "failed"),
        (451, "geo", "failed"),
        (401, "sign_in", "failed"),
        (503, "server", "pending"),
        (429, "rate", "pending"),
    ],
)
def test_a_refusal_is_final_or_waits_by_its_kind(extracting: Extracting, status: int, kind: str, state: str) -> None:
    extraction_id = extracting.add(extracting.server.status("/a.mp3", status))
    extracting.run()
    row = extracting.row(extraction_id)
    assert (row.error_kind, row.state) == (kind, state)
    assert extracting.events() == (["sound.failed"] if state == "failed" else [])
    assert row.next_due_at > row.added_at or state == "failed"


def test_what_a_person_must_do_stands_beside_what_went_wrong(extracting: Extracting) -> None:
    extraction_id = extracting.add(extracting.server.status("/a.mp3", 401))
    extracting.run()
    assert (extracting.row(extraction_id).error or "").endswith("lootwire sounds cookies set HOST FILE")


def test_a_download_that_took_six_hours_in_all_its_tries_is_given_up(extracting: Extracting) -> None:
    drip = Reply(body=extracting.audio, content_type="audio/mp4", piece=64, seconds=0.2)
    extraction_id = extracting.add(extracting.server.put("/drip.m4a", drip))
    # What a try has taken is written down each quarter of its lease.
    slow = extracting.having(limits=Limits(keep_free=0, patience=3, least=10**6), lease=timedelta(seconds=2))
    assert slow.run().outcome == "put off"
    spent = Extraction.spent_seconds
    with extracting.engine.begin() as connection:
        assert 1 < (connection.scalar(select(spent)) or 0) < 600
        connection.execute(update(Extraction).values(spent_seconds=spent + 6 * 3600))
    extracting.make_due()
    assert slow.run().outcome == "failed"
    row = extracting.row(extraction_id)
    assert (row.error_kind, row.is_permanent) == ("too_long", True)
    assert extracting.events() == ["sound.failed"]
    assert extracting.workspaces() == []


def test_what_is_gone_for_good_leaves_no_workspace_and_keeps_nobody_waiting(extracting: Extracting) -> None:
    extracting.add(extracting.server.status("/gone.mp3", 404))
    second = extracting.add(extracting.server.file("/here.m4a", extracting.audio))
    assert extracting.run().outcome == "failed"
    assert extracting.run().id == second
    assert extracting.workspaces() == []


def test_a_host_that_wants_patience_is_left_alone_for_as_long_as_it_says(extracting: Extracting) -> None:
    extracting.add(extracting.server.status("/busy.mp3", 429, {"Retry-After": "600"}))
    other = extracting.add(extracting.server.file("/other.m4a", extracting.audio))
    extracting.run()
    now = utc_now()
    for at, is_free in ((now + timedelta(seconds=590), False), (now + timedelta(seconds=601), True)):
        with extracting.engine.begin() as connection:
            claimed = claim_next(connection, at, pause=timedelta(0), only=other)
        assert (claimed is not None) == is_free


def test_a_page_of_text_is_no_sound(extracting: Extracting) -> None:
    page = Reply(body=b"<!doctype html><p>Sorry", content_type="audio/mpeg")
    extraction_id = extracting.add(extracting.server.put("/sorry.mp3", page))
    assert extracting.run().outcome == "failed"
    assert extracting.row(extraction_id).is_permanent


def test_what_failed_is_fetched_when_a_person_asks_again(extracting: Extracting) -> None:
    extraction_id = extracting.add(extracting.server.status("/a.m4a", 404))
    extracting.run()
    extracting.server.file("/a.m4a", extracting.audio)
    with extracting.engine.begin() as connection:
        retry_extraction(connection, extraction_id, utc_now())
    assert extracting.run().outcome == "completed"
    assert extracting.events() == ["sound.failed", "sound.ready"]


COOKIES = "# Netscape HTTP Cookie File\n\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tsecret-word\n"


def test_cookies_that_a_host_does_not_take_are_stale_and_a_person_hears_of_it(extracting: Extracting) -> None:
    host = f"127.0.0.1:{extracting.server.port}"
    with extracting.engine.begin() as connection:
        set_cookies(connection, extracting.around.vault(), host, COOKIES, utc_now())
    extraction_id = extracting.add(extracting.server.status("/private.m4a", 401))
    assert extracting.run().outcome == "failed"
    assert extracting.row(extraction_id).error_kind in {"sign_in", "cookies"}
    sent = [seen.cookie for seen in extracting.server.requests]
    assert sent[0] is None
    assert "session=secret-word" in sent
    assert "secret-word" not in "".join(
        path.read_text(errors="replace") for path in extracting.around.data_dir.rglob("*") if path.is_file()
    )


def test_nothing_is_fetched_where_sounds_take_all_that_they_may(extracting: Extracting) -> None:
    extraction_id = extracting.add(extracting.server.file("/a.m4a", extracting.audio))
    full = extracting.having(most_bytes=0)
    assert full.run().outcome == "failed"
    row = extracting.row(extraction_id)
    assert (row.error_kind, row.is_permanent) == ("quota", False)
    assert extracting.workspaces() == []


def test_a_disk_that_is_nearly_full_takes_no_sound(extracting: Extracting) -> None:
    extraction_id = extracting.add(extracting.server.file("/a.m4a", extracting.audio))
    full = extracting.having(limits=msgspec.structs.replace(extracting.around.limits, keep_free=2**62))
    assert full.run().outcome == "failed"
    assert extracting.row(extraction_id).error_kind == "disk"


def test_a_program_that_ends_gives_back_what_it_has(extracting: Extracting) -> None:
    extraction_id = extracting.add(extracting.server.file("/a.m4a", extracting.audio))
    assert extracting.having(is_stopping=lambda: True).run().outcome == "interrupted"
    row = extracting.row(extraction_id)
    assert (row.state, row.attempts) == ("pending", 0)
    assert extracting.run().outcome == "completed"


def test_a_person_s_cancelling_ends_it_and_its_workspace(extracting: Extracting) -> None:
    url = extracting.server.put("/a.m4a", Reply(body=extracting.audio, content_type="audio/mp4", hold_at=1000))
    extraction_id = extracting.add(url)

    def cancel() -> bool:
        # The child is asked about often: by then it holds the beginning of the file.
        if extracting.server.held.is_set():
            with extracting.engine.begin() as connection:
                if load_extraction(connection, extraction_id).state == "processing":
                    cancel_extraction(connection, extraction_id, utc_now())
        return False

    hurried = extracting.having(is_stopping=cancel, lease=timedelta(seconds=1))
    assert hurried.run().outcome == "cancelled"
    assert extracting.workspaces() == []
    assert extracting.originals() == []
