"""Lines that wait: settled, for ever and everywhere, and taken back."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from feeds.links import ensure_link
from feeds.take_in import take_in
from models import (
    Event,
    Feed,
    FeedItem,
    Game,
    GameListEntry,
    GameState,
    ImportLine,
    LibraryEntry,
    PersonWork,
    Playthrough,
    Work,
)
from models.errors import UsageError
from models.people import OWNER_ID
from models.vault import Vault
from pipeline.games.following.list_rows import NewLine
from pipeline.games.following.lists import keep_list
from pipeline.library.importing.review import (
    Said,
    Settled,
    settle,
    undo,
    undo_on_list,
    waiting_lines,
    waiting_list_lines,
)
from pipeline.library.records import Broken, ListRecord, Placing, PlaythroughRecord
from tests.pipeline.library.importing.files import bring, state
from tests.pipeline.library.shelves import DAY, HARBOUR, KITE, MOSS, NOON, ORBIT, Library, line, reading


def answer(library: Library, said: int | Said, *ids: int, now: datetime = NOON) -> list[Settled]:
    with library.engine.begin() as connection:
        return settle(connection, OWNER_ID, ids, said, now)


def take_back(library: Library, line_id: int) -> list[Any]:
    with library.engine.begin() as connection:
        return undo(connection, OWNER_ID, line_id, NOON)


def waits(library: Library) -> list[str]:
    with library.engine.connect() as connection:
        return [each.waiting.written for each in waiting_lines(connection, OWNER_ID)]


def test_an_answer_settles_all_lines_of_that_title_in_all_files_at_once(library: Library) -> None:
    bring(library.engine, reading(line(1, "TTYD", ownership="owned"), line(2, "Else", ownership="owned")), "a")
    bring(library.engine, reading(line(1, "ttyd!", status="finished"), format="md"), "b")

    settled = answer(library, MOSS, 1)

    assert [(each.id, each.origin, each.line.verdict) for each in settled] == [(1, "a", "new"), (3, "b", "changed")]
    assert waits(library) == ["Else"]
    assert (library.row(LibraryEntry).igdb_id, library.row(GameState).status) == (MOSS, "finished")


def test_an_answer_holds_in_later_files_and_answers_of_shops(library: Library) -> None:
    of_a_shop = {"store": "steam", "external_id": "404", "ownership": "owned"}
    bring(library.engine, reading(line(1, "TTYD", ownership="owned"), line(2, "Unlisted", **of_a_shop)), "a")
    answer(library, MOSS, 1)
    answer(library, KITE, 2)

    taken = library.answer(line(7, "Renamed", **of_a_shop), line(8, "TTYD", ownership="owned"))

    assert [(each.verdict, each.igdb_id) for each in taken.lines] == [("changed", KITE), ("same", MOSS)]


def test_a_game_that_igdb_lacks_is_our_own_with_a_work_of_its_own(library: Library) -> None:
    bring(library.engine, reading(line(1, "Homebrew One", ownership="owned", year=2024)))

    [settled] = answer(library, "own", 1)

    game, work = library.row(Game), library.row(Work)
    assert (settled.line.verdict, settled.line.name, game.work_id) == ("new", "Homebrew One", work.id)
    assert (work.root_igdb_id, library.row(PersonWork).words) == (None, ["owned", "backlog"])


def test_what_is_skipped_is_no_game_for_ever(library: Library) -> None:
    read = reading(
        line(1, "Wallpaper Tool", ownership="owned"), broken=(Broken(line=2, written="?", reason="no title"),)
    )
    bring(library.engine, read)

    settled = answer(library, "skip", 1, 2)
    again = bring(library.engine, read)

    assert [each.line.verdict for each in settled] == ["no_game", "no_game"]
    assert (library.rows(LibraryEntry), again.counts["no_game"]) == ([], 1)


def test_a_line_that_cannot_be_read_can_only_be_skipped(library: Library) -> None:
    bring(library.engine, reading(broken=(Broken(line=2, written="?", reason="no title"),)))

    with pytest.raises(UsageError, match="cannot be read"):
        answer(library, MOSS, 1)


def test_a_line_on_a_list_learns_what_it_means_in_its_place(library: Library) -> None:
    def ranked(number: int, **fields: Any) -> Any:
        return line(number, placings=(Placing(name="Best", place=number),), **fields)

    rows = (ranked(1, written="TTYD"), ranked(2, igdb_id=HARBOUR))
    bring(library.engine, reading(*rows, lists=(ListRecord(name="Best", ranked=True),)))

    answer(library, MOSS, 1)

    assert [(row.position, row.written, row.igdb_id) for row in library.rows(GameListEntry)] == [
        (1, "TTYD", MOSS),
        (2, "Harbour Lights", HARBOUR),
    ]


def test_taking_an_answer_back_leaves_what_was_before_it(library: Library) -> None:
    through = PlaythroughRecord(key="1", status="finished", finished="2004")
    waiting = line(
        1, "TTYD", ownership="owned", rating=90, playthroughs=(through,), placings=(Placing(name="B", place=1),)
    )
    read = reading(waiting, line(2, igdb_id=HARBOUR, ownership="owned"), lists=(ListRecord(name="B"),))
    bring(library.engine, read, "a")
    before = {name: rows for name, rows in state(library.engine).items() if name not in {"imports", "finishes"}}
    answer(library, MOSS, 1)
    settled = [len(library.rows(table)) for table in (LibraryEntry, Playthrough, GameState, PersonWork)]

    back = take_back(library, 1)

    after = state(library.engine)
    assert ([each.waiting.written for each in back], settled) == (["TTYD"], [2, 1, 1, 2])
    assert {name: after[name] for name in before} == before
    assert bring(library.engine, read, "a").counts == {"same": 1, "unknown": 1}


def test_taking_an_answer_back_leaves_what_a_person_wrote_and_what_others_brought(library: Library) -> None:
    bring(library.engine, reading(line(1, igdb_id=MOSS, ownership="owned", rating=50), format="x"), "sure")
    bring(library.engine, reading(line(1, "TTYD", ownership="owned", store="gog")), "a")
    answer(library, MOSS, 1)

    take_back(library, 1)

    assert ([row.store for row in library.rows(LibraryEntry)], library.row(GameState).rating) == (["other"], 50)


def test_another_answer_after_the_first_was_taken_back(library: Library) -> None:
    bring(library.engine, reading(line(1, "TTYD", ownership="owned")))
    answer(library, MOSS, 1)
    take_back(library, 1)

    answer(library, KITE, 1)

    assert [row.igdb_id for row in library.rows(LibraryEntry)] == [KITE]


def test_numbers_that_are_no_lines_that_wait_are_named(library: Library) -> None:
    bring(library.engine, reading(line(1, "TTYD", ownership="owned")))

    with pytest.raises(UsageError, match="there is no line 9"):
        answer(library, MOSS, 9)
    with pytest.raises(UsageError, match="line 1 is not settled"):
        take_back(library, 1)
    answer(library, MOSS, 1)
    with pytest.raises(UsageError, match="`lootwire library undo 1` takes that back"):
        answer(library, KITE, 1)
    assert library.row(ImportLine).settled_at == NOON


def shown(library: Library) -> dict[str, list[str]]:
    """The games that the person's own feeds show, after a publish has taken in what is new."""
    with library.engine.begin() as connection:
        take_in(connection, page_size=2)
        query = select(Feed.scope, Event.detail).join(FeedItem, FeedItem.feed_id == Feed.id)
        rows = connection.execute(query.join(Event, Event.id == FeedItem.event_id).order_by(FeedItem.position)).all()
        totals = {scope: total for scope, total in connection.execute(select(Feed.scope, Feed.total)) if total}
    assert totals == Counter(scope for scope, _ in rows)
    games: dict[str, list[str]] = {}
    for scope, detail in rows:
        games.setdefault(scope, []).extend([each["name"] for each in detail.get("games", ())] or [detail["game"]])
    return games


