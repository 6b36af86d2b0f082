"""What a player has, plays and finished decides what they are told, and messages say it."""

from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select

from models import PersonWork
from models.details import LibraryLine, ReleaseDetail
from models.events import EventKind
from models.people import OWNER_ID
from models.words.holdings import Holding
from notifiers.apprise_urls import open_url
from notifiers.composing import Draft, compose
from notifiers.conditions.conditions import Conditions
from notifiers.errors import TargetError, UnknownTarget
from notifiers.previews import newest_event
from notifiers.reader import PLAIN
from notifiers.reasons import why_not
from notifiers.render import Foot, Format, Limits, render_message
from pipeline.database.connecting import alembic_config, migrate
from pipeline.demo.sinks import WebhookSink
from pipeline.library.store.person_works import renew
from tests.notifiers.shelves import Shelves, at
from tests.notifiers.world import Notifying, event_text, full_event, hook_url

PORT = 11
OWNED = Holding(words=("owned",), stores=("steam",), seconds=147_600)


@pytest.fixture
def shelves(world: Notifying) -> Shelves:
    return Shelves(world.engine)


def test_drops_for_a_game_reach_who_owns_it_and_those_for_another_game_do_not(
    world: Notifying, shelves: Shelves
) -> None:
    rust, palia = shelves.game("Rust", 1), shelves.game("Palia", 2)
    shelves.has(rust)
    world.target(conditions=Conditions(library=("owned",)))
    wanted = world.event(game_id=rust)
    world.event(game_id=palia)
    assert world.event_ids() == [wanted]


def test_drops_in_the_category_of_the_pc_edition_reach_who_owns_it_on_a_console(
    world: Notifying, shelves: Shelves
) -> None:
    category, console = shelves.game("Rust", 1), shelves.game("Rust", 9, game_type=PORT, parent_igdb_id=1)
    shelves.has(console, "playstation", platform="PlayStation 5")
    world.target(conditions=Conditions(kinds=("campaign.*",), library=("owned",)))
    assert [world.event(game_id=category)] == world.event_ids()


def test_a_subscription_to_roms_hears_of_what_there_is_a_rom_of_and_of_nothing_else(
    world: Notifying, shelves: Shelves
) -> None:
    with_rom, bought = shelves.game("Rust", 1), shelves.game("Palia", 2)
    shelves.has(with_rom, "rom", platform="Super Nintendo")
    shelves.has(bought)
    world.target(conditions=Conditions(library=("rom",)))
    wanted = world.event(game_id=with_rom)
    world.event(game_id=bought)
    assert world.event_ids() == [wanted]


def test_a_subscription_from_before_roms_were_known_hears_of_an_owned_game_that_there_is_a_rom_of(
    world: Notifying, shelves: Shelves
) -> None:
    game = shelves.game("Rust", 1)
    shelves.has(game, "rom", platform="Super Nintendo")
    world.target(conditions=Conditions(library=("owned",)))
    with world.engine.begin() as connection:
        # As the program of then had it: without what nobody knew.
        command.downgrade(alembic_config(connection), "0017")
    migrate(world.engine)
    # The program of then had no word for it.
    with world.engine.begin() as connection:
        renew(connection, OWNER_ID, connection.scalars(select(PersonWork.work_id)).all(), world.now)

    assert [world.event(game_id=game)] == world.event_ids()


def test_two_of_our_games_that_are_one_entry_count_as_one(world: Notifying, shelves: Shelves) -> None:
    shelves.has(shelves.game("Tom Clancy's The Division 2", 1))
    world.target(conditions=Conditions(library=("owned",)))
    assert [world.event(game_id=shelves.same("The Division 2", 1))] == world.event_ids()


def test_a_dlc_of_an_owned_game_is_told_once(world: Notifying, shelves: Shelves) -> None:
    game = shelves.game("Rust", 1)
    shelves.has(game)
    shelves.has(game, "gog")
    world.target(conditions=Conditions(library=("owned",)))
    world.subscribe(conditions=Conditions(library=("backlog",)))
    # News of an entry are filed under the game that it belongs to.
    event = world.event(kind="game.added", game_id=game, detail=ReleaseDetail(name="Rust: Depths", game="Rust"))
    assert world.event_ids() == [event]
    assert [len(delivery.subscription_ids) for delivery in world.deliveries()] == [2]


