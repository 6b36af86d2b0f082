"""Changes of a campaign: which differences count, and which make an event."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from models.details import FieldChange
from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord
from pipeline.drops.compare import CampaignDiff, blanks_only, compare, merged
from pipeline.drops.records import BenefitRecord, CampaignRecord, DropRecord

START = datetime(2031, 3, 1, tzinfo=UTC)
END = START + timedelta(days=7)
LATER = END + timedelta(days=1)
SONG, BELL = (BenefitRecord(external_id=f"b-{name}", name=name, image_url="i") for name in ("Song", "Bell"))
HAT = DropRecord(
    external_id="d-hat",
    name="Hat",
    required_minutes=60,
    required_subs=0,
    start_at=START,
    end_at=END,
    benefits=(SONG, BELL),
)
CAP = DropRecord(external_id="d-cap", name="Cap", required_minutes=120)
ANN, BOB = (ChannelRecord(external_id=n, login=login, display_name=login) for n, login in (("1", "ann"), ("2", "bob")))
KNOWN = CampaignRecord(
    service="twitch",
    external_id="c",
    name="Lantern Week",
    description="Watch.",
    details_url="https://loot.example.org",
    account_link_url="https://loot.example.org/link",
    image_url="https://art.example.org/1.png",
    start_at=START,
    end_at=END,
    organization=OrganizationRecord(external_id="o", name="Tide Works"),
    game=GameRecord(external_id="g", name="Harbour Lights"),
    drops=(HAT, CAP),
    channels=(ANN, BOB),
)
BARE = CampaignRecord(service="twitch", external_id="c", name="Lantern Week")


def changed_campaign(**changed: Any) -> CampaignRecord:
    return replace(KNOWN, **changed)


def with_hat(**changed: Any) -> CampaignRecord:
    return changed_campaign(drops=(replace(HAT, **changed), CAP))


def changes(record: CampaignRecord, known: CampaignRecord = KNOWN) -> list[tuple[str, Any, Any, str | None]]:
    return [(c.field, c.old, c.new, c.about) for c in compare(known, record).changes]


NOTHING_NEW = {
    "the same": KNOWN,
    "only what is required": BARE,
    "lists in another order": changed_campaign(drops=(CAP, HAT), channels=(BOB, ANN)),
    "drops missing": changed_campaign(drops=None),
    "drops emptied": changed_campaign(drops=()),
    "channels missing": changed_campaign(channels=None),
    "display names turned null": changed_campaign(
        channels=(replace(ANN, display_name=None), replace(BOB, display_name=None))
    ),
    "organization missing": changed_campaign(organization=None),
    "organization without a name": changed_campaign(organization=OrganizationRecord(external_id="o", name="o")),
    "game with another name": changed_campaign(game=GameRecord(external_id="g", name="HL")),
    "a drop with fewer facts": changed_campaign(drops=(DropRecord(external_id="d-hat"), CAP)),
    "benefits missing": with_hat(benefits=()),
    "benefits in another order": with_hat(benefits=(BELL, SONG)),
    "a benefit named twice": with_hat(benefits=(SONG, BELL, SONG)),
    "a benefit that lost its name": with_hat(benefits=(BenefitRecord(external_id="b-Song"), BELL)),
    "another status": changed_campaign(status="active"),
}


@pytest.mark.parametrize("case", NOTHING_NEW)
def test_there_is_no_difference_in(case: str) -> None:
    assert not compare(KNOWN, NOTHING_NEW[case])


def test_another_name_of_the_organization_is_stored_and_no_news() -> None:
    diff = compare(KNOWN, changed_campaign(organization=OrganizationRecord(external_id="o", name="TIDE")))
    assert (diff.catalogue_changed, diff.changes) == (True, ())


CHANGED: dict[str, tuple[CampaignRecord, list[tuple[str, Any, Any, str | None]]]] = {
    "a new name": (changed_campaign(name="Lamp Week"), [("name", "Lantern Week", "Lamp Week", None)]),
    "a new end": (changed_campaign(end_at=LATER), [("end_at", END.isoformat(), LATER.isoformat(), None)]),
    "a new description": (changed_campaign(description="Look."), [("description", "Watch.", "Look.", None)]),
    "two fields at once, in their order": (
        changed_campaign(start_at=LATER, name="Lamp"),
        [("name", "Lantern Week", "Lamp", None), ("start_at", START.isoformat(), LATER.isoformat(), None)],
    ),
    "another organization": (
        changed_campaign(organization=OrganizationRecord(external_id="p", name="Fern")),
        [("organization", "Tide Works", "Fern", None)],
    ),
    "another game": (
        changed_campaign(game=GameRecord(external_id="h", name="Moss Runner")),
        [("game", "Harbour Lights", "Moss Runner", None)],
    ),
    "a drop that asks for more": (with_hat(required_minutes=90), [("required_minutes", 60, 90, "Hat")]),
    "a drop that asks for nothing any more": (with_hat(required_minutes=0), [("required_minutes", 60, 0, "Hat")]),
    "a drop that is called something else": (with_hat(name="Crown"), [("name", "Hat", "Crown", "Crown")]),
    "a drop that is gone": (changed_campaign(drops=(HAT,)), [("drop", "Cap", None, "Cap")]),
    "a benefit more": (
        with_hat(benefits=(SONG, BELL, BenefitRecord(external_id="b-new", name="Drum"))),
        [("benefits", ["Song", "Bell"], ["Song", "Bell", "Drum"], "Hat")],
    ),
    "a benefit less": (with_hat(benefits=(SONG,)), [("benefits", ["Song", "Bell"], ["Song"], "Hat")]),
    "a benefit renamed": (
        with_hat(benefits=(replace(SONG, name="Hymn"), BELL)),
        [("benefits", ["Song", "Bell"], ["Hymn", "Bell"], "Hat")],
    ),
    "a campaign that moves with its drops": (
        replace(with_hat(end_at=LATER), end_at=LATER),
        [("end_at", END.isoformat(), LATER.isoformat(), None)],
    ),
    "a drop that moves alone": (with_hat(end_at=LATER), [("end_at", END.isoformat(), LATER.isoformat(), "Hat")]),
    "minutes changed and a benefit's name lost": (
        with_hat(required_minutes=90, benefits=(BenefitRecord(external_id="b-Song"), BELL)),
        [("required_minutes", 60, 90, "Hat")],
    ),
    "minutes changed and a benefit named twice": (
        with_hat(required_minutes=90, benefits=(SONG, BELL, BELL)),
        [("required_minutes", 60, 90, "Hat")],
    ),
}


@pytest.mark.parametrize("case", CHANGED)
def test_a_change_is_recorded_with_its_old_and_new_value(case: str) -> None:
    record, expected = CHANGED[case]

    assert changes(record) == expected
    assert compare(KNOWN, record)


STORED_IN_SILENCE: dict[str, CampaignRecord] = {
    "a new picture": changed_campaign(image_url="https://art.example.org/2.png"),
    "a benefit's new picture": with_hat(benefits=(replace(SONG, image_url="j"), BELL)),
    "another precondition": with_hat(precondition_drop_ids=("d-cap",)),
    "a first organization": changed_campaign(organization=OrganizationRecord(external_id="p", name="Fern")),
    "a first game": changed_campaign(game=GameRecord(external_id="h", name="Moss Runner")),
    "a channel with a new login": changed_campaign(channels=(replace(ANN, login="ann_2"), BOB)),
    "a channel with a new display name": changed_campaign(channels=(replace(ANN, display_name="Ännchen"), BOB)),
}


@pytest.mark.parametrize("case", STORED_IN_SILENCE)
def test_it_is_stored_but_is_no_news_that_there_is(case: str) -> None:
    known = replace(KNOWN, organization=None, game=None) if "first" in case else KNOWN

    diff = compare(known, STORED_IN_SILENCE[case])

    assert diff
    assert diff.changes == ()
    assert (diff.channels_added, diff.channels_removed, diff.drops_added) == ((), (), ())


def test_a_new_drop_is_added_and_not_a_change() -> None:
    crown = DropRecord(external_id="d-crown", name="Crown")
    diff = compare(KNOWN, changed_campaign(drops=(HAT, CAP, crown)))

    assert (diff.drops_added, diff.changes, diff.drops_gone) == ((crown,), (), ())


BLANK = replace(BARE, drops=None, channels=None)
NAMELESS = DropRecord(external_id="d-hat", required_minutes=60, benefits=(BenefitRecord(external_id="b-Song"),))
FILLED: dict[str, tuple[CampaignRecord, CampaignRecord]] = {
    "everything but the name": (BLANK, KNOWN),
    "the first drops": (replace(KNOWN, drops=None), KNOWN),
    "drops where none were listed": (replace(KNOWN, drops=()), KNOWN),
    "the first word on channels": (replace(KNOWN, channels=None), KNOWN),
    "the first word on channels, that all count": (replace(KNOWN, channels=None), replace(KNOWN, channels=())),
    "what a drop asks for and gives": (replace(KNOWN, drops=(DropRecord(external_id="d-hat"), CAP)), KNOWN),
    "the name of a benefit": (
        replace(KNOWN, drops=(NAMELESS,)),
        replace(KNOWN, drops=(replace(HAT, benefits=(SONG,)),)),
    ),
    "the name of an organization": (
        replace(KNOWN, organization=OrganizationRecord(external_id="o", name="o")),
        KNOWN,
    ),
    "the name and picture of a game": (
        replace(KNOWN, game=GameRecord(external_id="g", name="g")),
        replace(KNOWN, game=GameRecord(external_id="g", name="Harbour Lights", box_art_url="box")),
    ),
    "how often a benefit may be had": (KNOWN, with_hat(benefits=(replace(SONG, entitlement_limit=1), BELL))),
}


def test_a_nameless_benefit_that_comes_under_another_id_with_its_name_is_no_news() -> None:
    other = replace(SONG, external_id="b-other")
    diff = compare(replace(KNOWN, drops=(NAMELESS,)), replace(KNOWN, drops=(replace(HAT, benefits=(other,)),)))

    assert (diff.changes, [drop.benefits for drop in diff.drops_changed]) == ((), [(other,)])


@pytest.mark.parametrize("case", FILLED)
def test_a_blank_that_is_filled_is_stored_and_no_news(case: str) -> None:
    known, current = FILLED[case]

    diff = compare(known, current)

    assert diff
    assert (diff.changes, diff.drops_added, diff.channels_added) == ((), (), ())


@pytest.mark.parametrize("case", FILLED)
def test_a_lower_placed_source_fills_the_same_blanks(case: str) -> None:
    known, current = FILLED[case]

    of_lower, of_itself = compare(known, blanks_only(known, current)), compare(known, current)

    assert of_lower.fields == of_itself.fields
    assert (of_lower.drops_filled, of_lower.channels_filled) == (of_itself.drops_filled, of_itself.channels_filled)
    assert (of_lower.changes, of_lower.drops_added, of_lower.channels_added) == ((), (), ())
    assert merged(known, blanks_only(known, current)) == merged(known, current)


def test_a_lower_placed_source_overwrites_nothing_and_adds_to_no_list_that_is_known() -> None:
    bare_hat = replace(HAT, name=None, required_subs=None, benefits=(replace(SONG, name=None),))
    known = replace(KNOWN, image_url=None, drops=(bare_hat,), channels=(ANN,))
    other_hat = replace(HAT, required_minutes=90, required_subs=3, benefits=(replace(SONG, image_url="j"), BELL))
    lower = replace(KNOWN, name="Lamp", end_at=LATER, drops=(other_hat, CAP), channels=(ANN, BOB))

    record = blanks_only(known, lower)
    diff = compare(known, record)

    assert diff.fields == {"image_url": KNOWN.image_url}
    assert diff.drops_changed == (replace(HAT, required_subs=3, benefits=(SONG,)),)
    assert (diff.changes, diff.drops_added, diff.drops_gone, diff.channels_added) == ((), (), (), ())


def test_a_drop_that_was_listed_is_followed_by_one_that_is_added() -> None:
    assert compare(replace(KNOWN, drops=(HAT,)), KNOWN).drops_added == (CAP,)


WHOLE = DropRecord(external_id="d", name="Set", required_minutes=240, benefits=(SONG,))
PARTS = (
    DropRecord(external_id="d/first", name="Set", required_minutes=60, benefits=(SONG,)),
    DropRecord(external_id="d/last", name="Set", required_minutes=240, benefits=(BELL,)),
)


@pytest.mark.parametrize("lower_placed", [False, True])
def test_a_drop_that_turns_out_to_have_parts_is_better_known_and_no_news(*, lower_placed: bool) -> None:
    known, current = replace(KNOWN, drops=(WHOLE, CAP)), replace(KNOWN, drops=(*PARTS, CAP))

    diff = compare(known, blanks_only(known, current) if lower_placed else current)

    assert (diff.drops_filled, diff.drops_gone) == (PARTS, (WHOLE,))
    assert (diff.changes, diff.drops_added) == ((), ())


@pytest.mark.parametrize("lower_placed", [False, True])
def test_a_source_that_knows_no_parts_takes_them_from_nobody(*, lower_placed: bool) -> None:
    known, current = replace(KNOWN, drops=(*PARTS, CAP)), replace(KNOWN, drops=(WHOLE, CAP))

    record = blanks_only(known, current) if lower_placed else current

    assert not compare(known, record)
    assert merged(known, record).drops == known.drops


def test_a_campaign_after_a_change_has_what_is_known_in_place_of_blanks() -> None:
    current = replace(
        BARE,
        end_at=LATER,
        game=GameRecord(external_id="g", name="g"),
        drops=(DropRecord(external_id="d-hat", required_minutes=90),),
    )

    after = merged(KNOWN, current)

    assert (after.end_at, after.game, after.channels) == (LATER, KNOWN.game, KNOWN.channels)
    assert after.drops == (replace(HAT, required_minutes=90),)


def test_channels_that_come_and_go_are_told_apart_by_their_id() -> None:
    cid = ChannelRecord(external_id="3", login="bob", display_name="bob")
    diff = compare(KNOWN, changed_campaign(channels=(replace(ANN, login="anna"), cid)))

    assert (diff.channels_added, diff.channels_removed) == ((cid,), (BOB,))
    assert diff.channels_renamed == (replace(ANN, login="anna"),)
    assert diff.changes == ()


def test_a_channel_list_that_came_empty_is_neither_removal_nor_change() -> None:
    diff = compare(KNOWN, changed_campaign(channels=()))

    assert diff == CampaignDiff(channels_emptied=True)
    assert not compare(replace(KNOWN, channels=()), changed_campaign(channels=()))


def test_the_stored_fields_are_exactly_those_that_the_record_changes() -> None:
    diff = compare(KNOWN, changed_campaign(end_at=LATER, image_url="new", description=None))

    assert diff.fields == {"end_at": LATER, "image_url": "new"}
    assert diff.changes == (FieldChange(field="end_at", old=END.isoformat(), new=LATER.isoformat()),)