def test_what_an_undone_answer_brought_is_on_no_feed(library: Library, vault: Vault) -> None:
    through = PlaythroughRecord(key="1", status="finished", finished="2004")
    lines = [line(number, f"Short {number}", ownership="owned", playthroughs=(through,)) for number in (1, 2, 3)]
    bring(library.engine, reading(*lines))
    with library.engine.begin() as connection:
        for opens in ("library", "journal"):
            ensure_link(connection, vault, opens, NOON, title=opens)
    for number, game in ((1, HARBOUR), (2, MOSS), (3, KITE)):
        answer(library, game, number, now=NOON + number * DAY)
    before = shown(library)

    take_back(library, 2)

    assert before == {scope: ["Harbour Lights", "Moss Runner", "Paper Kite"] for scope in ("library", "journal")}
    assert shown(library) == {scope: ["Harbour Lights", "Paper Kite"] for scope in ("library", "journal")}
    answer(library, ORBIT, 2, now=NOON + 9 * DAY)
    assert shown(library)["library"] == ["Harbour Lights", "Paper Kite", "Quiet Orbit"]


def test_games_that_were_settled_with_an_undone_one_stay_on_the_feed(library: Library, vault: Vault) -> None:
    bring(library.engine, reading(*(line(number, f"Homebrew {number}", ownership="owned") for number in (1, 2, 3))))
    with library.engine.begin() as connection:
        ensure_link(connection, vault, "library", NOON, title="Library")
    answer(library, "own", 1, 2, 3)

    take_back(library, 2)

    assert shown(library) == {"library": ["Homebrew 1", "Homebrew 3"]}