def test_a_game_that_is_finished_is_silent_for_who_said_so(world: Notifying, shelves: Shelves) -> None:
    done, waiting = shelves.game("Rez", 1), shelves.game("Ico", 2)
    shelves.has(done)
    shelves.finished(done, "2022")
    shelves.has(waiting)
    world.target(conditions=Conditions(library=("owned",), library_except=("finished", "abandoned")))
    world.event(game_id=done)
    wanted = world.event(game_id=waiting)
    assert world.event_ids() == [wanted]


def test_without_a_library_an_exception_holds_of_everything_else(world: Notifying, shelves: Shelves) -> None:
    given_up = shelves.game("Rez", 1)
    shelves.says(given_up, "abandoned")
    world.target(conditions=Conditions(library_except=("abandoned",)))
    world.event(game_id=given_up)
    unknown = world.event(game="Palia")
    assert world.event_ids() == [unknown]


def test_a_game_without_a_work_is_in_no_library(world: Notifying, shelves: Shelves) -> None:
    world.target(conditions=Conditions(library=("owned", "backlog", "wished")))
    world.event(game_id=shelves.game("Rust", has_work=False))
    assert world.event_ids() == []


def test_the_library_of_somebody_else_decides_nothing(world: Notifying, shelves: Shelves) -> None:
    rust, ann = shelves.game("Rust", 1), shelves.person("ann")
    shelves.has(rust, person_id=ann)
    world.target(conditions=Conditions(library=("owned",)))
    world.target("anns phone", person_id=ann, kinds=["stream.*"])
    world.subscribe("anns phone", person_id=ann, conditions=Conditions(library=("owned",), kinds=("campaign.*",)))
    event = world.event(game_id=rust)
    assert world.event_ids() == []
    assert world.event_ids("anns phone") == [event]


def test_what_happens_in_a_library_is_told_to_nobody_else(world: Notifying, shelves: Shelves) -> None:
    rust, ann = shelves.game("Rust", 1), shelves.person("ann")
    world.target(conditions=Conditions(kinds=("library.*", "play.*", "list.*")))
    world.target("anns phone", person_id=ann, conditions=Conditions(kinds=("library.*", "play.*", "list.*")))
    kinds = ("library.added", "play.finished", "list.changed")
    events = [world.event(kind=kind, game_id=rust, person_id=ann) for kind in kinds]
    assert world.event_ids() == []
    assert world.event_ids("anns phone") == events
    with world.engine.connect() as connection, pytest.raises(UnknownTarget, match=f"There is no event {events[0]}"):
        why_not(connection, "phone", events[0], world.now)


@pytest.mark.parametrize("conditions", [Conditions(), Conditions(block=("nothing",))], ids=["exact", "judged"])
def test_news_of_a_game_that_is_wanted_for_a_library_alone_is_told_to_those_who_have_it(
    world: Notifying, shelves: Shelves, conditions: Conditions
) -> None:
    rust, ann = shelves.game("Rust", 1), shelves.person("ann")
    shelves.has(rust, person_id=ann)
    world.target(conditions=conditions)
    world.target("anns phone", person_id=ann, conditions=conditions)
    event = world.event(kind="release.announced", game_id=rust, is_private=True)
    assert (world.event_ids(), world.event_ids("anns phone")) == ([], [event])


def test_who_wants_everything_did_not_ask_for_what_they_do_themselves(world: Notifying, shelves: Shelves) -> None:
    world.target()
    world.event(kind="play.started", game_id=shelves.game("Rust", 1), person_id=OWNER_ID)
    assert world.event_ids() == []


def test_a_list_means_the_own_list_of_that_name_and_any_edition_on_it(world: Notifying, shelves: Shelves) -> None:
    rust, port = shelves.game("Rust", 1), shelves.game("Rust", 9, game_type=PORT, parent_igdb_id=1)
    palia, ann = shelves.game("Palia", 2), shelves.person("ann")
    shelves.lists("Top 25", port)
    shelves.lists("top 25", palia, person_id=ann)
    world.target(conditions=Conditions(lists=("Top 25",)))
    mine = world.event(game_id=rust)
    world.event(game_id=palia)
    assert world.event_ids() == [mine]


