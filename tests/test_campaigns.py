"""Every campaign can be run short and full, and says what it tries."""

import dataclasses
import sys
from pathlib import Path

import pytest

from tests.campaigns.campaign import Campaign, Size, load_campaigns

CAMPAIGNS = load_campaigns()


@pytest.mark.parametrize("campaign", CAMPAIGNS.values(), ids=CAMPAIGNS)
def test_a_campaign_has_both_sizes_and_says_what_it_tries(campaign: Campaign) -> None:
    assert isinstance(campaign.FULL, Size)
    assert type(campaign.SHORT) is type(campaign.FULL)
    assert campaign.SHORT != campaign.FULL
    module = sys.modules[campaign.run.__module__]
    assert module.__doc__
    assert len(module.__doc__.splitlines()[0]) > 30
    assert type(campaign.FULL).__doc__ != Size.__doc__


def test_at_least_one_full_form_shortens_nothing() -> None:
    assert "kills" in {name for name, campaign in CAMPAIGNS.items() if not campaign.FULL.shortens}


def test_sizes_are_told_field_by_field() -> None:
    for campaign in CAMPAIGNS.values():
        assert {field.name for field in dataclasses.fields(campaign.FULL)} > {"shortens"}


def test_each_campaign_is_told_of_in_the_page_about_reliability() -> None:
    page = (Path(__file__).resolve().parents[1] / "docs" / "reliability.md").read_text("utf-8")
    assert [name for name in CAMPAIGNS if f"`{name}`" not in page] == []
