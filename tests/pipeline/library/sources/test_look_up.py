"""Games that the catalogue lacks: IGDB is asked for them by Steam's ids, once, and they are in with the same answer."""

from collections.abc import Sequence

import pytest
from sqlalchemy import insert

from models import ImportLine, Source
from models.people import OWNER_ID
from pipeline.fetch.http import Client
from pipeline.ingest.fetching import register
from pipeline.library.importing.asking import Asking
from pipeline.library.records import Record
from pipeline.library.sources.accounts import LibrarySource
from pipeline.library.sources.rounds import LookedUp
from pipeline.library.sources.steam import SteamLibrary
from tests.igdb.setting import IgdbSetting
from tests.pipeline.games.documents import game
from tests.pipeline.library.sources.syncing import DAY, GLOWMOOR, HOUR, Syncing
from tests.shops import SteamUser


@pytest.fixture
def asked(syncing: Syncing, setting: IgdbSetting) -> list[list[str]]:
    """The games that IGDB was asked for, round by round."""
    rounds: list[list[str]] = []

    def look_up(client: Client, records: Sequence[Record]) -> LookedUp:
        rounds.append(sorted(record.written for record in records))
        asking = Asking(
            open_igdb=lambda: setting.open(client),
            register=lambda connection: register(connection, list(syncing.sources.values()), syncing.now),
            clock=syncing.clock,
        )
        answered = asking.ask(syncing.engine, records, OWNER_ID)
        return LookedUp(rows=answered.rows, asked_at=answered.asked_at, is_failed=answered.problem is not None)

    shop = SteamLibrary(syncing.shops.steam_url)
    syncing.sources["steam"] = LibrarySource(
        shop, syncing.engine, syncing.open_vault, syncing.clock, every=DAY, while_played=HOUR, look_up=look_up
    )
    with syncing.engine.begin() as connection:
        connection.execute(insert(Source).values(name="igdb.wanted", service="igdb", next_due_at=syncing.now))
    return rounds


def test_a_game_that_only_igdb_knows_is_in_the_library_with_the_first_answer(
    syncing: Syncing, user: SteamUser, setting: IgdbSetting, asked: list[list[str]]
) -> None:
    external = {"id": 1, "game": 4321, "uid": "777", "external_game_source": 1}
    setting.igdb.put(game(4321, "Wickhaven", external_games=[external]))
    setting.igdb.put(external, endpoint="external_games")
    user.own(GLOWMOOR, "Glowmoor")
    user.own(777, "WICKHAVEN™ - Gold")
    user.own(888, "Nobody lists this")

    syncing.round()
    assert syncing.games() == {"Glowmoor", "WICKHAVEN™ - Gold"}
    assert [row["line"] for row in syncing.rows(ImportLine)] == [888]
    for _ in range(2):
        syncing.round(DAY)
    user.play(GLOWMOOR, syncing.now)
    syncing.round(DAY)

    assert asked == [["Glowmoor", "Nobody lists this", "WICKHAVEN™ - Gold"], ["Glowmoor", "WICKHAVEN™ - Gold"]]


def test_while_igdb_is_away_games_wait_and_are_asked_for_again(
    syncing: Syncing, user: SteamUser, setting: IgdbSetting, asked: list[list[str]]
) -> None:
    external = {"id": 1, "game": 4321, "uid": "777", "external_game_source": 1}
    setting.igdb.put(game(4321, "Wickhaven", external_games=[external]))
    setting.igdb.put(external, endpoint="external_games")
    user.own(777, "WICKHAVEN™ - Gold")
    setting.igdb.fail("/external_games", 403)
    syncing.round()
    assert (syncing.games(), len(syncing.rows(ImportLine))) == (set(), 1)

    syncing.round(DAY)

    assert (syncing.games(), syncing.rows(ImportLine)) == ({"WICKHAVEN™ - Gold"}, [])
    assert len(asked) == 2