def test_only_what_is_for_a_platform_that_one_plays_on_is_told(world: Notifying, shelves: Shelves) -> None:
    shelves.plays_on("PC (Microsoft Windows)", "PlayStation 5")
    world.target(conditions=Conditions(kinds=("release.*", "campaign.*"), my_platforms=True))
    switch = world.event(kind="release.out", detail=ReleaseDetail(platforms=("Nintendo Switch",)))
    mine = world.event(kind="release.out", detail=ReleaseDetail(platforms=("Xbox One", "PlayStation 5 (Japan)")))
    at_home = world.event(kind="release.out", detail=ReleaseDetail(platforms=("PC",)))
    for_all = world.event(game="Rust")
    assert world.event_ids() == [mine, at_home, for_all]
    with world.engine.connect() as connection:
        (verdict,) = why_not(connection, "phone", switch, world.now).verdicts
    assert verdict.failed == "my_platforms"
    assert verdict.reason == "it is for Nintendo Switch, and you play on PC (Microsoft Windows) and PlayStation 5"


def test_who_has_named_no_platform_plays_on_any(world: Notifying) -> None:
    world.target(conditions=Conditions(my_platforms=True))
    event = world.event(kind="release.out", detail=ReleaseDetail(platforms=("Nintendo Switch",)))
    assert world.event_ids() == [event]


def test_why_not_says_what_the_game_is_to_the_player(world: Notifying, shelves: Shelves) -> None:
    rust, rez = shelves.game("Rust", 1), shelves.game("Rez", 2)
    shelves.has(rez, "wishlist", ownership="wished")
    shelves.has(rust)
    shelves.finished(rust, "2022")
    world.target(conditions=Conditions(library=("owned", "playing"), library_except=("finished",)))
    events = [world.event(game_id=rust), world.event(game_id=rez), world.event(game="Palia"), world.event()]
    with world.engine.connect() as connection:
        answers = [why_not(connection, "phone", event, world.now).verdicts[0] for event in events]
    assert [answer.reason for answer in answers] == [
        "you finished it: you said except finished",
        "it is on your wish list, and you asked for owned, playing",
        "it is nothing to you, and you asked for owned, playing",
        "it is about no game, and you asked for owned, playing",
    ]


def test_a_message_says_what_the_game_is_to_the_player_as_it_is_sent(
    world: Notifying, shelves: Shelves, hooks: WebhookSink
) -> None:
    rust = shelves.game("Rust", 1)
    world.target(url=hook_url(hooks))
    world.event(game_id=rust)
    shelves.has(rust, playtime_seconds=147_600, last_played_at=at("2026-05-03"))
    world.deliver()
    (body,) = [hook.json for hook in hooks.messages]
    assert "Library: yours on Steam, 41 h, last played in May" in body["message"]
    assert body["library"] == body["events"][0]["library"]
    assert body["library"] == {
        "words": ["owned"],
        "status": "paused",
        "stores": ["steam"],
        "seconds": 147_600,
        "last_played_at": "2026-05-03T12:00:00Z",
        "text": "yours on Steam, 41 h, last played in 2026-05",
    }


def test_where_the_game_is_nothing_to_the_player_nothing_is_said(
    world: Notifying, shelves: Shelves, hooks: WebhookSink
) -> None:
    rust, ann = shelves.game("Rust", 1), shelves.person("ann")
    shelves.has(rust, person_id=ann)
    world.target(url=hook_url(hooks))
    world.event(game_id=rust)
    world.deliver()
    (body,) = [hook.json for hook in hooks.messages]
    assert "Library" not in body["message"]
    assert "library" not in body
    assert "library" not in body["events"][0]


def test_each_of_two_people_reads_what_it_is_to_them(world: Notifying, shelves: Shelves) -> None:
    rust, ann = shelves.game("Rust", 1), shelves.person("ann")
    shelves.finished(rust, "2012")
    shelves.finished(rust, "1999-Q3")
    shelves.has(rust, "gog", person_id=ann)
    world.target()
    world.target("anns phone", person_id=ann)
    world.event(game_id=rust)
    messages = {message.target: message.events[0].library for message in world.claim(limit=5)}
    said = {
        target: (holding.words, holding.stores, holding.finished) for target, holding in messages.items() if holding
    }
    assert said == {"phone": (("finished",), (), "2012"), "anns phone": (("owned", "backlog"), ("gog",), None)}


