"""What shows want of a channel's videos becomes extractions, each video once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Episode, Extraction
from models.errors import UsageError
from pipeline.sound.following.shows import AFTER_THE_END, KEPT_FOR, want_videos
from pipeline.sound.records import Keep
from pipeline.sound.store.extractions import add_extraction
from pipeline.sound.store.shows import ShowOptions, add_show, find_show, list_shows, read_keep, remove_show
from tests.pipeline.sound.channel import NOW, Ann


def want(ann: Ann) -> int:
    with ann.engine.begin() as connection:
        return want_videos(connection, NOW)


def test_a_new_archive_is_wanted_soon_after_its_end_and_before_it_expires(ann: Ann) -> None:
    ann.show()
    video_id = ann.video("1")
    assert (want(ann), want(ann)) == (1, 0)
    with ann.engine.connect() as connection:
        row = connection.execute(select(Extraction)).mappings().one()
    assert (row["video_id"], row["kind"], row["profile"]) == (video_id, "episode", "podcast")
    assert (row["next_due_at"], row["expires_at"]) == (NOW + AFTER_THE_END, NOW + KEPT_FOR)


def test_each_kind_is_wanted_where_it_is_asked_for(ann: Ann) -> None:
    for number, kind in enumerate(["archive", "highlight", "upload"], 1):
        ann.video(str(number), type=kind)
    ann.show(options=ShowOptions(kinds=("highlight", "upload")))
    want(ann)
    assert ann.wanted() == ["2", "3"]


def test_what_was_there_before_the_show_is_left_alone_unless_it_is_asked_for(ann: Ann) -> None:
    ann.video("1", published_at=NOW - timedelta(days=9), first_seen_at=NOW - timedelta(days=9))
    ann.video("2", published_at=NOW - timedelta(hours=9), first_seen_at=NOW + timedelta(hours=1))
    ann.show()
    want(ann)
    # The stream of the second one began before the show was made, and ended after that.
    assert ann.wanted() == ["2"]
    ann.show("All of Ann", since=NOW - timedelta(days=30))
    want(ann)
    assert ann.wanted() == ["1", "2", "2"]
    assert ann.count(Extraction) == 2


def test_titles_lengths_and_categories_are_conditions(ann: Ann) -> None:
    rust, chess = ann.game("Rust"), ann.game("Chess")
    ann.stream("s1", (0, "Wipe day", chess), (30, "Wipe day", rust))
    ann.video("1", title="WIPE day", stream_id="s1")
    ann.video("2", title="Chat", seconds=60)
    ann.show("wipes", options=ShowOptions(title_has="wipe"))
    ann.show("long", options=ShowOptions(longer_than=3600))
    ann.show("rust", options=ShowOptions(game_id=rust))
    ann.show("other", options=ShowOptions(game_id=ann.game("Other")))
    want(ann)
    with ann.engine.connect() as connection:
        names = {show.id: show.name for show in list_shows(connection)}
        rows = connection.execute(
            select(Episode.show_id, Extraction.external_id).join(Extraction, Extraction.id == Episode.extraction_id)
        ).all()
    assert sorted((names[row.show_id], row.external_id) for row in rows) == [
        ("long", "1"),
        ("rust", "1"),
        ("wipes", "1"),
    ]


def test_a_video_that_somebody_added_by_its_address_is_fetched_once(ann: Ann) -> None:
    ann.show()
    ann.video("1")
    with ann.engine.begin() as connection:
        add_extraction(connection, "https://www.twitch.tv/videos/1", now=NOW)
    want(ann)
    assert (ann.count(Extraction), ann.count(Episode)) == (1, 1)


def test_what_failed_for_good_is_not_tried_anew_each_time(ann: Ann) -> None:
    ann.show()
    ann.video("1")
    want(ann)
    with ann.engine.begin() as connection:
        connection.execute(Extraction.__table__.update().values(state="failed", is_permanent=True))  # type: ignore[attr-defined]
    assert want(ann) == 0
    assert ann.count(Extraction) == 1


def test_a_show_that_was_removed_wants_nothing_and_is_there_again_with_its_guid(ann: Ann) -> None:
    show = ann.show()
    with ann.engine.begin() as connection:
        remove_show(connection, show.id, NOW)
        with pytest.raises(UsageError, match="no show 'ann'"):
            find_show(connection, "ann")
    ann.video("1")
    assert want(ann) == 0
    again = ann.show("ANN")
    assert (again.id, again.public_id) == (show.id, show.public_id)
    assert want(ann) == 1


def test_a_name_is_taken_once_and_a_show_is_of_one_thing(ann: Ann) -> None:
    ann.show()
    with ann.engine.begin() as connection:
        with pytest.raises(UsageError, match="there is a show"):
            add_show(connection, " ann ", url="https://x.example/list", now=NOW)
        with pytest.raises(UsageError, match="of a channel, or of an address"):
            add_show(connection, "both", now=NOW)
        with pytest.raises(UsageError, match="no kind of video"):
            add_show(connection, "odd", channel_id=1, options=ShowOptions(kinds=("odd",)), now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("20", Keep(count=20)),
        ("30d", Keep(days=30)),
        ("5GB", Keep(mb=5000)),
        ("500mb, 7D", Keep(mb=500, days=7)),
        ("1TB", Keep(mb=1_000_000)),
    ],
)
def test_how_much_is_kept_is_written_in_episodes_days_or_bytes(text: str, keep: Keep) -> None:
    assert read_keep(text) == keep


@pytest.mark.parametrize("text", ["", "0", "-1", "5 weeks", "1.5GB", "٣"])
def test_what_is_no_amount_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="no amount to keep"):
        read_keep(text)
