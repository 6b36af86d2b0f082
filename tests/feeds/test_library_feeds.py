"""Personal feeds of a library: news of its games, what came to it, the journal, lists; each of one person alone."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from feeds.links import find_link, find_list, list_links, rotate_link
from models import Feed, Follow, GameList, GameListEntry, GameState, PersonWork, Playthrough
from models.details import CampaignDetail, LibraryDetail, LibraryLine, ReleaseDetail
from models.errors import UsageError
from models.people import OWNER_ID
from tests.feeds.libraries import Household
from tests.feeds.world import NOON, Publishing


@pytest.fixture
def household(world: Publishing, tmp_path: Path) -> Household:
    return Household(world, tmp_path)


def test_news_are_of_the_games_that_a_person_has_plays_or_wishes_for(household: Household) -> None:
    world = household.world
    owned = household.own("Gloomtide")
    wished = household.own("Frostbarrow", words=("wished",), status=None)
    done = household.own("Marshlight", words=("finished",), status="finished")
    world.event("before", game_id=owned)
    household.publish()
    path = household.link("news")
    for game_id, title in ((owned, "drops"), (wished, "for a wish"), (done, "of a game that is done")):
        world.event(title, game_id=game_id)
    household.event("a date", "release.moved", game_id=wished, is_private=True)
    household.event("known now", "game.added", game_id=owned, is_private=True, silent=True)
    world.event("live", kind="stream.online", game_id=owned, channel_id=world.channel())
    world.event("of a game that nobody has", game_id=world.game("Rimeholt"))

    household.publish()

    assert household.titles(path) == ["a date", "for a wish", "drops", "before"]


def test_news_reach_every_edition_of_a_work(household: Household) -> None:
    owned = household.own("Gloomtide")
    category = household.world.game("Gloomtide: Deluxe", work_id=household.work_of(owned))
    path = household.link("news")
    household.world.event("drops in the category", game_id=category)

    household.publish()

    assert household.titles(path) == ["drops in the category"]


def test_events_of_a_person_are_on_that_persons_feeds_alone(household: Household) -> None:
    world, mara = household.world, household.person()
    game_id = household.own("Gloomtide")
    world.add(Follow, kind="game", game_id=game_id, person_id=mara, created_at=NOON)
    household.event("kelp before", "library.added", person_id=OWNER_ID)
    household.publish()
    paths = {
        (opens, person): household.link(opens, person_id=person)
        for opens in ("library", "journal", "news", "followed")
        for person in (OWNER_ID, mara)
    }
    household.event("kelp", "library.added", person_id=OWNER_ID)
    household.event("kelp begun", "play.started", game_id=game_id, person_id=OWNER_ID)
    household.event("kelp of mara", "play.started", game_id=game_id, person_id=mara)

    household.publish()

    assert {key: titles for key, path in paths.items() if (titles := household.titles(path))} == {
        ("library", OWNER_ID): ["kelp", "kelp before"],
        ("journal", OWNER_ID): ["kelp begun"],
        ("journal", mara): ["kelp of mara"],
    }
    public = {path: data for path, data in world.files().items() if not path.startswith("private/")}
    assert [path for path, data in public.items() if b"kelp" in data or b"kelp begun" in data] == []


def test_a_list_has_a_feed_of_its_own(household: Household) -> None:
    best, other = household.list_of("Best", ranked=True), household.list_of("Other")
    moved = LibraryDetail(name="Best", moved=(LibraryLine(name="Rez", place=2, place_before=7),))
    household.event("before", "list.changed", person_id=OWNER_ID, detail=moved)
    household.publish()
    path = household.link("list", best)
    household.event("moved", "list.changed", person_id=OWNER_ID, detail=moved)
    household.event("elsewhere", "list.changed", person_id=OWNER_ID, detail=LibraryDetail(name="Other"))

    household.publish()

    assert household.titles(path) == ["moved", "before"]
    with household.world.engine.begin() as connection:
        assert find_list(connection, "best") == (best, "Best")
        with pytest.raises(UsageError, match="There is no list Bset: there are: Best, Other"):
            find_list(connection, "Bset")
        connection.execute(delete(GameList).where(GameList.id == best))
        assert list_links(connection, live=True) == []
    household.publish()
    assert not (household.world.root / path).parent.exists()
    assert other


def test_a_list_that_only_ranks_its_games_follows_none_and_no_list_of_another_person_does(household: Household) -> None:
    mara = household.person()
    ranked, wanted, hers = (household.own(name) for name in ("Gloomtide", "Frostbarrow", "Marshlight"))
    household.list_of("Best", ranked, ranked=True, wants=False)
    household.list_of("Wanted", wanted)
    household.list_of("Wanted", hers, person_id=mara)
    path = household.link("followed")
    for game_id, title in ((ranked, "ranked"), (wanted, "wanted"), (hers, "hers")):
        household.world.event(title, game_id=game_id)

    household.publish()

    assert household.titles(path) == ["wanted"]


def test_the_calendar_of_news_has_campaigns_and_release_days_of_games_that_came_later_too(household: Household) -> None:
    world = household.world
    path = household.link("news")
    household.publish()
    game_id = household.own("Gloomtide")
    campaign = world.campaign("Winter Trawl", game_id=game_id)
    day = ReleaseDetail(game="Gloomtide", when="2026-12-20", platforms=("PC",))
    household.event("announced", "release.announced", game_id=game_id, is_private=True, detail=day, silent=True)
    span = CampaignDetail(name="Winter Trawl", start_at=NOON, end_at=NOON + timedelta(days=3))
    world.event("drops", game_id=game_id, campaign_id=campaign, detail=span)
    with world.engine.begin() as connection:
        kept = connection.execute(select(PersonWork)).mappings().one()
        connection.execute(delete(PersonWork))
    household.publish()
    assert "BEGIN:VEVENT" not in world.text(f"{path}.ics")

    with world.engine.begin() as connection:
        connection.execute(insert(PersonWork).values(**kept))
    household.publish()

    calendar = world.text(f"{path}.ics")
    assert "DTSTART;VALUE=DATE:20261220" in calendar
    assert "Winter Trawl" in calendar


def test_a_link_is_rotated_by_its_number_what_it_opens_or_its_list(household: Household) -> None:
    best = household.list_of("My best ones")
    paths = [household.link("news"), household.link("list", best)]
    household.publish()
    with household.world.engine.begin() as connection:
        lines = list_links(connection)
        assert [(line.opens, line.list, line.target) for line in lines] == [
            ("news", None, None),
            ("list", "My best ones", None),
        ]
        assert [find_link(connection, name) for name in ("news", "my best ones", str(lines[0].id))] == [
            lines[0].id,
            lines[1].id,
            lines[0].id,
        ]
        with pytest.raises(UsageError, match="There is no live link nwes"):
            find_link(connection, "nwes")
        rotated = [
            rotate_link(connection, household.vault, find_link(connection, name), NOON) for name in ("news", "list")
        ]
    household.publish()

    assert not any((household.world.root / path).parent.exists() for path in paths)
    assert all((household.world.root / folder).is_dir() for folder in rotated)


def test_a_page_is_written_again_where_what_it_shows_changed_without_an_event(household: Household) -> None:
    world = household.world
    game_id = household.own("Gloomtide")
    best = household.list_of("Best", game_id, ranked=True)
    paths = {
        opens: household.link(opens, best if opens == "list" else None) for opens in ("library", "journal", "list")
    }
    household.publish()
    assert household.publish().written == 0

    household.say(game_id, rating=81.0, set_by={"rating": "hand"})
    household.once(game_id, finished="2026-11", notes="A <b>fine</b> one")
    with world.engine.begin() as connection:
        connection.execute(update(GameListEntry).values(notes="the bells"))
    household.publish()

    assert "<b>81</b>" in world.text(f"{paths['library']}.html")
    assert "A &lt;b&gt;fine&lt;/b&gt; one" in world.text(f"{paths['journal']}.html")
    assert "the bells" in world.text(f"{paths['list']}.html")
    assert household.publish().written == 0


def test_a_journal_has_a_page_for_each_year_and_none_for_one_that_is_empty_by_now(household: Household) -> None:
    world = household.world
    game_id = household.own("Gloomtide", seconds=7200)
    household.session(NOON, 5400)
    household.once(game_id, finished="1999-Q3", platform="PC")
    once = household.once(game_id, finished="2012")
    path = household.link("journal")
    folder = path.rpartition("/")[0]
    household.publish()
    assert {file.name for file in (world.root / folder).glob("year-*")} == {
        "year-1999.html",
        "year-2012.html",
        "year-2026.html",
    }
    assert "1.5 h" in world.text(f"{folder}/year-2026.html")
    assert "Q3 1999" in world.text(f"{path}.html")

    with world.engine.begin() as connection:
        connection.execute(update(Playthrough).where(Playthrough.id == once).values(removed_at=NOON))
    world.now += timedelta(minutes=1)
    household.publish()

    assert not (world.root / folder / "year-2012.html").exists()
    assert "year-2012" not in world.text(f"{path}.html")


def test_pages_of_a_library_load_nothing_from_elsewhere(household: Household) -> None:
    world = household.world
    game_id = household.own("Gloomtide", seconds=7200, last_played_at=NOON)
    household.say(game_id, cover_url="https://example.com/cover.png", name="Gloomtide & Co", set_by={})
    household.once(game_id, finished="2026-11-02")
    best = household.list_of("Best", game_id, ranked=True)
    for opens in ("library", "journal", "list", "news"):
        household.link(opens, best if opens == "list" else None)

    household.publish()

    pages = {
        path: data for path, data in world.files().items() if path.startswith("private/") and path.endswith(".html")
    }
    assert len(pages) == 5
    for data in pages.values():
        assert b'name="robots" content="noindex"' in data
        assert b"<img" not in data
        assert b'src="http' not in data


def test_the_feeds_of_a_person_are_listed_nowhere(household: Household) -> None:
    household.own("Gloomtide")
    household.link("library")
    household.publish()

    with household.world.engine.connect() as connection:
        assert connection.scalars(select(Feed.scope).where(Feed.link_id.is_not(None))).all() == ["library"]
        assert connection.scalars(select(GameState.work_id)).all() == []
    public = {path: data for path, data in household.world.files().items() if not path.startswith("private/")}
    assert [path for path, data in public.items() if b"private/" in data] == []
