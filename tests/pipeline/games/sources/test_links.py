"""Linking games of Twitch, Kick and CHZZK with entries of IGDB."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from models import GameExternalId, GameMetadata
from models.names import public_id
from pipeline.catalogue.records import GameRecord
from pipeline.catalogue.storing import store_games as store_categories
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import Budget
from pipeline.games.sources.links import FROM_IGDB, IgdbLinks, read_tries
from pipeline.games.store.games import store_games
from pipeline.games.store.links import Link, attach, games_of, link, load_links, unlink
from pipeline.games.store.wanted import want_what_runs
from pipeline.services.twitch.app_token import SharedAppTokens
from pipeline.services.twitch.helix import Helix
from tests.channels import Channels
from tests.igdb.setting import IgdbSetting
from tests.pipeline.games.documents import doc, game
from tests.pipeline.games.syncing import Syncing


@dataclass
class Linking:
    """Games with campaigns, and the source that finds their entries."""

    syncing: Syncing
    rows: Channels

    @property
    def setting(self) -> IgdbSetting:
        return self.syncing.setting

    @property
    def engine(self) -> Engine:
        return self.syncing.engine

    def helix(self, client: Client) -> Helix:
        twitch, redis = self.setting.twitch, self.setting.redis
        tokens = SharedAppTokens(
            redis, lambda: self.setting.vault, twitch.auth_url, twitch.client_id, SecretStr(twitch.client_secret)
        )
        return Helix(client, twitch.helix_url, tokens, Budget(redis, "helix"))

    @property
    def source(self) -> IgdbLinks:
        return IgdbLinks(self.engine, self.helix, self.setting.open, self.setting.clock, self.syncing.append_news)

    def run(self) -> None:
        assert self.syncing.fetch(self.source).error is None

    def category(
        self,
        name: str,
        external_id: str = "33214",
        *,
        service: str = "twitch",
        art: str | None = None,
        runs: bool = True,
    ) -> int:
        """A game that a service has named, with a campaign unless `runs` is false."""
        with self.engine.begin() as connection:
            record = GameRecord(external_id=external_id, name=name, box_art_url=art)
            game_id = store_categories(connection, service, [record])[external_id]
        if runs:
            self.rows.campaign([self.rows.channel(follow=False)], game_id=game_id)
        return game_id

    def links(self) -> dict[str, tuple[int, str]]:
        """The game that each id of IGDB is linked to, and how the link was found."""
        columns = (GameExternalId.external_id, GameExternalId.game_id, GameExternalId.how)
        rows = self.syncing.rows(select(*columns).where(GameExternalId.service == "igdb"))
        return {row[0]: (row[1], row[2]) for row in rows}

    def catalogue(self, *documents: Any) -> None:
        with self.engine.begin() as connection:
            store_games(connection, documents, self.setting.clock())

    def owners(self) -> dict[int, int | None]:
        rows = self.syncing.rows(select(GameMetadata.igdb_id, GameMetadata.game_id))
        return {row[0]: row[1] for row in rows}


@pytest.fixture
def linking(syncing: Syncing) -> Linking:
    return Linking(syncing, Channels(syncing.engine, syncing.setting.clock()))


def test_what_twitch_says_goes_before_all_else(linking: Linking) -> None:
    game_id = linking.category("Gloomtide")
    linking.setting.twitch.add_category("33214", "Gloomtide", igdb_id="1905")
    linking.setting.igdb.put(
        {"id": 1, "uid": "33214", "external_game_source": 14, "game": 7}, endpoint="external_games"
    )
    linking.run()
    assert linking.links() == {"1905": (game_id, "igdb_id")}
    assert linking.setting.igdb.requests == []


def test_what_igdb_says_of_twitch_goes_before_the_name(linking: Linking) -> None:
    game_id = linking.category("Gloomtide")
    linking.setting.twitch.add_category("33214", "Gloomtide")
    linking.setting.igdb.put(
        {"id": 1, "uid": "33214", "external_game_source": 1, "game": 6},
        {"id": 2, "uid": "33214", "external_game_source": 14, "game": 7},
        endpoint="external_games",
    )
    linking.setting.igdb.put(game(9, "Gloomtide", total_rating_count=500))
    linking.run()
    assert linking.links() == {"7": (game_id, "external_game")}


def test_what_is_in_the_catalogue_is_not_asked_for(linking: Linking) -> None:
    game_id = linking.category("Gloomtide")
    linking.setting.twitch.add_category("33214", "Gloomtide")
    linking.catalogue(doc(7, "Another", external_games=[{"id": 1, "external_game_source": 14, "uid": "33214"}]))
    linking.run()
    assert linking.links() == {"7": (game_id, "external_game")}
    assert linking.setting.igdb.requests == []


def test_a_kick_category_is_found_by_its_name_with_a_confidence(linking: Linking) -> None:
    game_id = linking.category("GLOOMTIDE", "881", service="kick")
    linking.setting.igdb.put(game(9, "Gloomtide"), game(10, "Gloomtide 2"))
    linking.run()
    assert linking.links() == {"9": (game_id, "name")}
    with linking.engine.connect() as connection:
        confidence = load_links(connection, [game_id])[game_id].confidence
    assert confidence == pytest.approx(0.995, abs=0.001)
    assert linking.syncing.games()[9] == "Gloomtide"


def test_a_name_that_is_not_sure_links_nothing(linking: Linking) -> None:
    linking.category("Gloomtide", "881", service="kick")
    linking.setting.igdb.put(game(9, "Gloomtide", total_rating_count=50), game(10, "Gloomtide", total_rating_count=40))
    linking.run()
    assert linking.links() == {}


def test_a_category_that_is_no_game_is_not_linked_with_an_obscure_game_of_its_name(linking: Linking) -> None:
    linking.category("Just Chatting")
    linking.setting.twitch.add_category("33214", "Just Chatting")
    linking.catalogue(doc(9, "Just Chatting", total_rating_count=3))
    linking.run()
    assert linking.links() == {}


def test_a_category_whose_box_art_is_igdbs_is_linked_by_its_name(linking: Linking) -> None:
    art = f"https://static-cdn.jtvnw.net/ttv-boxart/33214{FROM_IGDB}{{width}}x{{height}}.jpg"
    game_id = linking.category("Gloomtide", art=art)
    linking.catalogue(doc(9, "Gloomtide"))
    linking.run()
    assert linking.links() == {"9": (game_id, "name")}


def test_games_without_campaign_or_stream_are_not_looked_for(linking: Linking) -> None:
    linking.category("Gloomtide", runs=False)
    linking.setting.twitch.add_category("33214", "Gloomtide", igdb_id="1905")
    linking.run()
    assert linking.links() == {}


def test_a_game_that_is_streamed_is_looked_for(linking: Linking) -> None:
    game_id = linking.category("Gloomtide", runs=False)
    linking.setting.twitch.add_category("33214", "Gloomtide", igdb_id="1905")
    linking.rows.stream(linking.rows.channel(), linking.setting.clock(), None, games=[(0, game_id)])
    linking.run()
    assert linking.links() == {"1905": (game_id, "igdb_id")}


def test_what_was_not_found_is_tried_again_less_and_less_often(linking: Linking) -> None:
    linking.category("Gloomtide")
    linking.setting.twitch.add_category("33214", "Gloomtide")
    waits = []
    for _ in range(6):
        requests_before = len(linking.setting.igdb.requests)
        linking.run()
        assert len(linking.setting.igdb.requests) > requests_before
        linking.run()
        now = linking.setting.clock()
        (tried,) = read_tries(linking.syncing.source("igdb.links")["cursor"]).values()
        waits.append(round((tried.next_at - now) / timedelta(hours=1)))
        linking.setting.moved += tried.next_at - now + timedelta(seconds=1)
    assert waits == [1, 6, 24, 168, 720, 720]


def test_a_game_that_is_not_due_is_not_asked_for(linking: Linking) -> None:
    linking.category("Gloomtide")
    linking.setting.twitch.add_category("33214", "Gloomtide")
    linking.run()
    linking.setting.igdb.forget_requests()
    linking.run()
    assert linking.setting.igdb.requests == []


def test_a_service_that_knows_better_later_replaces_a_name(linking: Linking) -> None:
    game_id = linking.category("Gloomtide")
    linking.setting.twitch.add_category("33214", "Gloomtide")
    linking.catalogue(doc(9, "Gloomtide", total_rating_count=500))
    linking.run()
    assert linking.links() == {"9": (game_id, "name")}
    linking.setting.twitch.add_category("33214", "Gloomtide", igdb_id="1905")
    linking.setting.moved = timedelta(hours=2)
    linking.run()
    assert linking.links() == {"1905": (game_id, "igdb_id")}


@pytest.mark.parametrize("igdb_id", [77, None])
def test_a_pin_stays_whatever_services_say(linking: Linking, igdb_id: int | None) -> None:
    game_id = linking.category("Gloomtide")
    linking.setting.twitch.add_category("33214", "Gloomtide", igdb_id="1905")
    pin = Link(game_id=game_id, igdb_id=igdb_id, how="hand", confidence=1.0, pinned_at=linking.setting.clock())
    with linking.engine.begin() as connection:
        link(connection, [pin])
    linking.run()
    with linking.engine.begin() as connection:
        assert link(connection, [Link(game_id=game_id, igdb_id=1905, how="igdb_id")]) == []
        assert load_links(connection, [game_id])[game_id].igdb_id == igdb_id


def test_two_games_that_are_one_entry_share_it(linking: Linking) -> None:
    battlegrounds = linking.category("Gloomtide: Battlegrounds")
    gloomtide = linking.category("Gloomtide", "881", service="kick")
    with linking.engine.begin() as connection:
        link(connection, [Link(game_id=key, igdb_id=9, how="name") for key in (battlegrounds, gloomtide)])
        assert games_of(connection, [9, 10]) == {9: [battlegrounds, gloomtide]}
        assert load_links(connection, [gloomtide])[gloomtide].igdb_id == 9
    assert linking.links() == {"9": (battlegrounds, "name"), f"9/{public_id('kick', '881')}": (gloomtide, "name")}
    with linking.engine.begin() as connection:
        unlink(connection, battlegrounds)
    assert linking.links() == {"9": (gloomtide, "name")}


@pytest.mark.parametrize("ended", [False, True])
def test_an_entry_that_two_games_share_is_wanted_while_either_has_a_campaign(linking: Linking, ended: bool) -> None:
    battlegrounds = linking.category("Gloomtide: Battlegrounds", runs=False)
    gloomtide = linking.category("Gloomtide", "881", service="kick", runs=not ended)
    with linking.engine.begin() as connection:
        link(connection, [Link(game_id=key, igdb_id=9, how="name") for key in (battlegrounds, gloomtide)])
        want_what_runs(connection, linking.setting.clock())
    assert linking.syncing.wishes() == ({} if ended else {9: ["campaign"]})


def test_linking_twice_changes_nothing(linking: Linking) -> None:
    game_id = linking.category("Gloomtide")
    new_link = Link(game_id=game_id, igdb_id=9, how="igdb_id", confidence=1.0)
    with linking.engine.begin() as connection:
        assert link(connection, [new_link]) == [new_link]
        assert link(connection, [new_link]) == []


def test_editions_and_expansions_belong_to_the_game(linking: Linking) -> None:
    game_id = linking.category("Gloomtide")
    other = linking.category("Gloomtide: Depths", "44")
    linking.catalogue(
        doc(9, "Gloomtide"),
        doc(10, "Gloomtide: Depths", parent_game=9, game_type=1),
        doc(11, "Gloomtide: Gold Edition", version_parent=9),
        doc(12, "Orchard"),
    )
    with linking.engine.begin() as connection:
        link(connection, [Link(game_id=game_id, igdb_id=9, how="igdb_id")])
        assert attach(connection) == 0
    assert linking.owners() == {9: game_id, 10: game_id, 11: game_id, 12: None}
    with linking.engine.begin() as connection:
        link(connection, [Link(game_id=other, igdb_id=10, how="igdb_id")])
    assert linking.owners() == {9: game_id, 10: other, 11: game_id, 12: None}


def test_an_entry_that_is_stored_after_its_link_is_attached_in_the_next_round(linking: Linking) -> None:
    game_id = linking.category("Gloomtide")
    linking.setting.twitch.add_category("33214", "Gloomtide", igdb_id="9")
    linking.run()
    linking.catalogue(doc(9, "Gloomtide"))
    linking.run()
    assert linking.owners() == {9: game_id}


def test_a_game_that_is_relinked_leaves_its_old_entry(linking: Linking) -> None:
    game_id = linking.category("Gloomtide")
    linking.catalogue(doc(9, "Gloomtide"), doc(10, "Gloomtide II"))
    with linking.engine.begin() as connection:
        link(connection, [Link(game_id=game_id, igdb_id=9, how="name")])
        link(connection, [Link(game_id=game_id, igdb_id=10, how="hand", pinned_at=linking.setting.clock())])
    assert linking.owners() == {9: None, 10: game_id}


def test_tries_that_cannot_be_read_are_forgotten() -> None:
    assert read_tries({"tried": {"x": [1, "2026-10-01T00:00:00Z"]}}) == {}
    assert read_tries({"tried": 4}) == {}
    assert read_tries({}) == {}
