"""What a line of a file changes, in words."""

from pipeline.cli.library_changes import change_in_words
from pipeline.library.compare import Change


def test_what_changes_is_said_as_people_write_it() -> None:
    way = {
        "platform": "PC",
        "status": "finished",
        "finished": "2012",
        "seconds": 25200,
        "rating": 85.0,
        "is_replay": True,
    }
    changes = (
        Change(field="playthrough", old=None, new=way),
        Change(field="last_played_at", old=None, new="2026-07-26T10:11:12.123456Z"),
        Change(field="cover_url", old=None, new="https://a.example/b.png"),
    )

    assert [change_in_words(change) for change in changes] == [
        "playthrough: none → PC, finished, finished 2012, 7 h, rating 85, again",
        "last played: none → 2026-07-26 10:11 UTC",
        "cover: none → https://a.example/b.png",
    ]
