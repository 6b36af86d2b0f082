"""The rows that a snapshot changes, and those that it leaves alone."""

from datetime import timedelta

import pytest

from models import (
    AllowedChannel,
    Channel,
    Delivery,
    DropBenefit,
    DropCampaign,
    Event,
    Game,
    GameExternalId,
    Organization,
    Sighting,
    Unpublished,
)
from models.vault import Vault
from notifiers import targets
from notifiers.subscriptions import add_subscription
from tests.details import campaign_detail
from tests.pipeline.builders import (
    END,
    NOON,
    START,
    Json,
    campaign,
    campaigns,
    channel,
    chzzk,
    drop,
    drops,
    encode,
    group,
    kick,
    kick_campaign,
    quest,
    stamp,
)
from tests.pipeline.world import CHZZK, KICK, REWARDS, Ingesting, take_in

HOSTILE = "@everyone <script>alert(1)</script> \0\x07\x1b[31m {{ 7*7 }} ' \" \\ \u202e \U0001f600 " + "x" * 4000


@pytest.fixture
def phone(world: Ingesting, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A target with a subscription to everything."""
    vault = Vault.open(tmp_path_factory.mktemp("vault") / "key")
    with world.engine.begin() as connection:
        targets.add_target(connection, vault, "phone", "json://127.0.0.1:9/x", NOON, private=True)
        add_subscription(connection, "phone", NOON)
    return "phone"


def test_an_unchanged_snapshot_writes_to_no_row_of_campaigns_or_events(world: Ingesting) -> None:
    listed = drops(*campaigns("a", "b", channels=[301, 302]))
    world.ingest(listed)
    before = world.written()

    result = world.ingest(listed, hours=1)

    assert (result.outcome, result.changed, result.events.total()) == ("unchanged", 0, 0)
    assert world.written() == before
    assert world.source().last_snapshot_at == world.now


def test_a_snapshot_with_one_change_writes_to_that_campaign_alone(world: Ingesting) -> None:
    world.ingest(drops(*campaigns("a", "b", channels=[301])))
    before = world.written()["drop_campaigns"]

    result = world.ingest(drops(campaign("a", channels=[301], name="Renamed"), campaign("b", channels=[301])), hours=1)

    assert result.changed == 1
    assert len(before & world.written()["drop_campaigns"]) == 1


def test_the_same_snapshot_twice_adds_no_event(world: Ingesting) -> None:
    world.ingest(drops(campaign("a")))
    listed = drops(campaign("a", name="Renamed", channels=[301]), campaign("b"))
    world.ingest(listed, hours=1)
    before = world.written()

    assert world.ingest(listed).outcome == "late"
    assert world.ingest(listed, hours=1).events.total() == 0
    assert world.written() == before


def test_a_payload_that_lists_a_campaign_twice_lands_once_and_stays_calm(world: Ingesting) -> None:
    listed = drops(campaign("a"), campaign("a", name="Another name"), campaign("b"))
    world.ingest(listed)
    before = world.written()

    for _ in range(3):
        world.ingest(listed, hours=1)

    assert world.count(DropCampaign) == 2
    assert world.kinds() == ["campaign.added"] * 2
    assert world.written() == before


MISSING: dict[str, Json] = {
    "left out": dict.fromkeys(
        ("description", "detailsURL", "accountLinkURL", "imageURL", "owner", "allow", "timeBasedDrops"), ...
    ),
    "null": dict.fromkeys(
        ("description", "detailsURL", "accountLinkURL", "imageURL", "owner", "allow", "timeBasedDrops")
    ),
    "empty": {"description": "", "detailsURL": " ", "accountLinkURL": "", "imageURL": "", "timeBasedDrops": []},
    "null inside": {
        "timeBasedDrops": [{"id": "drop-hat", "name": None, "requiredMinutesWatched": None, "benefitEdges": None}],
        "owner": {"id": "org-tide", "name": None},
        "allow": {"channels": [channel(301, "keeper301", None)]},
    },
}


@pytest.mark.parametrize("case", MISSING)
def test_what_a_payload_does_not_say_never_overwrites_what_is_known(world: Ingesting, case: str) -> None:
    world.ingest(drops(campaign("a", channels=[301], drops=[drop("hat", 60, "Hat")])))
    before = world.campaign(), world.drops(), world.rows(DropBenefit), world.rows(Channel)

    changed: Json = {"allow": {"channels": [channel(301)]}} | MISSING[case]
    world.ingest(drops(campaign("a", **changed)), hours=1)

    assert (world.campaign(), world.drops(), world.rows(DropBenefit), world.rows(Channel)) == before
    assert world.kinds() == ["campaign.added"]
    assert [row.name for row in world.rows(Organization)] == ["Tide Works"]


def test_what_changes_beside_something_left_out_is_stored_and_the_rest_kept(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", channels=[channel(301, "keeper", "Keeper")], drops=[drop("hat", 60, "Hat")])))
    bare = {"benefit": {"id": "benefit-Hat", "name": None, "imageAssetURL": "https://art.example.org/hat.png"}}
    partial = drop("hat", 90, name=None, requiredSubs=None, benefitEdges=[bare])
    world.ingest(drops(campaign("a", channels=[channel(301, "lighthouse", None)], drops=[partial])), hours=1)

    (hat,) = world.drops().values()
    assert (hat.name, hat.required_minutes, hat.required_subs) == ("Drop hat", 90, 0)
    (benefit,) = world.rows(DropBenefit)
    assert (benefit.name, benefit.distribution_type, benefit.image_url[-7:]) == ("Hat", "CODE", "hat.png")
    assert [(row.login, row.display_name) for row in world.rows(Channel)] == [("lighthouse", "Keeper")]


def test_what_a_reward_does_not_say_never_overwrites_what_is_known(world: Ingesting) -> None:
    world.ingest(encode([quest(summary="Soup")]), source=REWARDS)
    before = world.quest()
    world.ingest(encode([quest(summary=None, brand="", game=None, unlockRequirements=None)]), source=REWARDS, hours=1)

    assert world.quest() == before


def test_an_organization_that_is_renamed_is_known_by_its_new_name(world: Ingesting) -> None:
    world.ingest(drops(campaign("a")))
    world.ingest(drops(campaign("a", owner={"id": "org-tide", "name": "Tide & Sons"})), hours=1)

    assert [row.name for row in world.rows(Organization)] == ["Tide & Sons"]


def test_a_games_new_box_art_is_stored(world: Ingesting) -> None:
    world.ingest(drops(campaign("a")))
    world.ingest(encode([group("7001", [campaign("a")], gameBoxArtURL="https://art.example.org/new.jpg")]), hours=1)

    assert [row.box_art_url for row in world.rows(Game)] == ["https://art.example.org/new.jpg"]
    assert world.kinds() == ["campaign.added"]


def test_a_hostile_title_is_stored_and_its_events_are_appended(world: Ingesting) -> None:
    world.ingest(drops(campaign("a")))
    hostile = campaign(
        "b",
        name=HOSTILE,
        description=HOSTILE,
        owner={"id": HOSTILE, "name": HOSTILE},
        game={"id": "70\x0009", "displayName": HOSTILE},
        channels=[channel(301, HOSTILE, HOSTILE)],
        drops=[drop("h", 60, HOSTILE)],
    )

    result = world.ingest(encode([group("70\x0009", [hostile]), group("7001", [campaign("a")])]), hours=1)

    cleaned = HOSTILE.replace("\0", "")
    assert (result.outcome, result.invalid, result.events) == ("ok", 0, {"campaign.added": 1})
    assert world.campaign("b").name == cleaned
    event = world.rows(Event)[-1]
    assert "\n" not in event.title
    detail = campaign_detail(event)
    assert (detail.name, detail.game) == (cleaned, cleaned)
    # A login is looked up by index, and no real one has more than 25 characters.
    assert detail.channels[0].startswith(cleaned[:400])


def test_an_old_snapshot_with_nul_in_an_id_harms_nothing(world: Ingesting) -> None:
    world.ingest(drops(campaign("a")))

    result = world.ingest(drops(campaign("a"), campaign("b", id="camp-\0b")), at=NOON - timedelta(hours=1))

    assert result.outcome == "late"
    assert world.state("b") == "open"


def test_a_game_that_two_services_know_by_name_is_one_game(world: Ingesting) -> None:
    world.ingest(drops(campaign("a")))
    listed = kick(kick_campaign(category={"id": 53, "name": "HARBOUR  lights™", "image_url": ""}))
    world.ingest(listed, source=KICK)
    # CHZZK names it in Korean; its id is the name in English.
    world.ingest(chzzk(), source=CHZZK)

    (game,) = world.rows(Game)
    assert {row.game_id for row in world.rows(DropCampaign)} == {game.id}
    assert {(row.service, row.external_id) for row in world.rows(GameExternalId)} == {
        ("twitch", "7001"),
        ("kick", "53"),
        ("chzzk", "HarbourLights"),
    }


def test_two_games_of_one_service_with_the_same_name_stay_two(world: Ingesting) -> None:
    same = [{"id": key, "displayName": "Twins"} for key in ("8001", "8002")]
    world.ingest(drops(campaign("a", game=same[0]), campaign("b", game=same[1])))

    assert world.count(Game) == 2


def test_an_older_snapshot_never_changes_state_but_adds_what_nobody_knew(world: Ingesting) -> None:
    world.ingest(drops(campaign("a", name="New name"), campaign("b")))
    before = world.written()
    old = NOON - timedelta(hours=6)
    gone = campaign("gone", end=NOON - timedelta(hours=1))

    result = world.ingest(drops(campaign("a", name="Old name"), gone, campaign("unseen")), at=old)

    assert (result.outcome, result.changed) == ("late", 2)
    assert (world.campaign("a").name, world.state("b")) == ("New name", "open")
    assert (world.state("gone"), world.state("unseen")) == ("ended", "open")
    assert before["drop_campaigns"] <= world.written()["drop_campaigns"]
    assert result.events == {"campaign.added": 2, "campaign.ended": 1}
    assert world.source().last_snapshot_at == NOON
    again = world.ingest(drops(campaign("a", name="Old name"), gone, campaign("unseen")), at=old)
    assert (again.changed, again.events.total()) == (0, 0)


def test_an_old_snapshots_addition_is_withdrawn_when_newer_ones_do_not_have_it(world: Ingesting) -> None:
    nine = campaigns(*"abcdefghi")
    world.ingest(drops(*nine))
    world.ingest(drops(*nine, campaign("unseen")), at=NOON - timedelta(hours=1))
    for _ in range(3):
        world.ingest(drops(*nine), hours=1)

    assert world.state("unseen") == "withdrawn"


def test_deliveries_and_notes_for_feeds_are_made_with_the_events(world: Ingesting, phone: str) -> None:
    world.ingest(drops(campaign("a")))
    assert world.count(Delivery) == 0, "the first import is silent"
    assert world.count(Unpublished) == world.count(Event) > 0

    world.ingest(drops(campaign("a"), campaign("b", game_id="7002")), hours=1)

    (delivery,) = world.rows(Delivery)
    assert (delivery.event_id, delivery.state) == (world.rows(Event)[-1].id, "pending")
    assert {row.event_id for row in world.rows(Unpublished)} == {row.id for row in world.rows(Event)}


def test_a_transaction_that_dies_leaves_nothing_and_the_next_one_does_it_all(world: Ingesting, phone: str) -> None:
    world.ingest(drops(campaign("a", channels=[301])))
    before, source = world.written(), world.source()
    listed = drops(campaign("a", name="Renamed", channels=[302]), campaign("b"))

    def die_before_the_commit() -> None:
        with world.engine.begin() as connection:
            assert take_in(connection, listed, NOON + timedelta(hours=1)).events.total() == 3
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        die_before_the_commit()
    assert (world.written(), world.source()) == (before, source)
    world.ingest(listed, hours=1)
    assert sorted(world.kinds()[1:]) == ["campaign.added", "campaign.changed", "campaign.channels_changed"]
    assert world.count(Delivery) == 3


def test_nothing_that_was_seen_is_deleted(world: Ingesting) -> None:
    nine = campaigns(*"abcdefghi", channels=[301, 302], drops=[drop("hat"), drop("cap")])
    world.ingest(drops(*nine))
    fewer = campaigns(*"bcdefghi", channels=[302], drops=[drop("cap")])
    for _ in range(4):
        world.ingest(drops(*fewer), hours=1)

    assert world.count(DropCampaign) == 9
    gone = [row for row in world.rows(AllowedChannel) if row.last_seen_at is not None]
    assert len(gone) == 8
    assert {row.first_seen_at for row in gone} == {NOON}
    assert world.count(Sighting) == 9


def test_a_campaign_that_has_not_begun_is_upcoming(world: Ingesting) -> None:
    later = stamp(NOON + timedelta(hours=5))
    world.ingest(drops(campaign("a"), campaign("b", startAt=later, status="UPCOMING"), campaign("c", startAt=later)))

    assert world.campaign("a").started_at == START
    assert world.campaign("b").started_at is None
    # It is listed as active: the source knows better than the start it gives.
    assert world.campaign("c").started_at is not None


def test_a_source_remembers_its_newest_snapshot_and_no_older_one(world: Ingesting) -> None:
    for minutes in (0, 60, 30):
        world.ingest(drops(campaign("a", end=END)), at=NOON + timedelta(minutes=minutes))

    assert world.source().last_snapshot_at == NOON + timedelta(hours=1)
    assert world.source("kick.drops").last_snapshot_at is None
