"""What differs from what a campaign's events said last."""

from msgspec.structs import replace

from pipeline.catalogue.records import ChannelRecord
from pipeline.drops.compare import compare, with_known
from pipeline.drops.records import BenefitRecord
from pipeline.drops.settling import CHANNEL, DROP, changed_items, difference, values
from tests.pipeline.drops.test_compare import ANN, BARE, BOB, CAP, END, HAT, KNOWN, LATER


def test_the_items_of_a_change_are_its_fields_and_drops_but_no_blank_that_is_filled() -> None:
    known = replace(KNOWN, description=None)
    longer = replace(KNOWN, end_at=LATER, drops=(replace(HAT, required_minutes=90), CAP))

    items = changed_items(known, compare(known, longer))

    assert items == ["end_at", f"{DROP}d-hat"]


def test_values_are_json_and_null_for_what_is_not_there() -> None:
    items = ["end_at", f"{DROP}d-cap", f"{DROP}d-gone", f"{CHANNEL}1"]

    settled = values(KNOWN, items)

    assert settled["end_at"] == END.isoformat().replace("+00:00", "Z")
    assert (settled[f"{DROP}d-cap"]["name"], settled[f"{DROP}d-gone"]) == ("Cap", None)
    assert settled[f"{CHANNEL}1"]["login"] == "ann"
    assert set(values(BARE, items).values()) == {None}


def test_what_was_said_and_what_is_so_now_differ_in_their_items_alone() -> None:
    items = ["end_at", f"{DROP}d-hat", f"{CHANNEL}2"]
    now = replace(KNOWN, end_at=LATER, name="Another", drops=(CAP,), channels=(ANN,))

    differs = difference(now, values(KNOWN, items), values(now, items))

    assert set(differs.fields) == {"end_at"}
    assert [gone.external_id for gone in differs.drops_gone] == ["d-hat"]
    assert [channel.external_id for channel in differs.channels_removed] == ["2"]
    assert not difference(now, values(now, items), values(now, items))


def test_an_incomplete_answer_loses_nothing_that_was_known() -> None:
    bell = BenefitRecord(external_id="b-new", name="New")
    answer = replace(
        BARE, drops=(replace(HAT, benefits=(bell,)),), channels=(ChannelRecord(external_id="9", login="z"),)
    )

    whole = with_known(KNOWN, answer)

    assert [drop.external_id for drop in whole.drops or ()] == ["d-hat", "d-cap"]
    assert {benefit.external_id for benefit in (whole.drops or ())[0].benefits} == {"b-Song", "b-Bell", "b-new"}
    assert {channel.external_id for channel in whole.channels or ()} == {"1", "2", "9"}
    assert with_known(BARE, BARE).channels is None


def test_a_drop_that_an_incomplete_answer_adds_or_gives_without_benefits_is_taken_as_it_is() -> None:
    bare_hat = replace(HAT, benefits=())

    assert with_known(replace(KNOWN, drops=(CAP,)), replace(BARE, drops=(HAT,))).drops == (HAT, CAP)
    assert with_known(KNOWN, replace(BARE, drops=(bare_hat, CAP), channels=(BOB,))).drops == (bare_hat, CAP)


def test_drops_differ_where_they_came_went_or_changed() -> None:
    assert compare(KNOWN, replace(KNOWN, drops=(HAT,))).drops_differ
    assert not compare(KNOWN, replace(KNOWN, end_at=LATER)).drops_differ