@pytest.fixture
def listed(library: Library) -> Library:
    """A list that was imported, of a line whose title also waits in a file, and one that waits alone."""
    bring(library.engine, reading(line(1, "TTYD", ownership="owned")))
    titles = ("TTYD", "BG3", "Moss Runner")
    lines = [NewLine(written=title, igdb_id=MOSS if title == "Moss Runner" else None) for title in titles]
    with library.engine.begin() as connection:
        keep_list(connection, "Waiting", lines, NOON)
    return library


def wait_on_lists(library: Library) -> list[tuple[str, int, str]]:
    with library.engine.connect() as connection:
        return [(each.list, each.position, each.written) for each in waiting_list_lines(connection, OWNER_ID)]


def on_list(library: Library) -> list[int | None]:
    return [row.igdb_id for row in sorted(library.rows(GameListEntry), key=lambda row: row.position)]


def test_lines_of_lists_wait_in_the_same_queue_each_title_once(listed: Library) -> None:
    assert (waits(listed), wait_on_lists(listed)) == (["TTYD"], [("Waiting", 2, "BG3")])

    answer(listed, KITE, 1)

    assert (waits(listed), on_list(listed)) == ([], [KITE, None, MOSS])


def test_a_line_of_a_list_is_settled_by_the_same_answers_and_undone(listed: Library) -> None:
    bg3 = next(row.id for row in listed.rows(GameListEntry) if row.written == "BG3")
    with listed.engine.begin() as connection:
        [settled] = settle(connection, OWNER_ID, [], HARBOUR, NOON, listed=[bg3])
    assert (settled.is_listed, settled.origin, settled.line.igdb_id) == (True, "the list Waiting", HARBOUR)
    assert (wait_on_lists(listed), on_list(listed)) == ([], [None, HARBOUR, MOSS])
    assert bring(listed.engine, reading(line(1, "BG3", ownership="owned")), "b").lines[0].igdb_id == HARBOUR
    with pytest.raises(UsageError, match=f"line L{bg3} is settled already"), listed.engine.begin() as connection:
        settle(connection, OWNER_ID, [], KITE, NOON, listed=[bg3])

    with listed.engine.begin() as connection:
        undo_on_list(connection, OWNER_ID, bg3, NOON)

    assert (wait_on_lists(listed), on_list(listed)) == ([("Waiting", 2, "BG3")], [None, None, MOSS])


def test_a_skipped_line_of_a_list_waits_no_more(listed: Library) -> None:
    bg3 = next(row.id for row in listed.rows(GameListEntry) if row.written == "BG3")
    with listed.engine.begin() as connection:
        settle(connection, OWNER_ID, [], "skip", NOON, listed=[bg3])

    assert wait_on_lists(listed) == []
