"""Shows say what they will let go of, and let go of it a day later; what others want stays."""

from datetime import timedelta

from sqlalchemy import insert, select, update

from models import Event, Extraction, Playlist, PlaylistSound, Sound, Video
from pipeline.sound import clock
from pipeline.sound.following.keeping import NOTICE
from pipeline.sound.records import Keep
from pipeline.sound.store.shows import ShowOptions, change_show
from tests.pipeline.sound.channel import NOW, Ann

DAY = timedelta(days=1)
TWO = ShowOptions(keep=Keep(count=2))


def kept(ann: Ann) -> list[int]:
    with ann.engine.connect() as connection:
        return sorted(connection.scalars(select(Sound.id).where(Sound.removed_at.is_(None))))


def test_the_third_of_two_is_said_to_go_once_and_goes_a_day_later(ann: Ann) -> None:
    show = ann.show(options=TWO)
    oldest, middle, newest = (ann.episode(show, number, NOW + number * DAY) for number in (1, 2, 3))
    events, removed = clock.advance(ann.engine, NOW)
    assert (dict(events), list(removed)) == ({"sound.expiring": 1}, [])
    assert clock.advance(ann.engine, NOW + NOTICE / 2) == ({}, [])
    assert clock.advance(ann.engine, NOW + NOTICE)[1] == [oldest]
    assert clock.advance(ann.engine, NOW + 2 * NOTICE) == ({}, [])
    assert kept(ann) == [middle, newest]
    with ann.engine.connect() as connection:
        title, person_id = connection.execute(select(Event.title, Event.person_id)).one()
    assert (title, person_id) == ("Let go soon – Ann: Episode 1", 1)


def test_a_show_that_keeps_more_meanwhile_lets_go_of_nothing(ann: Ann) -> None:
    show = ann.show(options=TWO)
    sounds = [ann.episode(show, number, NOW + number * DAY) for number in (1, 2, 3)]
    clock.advance(ann.engine, NOW)
    with ann.engine.begin() as connection:
        change_show(connection, show.id, keep_count=3)
    assert clock.advance(ann.engine, NOW + NOTICE) == ({}, [])
    assert kept(ann) == sounds


def test_what_another_show_or_a_playlist_has_stays(ann: Ann) -> None:
    show, other = ann.show(options=ShowOptions(keep=Keep(count=1))), ann.show("other")
    listed, shared, newest = (ann.episode(show, number, NOW + number * DAY) for number in (1, 2, 3))
    with ann.engine.begin() as connection:
        row = {"public_id": "00000000-0000-0000-0000-000000000001", "name": "mine", "name_key": "mine"}
        playlist = connection.execute(insert(Playlist).values(**row, added_at=NOW).returning(Playlist.id)).scalar_one()
        on_it = {"playlist_id": playlist, "sound_id": listed, "position": "a", "added_at": NOW}
        connection.execute(insert(PlaylistSound).values(on_it))
    ann.episode(other, 2, NOW)
    clock.advance(ann.engine, NOW)
    assert clock.advance(ann.engine, NOW + NOTICE)[1] == []
    assert kept(ann) == [listed, shared, newest]


def test_what_twitch_says_later_of_muted_parts_is_known_of_a_sound_that_is_muted(ann: Ann) -> None:
    show = ann.show()
    muted, whole = ann.episode(show, 1, NOW), ann.episode(show, 2, NOW)
    video_id = ann.video("1", muted=[{"start": 10, "seconds": 20}])
    with ann.engine.begin() as connection:
        connection.execute(update(Sound).values(video_id=video_id, muted=None))
        info = {"service": "twitch", "external_id": "1", "title": "x", "is_muted": True}
        connection.execute(update(Extraction).where(Extraction.sound_id == muted).values(info=info))
    clock.advance(ann.engine, NOW)
    with ann.engine.connect() as connection:
        known = {row.id: row.muted for row in connection.execute(select(Sound.id, Sound.muted))}
        assert connection.scalar(select(Video.id)) == video_id
    assert known == {muted: [{"start": 10, "seconds": 20}], whole: None}


def test_what_is_let_go_soon_leads_to_its_page(ann: Ann) -> None:
    show = ann.show(options=ShowOptions(keep=Keep(count=1)))
    oldest, _newest = (ann.episode(show, number, NOW + number * DAY) for number in (1, 2))
    clock.advance(ann.engine, NOW, lambda _connection, sound_id: f"https://example.org/{sound_id}.html")
    with ann.engine.connect() as connection:
        assert connection.scalars(select(Event.detail["url"].astext)).all() == [f"https://example.org/{oldest}.html"]
