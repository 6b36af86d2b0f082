"""The details of campaigns, rewards and badges."""

from datetime import UTC, datetime

from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord
from pipeline.drops.details import CHANNELS_SHOWN, badge_detail, campaign_detail, drop_lines, reward_detail
from pipeline.drops.records import BenefitRecord, CampaignRecord, DropRecord, RewardCampaignRecord, RewardRecord
from pipeline.services.twitch.records import BadgeRecord

END = datetime(2031, 3, 9, 7, 59, tzinfo=UTC)


def test_a_campaigns_detail_shows_its_drops_in_the_order_in_which_they_are_earned() -> None:
    drops = (
        DropRecord(external_id="3", name="Coat", required_minutes=0, required_subs=2),
        DropRecord(external_id="2", name="Cap", required_minutes=120, benefits=(BenefitRecord(external_id="b"),)),
        DropRecord(external_id="1", name="Hat", required_minutes=60),
        DropRecord(external_id="0", name="Unknown"),
    )

    assert [line.name for line in drop_lines(drops)] == ["Unknown", "Coat", "Hat", "Cap"]


def test_a_campaigns_detail_holds_what_a_message_shows_and_no_more_than_a_dozen_channels() -> None:
    channels = tuple(ChannelRecord(external_id=str(n), login=f"keeper{n}") for n in range(40))
    detail = campaign_detail(
        CampaignRecord(
            service="twitch",
            external_id="c",
            name="Lantern Week",
            description="x" * 4000,
            end_at=END,
            organization=OrganizationRecord(external_id="o", name="Tide Works"),
            game=GameRecord(external_id="g", name="Harbour Lights", box_art_url="box"),
            channels=channels,
        )
    )

    assert (detail.game, detail.organization, detail.box_art_url) == ("Harbour Lights", "Tide Works", "box")
    assert (detail.channels_total, len(detail.channels), detail.channels[0]) == (40, CHANNELS_SHOWN, "keeper0")
    assert detail.description is not None
    assert len(detail.description) == 1000


def test_a_rewards_detail_names_its_brand_and_what_is_given() -> None:
    quest = RewardCampaignRecord(
        service="twitch",
        external_id="q",
        name="Soup for all",
        brand="Soup Brand",
        external_url="https://soup.example.org",
        required_minutes=45,
        rewards=(RewardRecord(external_id="r", name="Bowl", image_url="bowl.png"),),
    )

    detail = reward_detail(quest)

    assert (detail.organization, detail.url, detail.required_minutes) == ("Soup Brand", "https://soup.example.org", 45)
    assert [benefit.name for benefit in detail.drops[0].benefits] == ["Bowl"]
    assert reward_detail(RewardCampaignRecord(service="twitch", external_id="q", name="Bare")).drops == ()


def test_a_badges_detail_does_not_repeat_its_title_as_its_description() -> None:
    detail = badge_detail(BadgeRecord(set_id="vip", version="1", title="VIP", description="VIP", image_url="vip.png"))

    assert (detail.name, detail.description, detail.image_url) == ("VIP", None, "vip.png")


def test_rewards_that_ask_for_something_of_their_own_have_a_line_each() -> None:
    quest = RewardCampaignRecord(
        service="twitch",
        external_id="q",
        name="Soup for all",
        required_minutes=240,
        required_subs=0,
        rewards=(
            RewardRecord(external_id="last", name="Pot"),
            RewardRecord(external_id="r", name="Bowl", required_minutes=60, required_subs=0),
            RewardRecord(external_id="s", name="Spoon", required_minutes=60),
            RewardRecord(external_id="t", name="Turban", required_turbo_subs=1),
        ),
    )

    detail = reward_detail(quest)

    lines = [(d.required_minutes, d.required_turbo_subs, [b.name for b in d.benefits]) for d in detail.drops]
    assert lines == [(None, 1, ["Turban"]), (60, None, ["Bowl", "Spoon"]), (240, None, ["Pot"])]
    assert detail.required_minutes is None, "the lines say it; the campaign's own goal is that of one of them"