def test_a_list_of_several_says_in_few_words_what_each_game_is(
    world: Notifying, shelves: Shelves, hooks: WebhookSink
) -> None:
    rust, rez = shelves.game("Rust", 1), shelves.game("Rez", 2)
    shelves.has(rust, playtime_seconds=147_600)
    shelves.finished(rez, "2022")
    world.target(url=hook_url(hooks))
    for name, game_id in (("Hats", rust), ("Coats", rez), ("Caps", None)):
        world.event(name, game_id=game_id, game=None)
    world.deliver()
    (body,) = [hook.json for hook in hooks.messages]
    assert body["message"].splitlines() == ["- Hats – yours on Steam", "- Coats – finished", "- Caps"]
    assert [event.get("library", {}).get("text") for event in body["events"]] == [
        "yours on Steam, 41 h",
        "finished in 2022",
        None,
    ]


@pytest.mark.parametrize(("form", "most"), [("text", 120), ("markdown", 120), ("html", 700)])
def test_a_small_service_gets_as_much_as_there_is_room_for(form: str, most: int) -> None:
    event = replace(full_event(), library=OWNED)
    message = render_message([event], Limits(body=most, html=most), forms=(Format(form),))
    body = message.body(Format(form))
    assert len(body) <= most
    assert "41 h" in body


def test_a_template_can_say_it_in_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "any.txt.j2").write_text("{{ event.title }}: {{ event.library }}")
    opened = open_url("ntfy://localhost/topic?format=text")
    for holding, expected in ((OWNED, "New drops: Rust 40: yours on Steam, 41 h"), (None, "New drops: Rust 40:")):
        draft = Draft([replace(full_event(), library=holding)], False, PLAIN, Foot(("loot",), "phone"), tmp_path)
        message, problem = compose(opened, draft)
        assert (message.body(opened.form), problem) == (expected, None)


def test_a_name_of_a_store_that_is_no_name_does_no_harm() -> None:
    holding = Holding(words=("owned",), stores=("<b>@everyone</b>",), seconds=3600)
    message = render_message([replace(full_event(), library=holding)], Limits())
    assert "@everyone" not in message.text + message.html + message.markdown


def test_a_message_about_many_games_lists_them_with_their_notes() -> None:
    games = (LibraryLine(name="Ico", note="PlayStation 2"), LibraryLine(name="Rez"))
    event = event_text("New", "library.added", origin="games.csv", total=42, games=games)
    assert (
        render_message([event], Limits()).text
        == "From: games.csv\n\nGames:\n- Ico (PlayStation 2)\n- Rez\n- and 40 more"
    )


def test_a_message_about_a_list_says_each_change_in_a_line() -> None:
    moved = LibraryLine(name="Rez", place=2, place_before=7)
    detail = {"name": "Top 25", "added": (LibraryLine(name="Ico"),), "moved": (moved,)}
    assert render_message([event_text("Top 25", "list.changed", **detail)], Limits()).text == (
        "List: Top 25\n\nChanges:\n- Ico added\n- Rez from 7 to 2"
    )
    alone = event_text("Top 25", "list.changed", name="Top 25", moved=(moved,))
    assert render_message([alone], Limits()).text == "List: Top 25\nChange: Rez from 7 to 2"


def test_a_word_cannot_be_asked_for_and_excepted_at_once(world: Notifying) -> None:
    world.target()
    with pytest.raises(TargetError, match="finished is asked for and excepted at once"):
        world.subscribe(conditions=Conditions(library=("finished",), library_except=("finished", "abandoned")))


def test_the_example_of_somebody_elses_life_is_shown_to_nobody(world: Notifying, shelves: Shelves) -> None:
    ann, rez = shelves.person("ann"), shelves.game("Rez", 1)
    world.event("Ann finished Rez", kind="play.finished", game_id=rez, person_id=ann)
    with world.engine.connect() as connection:
        assert newest_event(connection, EventKind.PLAY_FINISHED, world.now).title == "You finished Rez on Dreamcast"
