"""`/campaigns`: what can be earned where, until when."""

from typing import Annotated

import msgspec

from pipeline.drops.listing.campaigns import CampaignFilter, CampaignLine, CampaignPage, ChannelOfCampaign, State
from pipeline.operations import campaigns
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routes.words import Name, Number, Word
from pipeline.web.api.routing import Routes

routes = Routes("campaigns")
Campaign = Annotated[Word, msgspec.Meta(description="A campaign's `id`, or the id that its service gave it.")]


class CampaignQuery(PageQuery, frozen=True, kw_only=True):
    """Which campaigns; what is not given is any."""

    state: State | None = None
    service: Word | None = None
    game: Name | None = None
    organization: Name | None = None
    has_subscription: Annotated[
        bool | None,
        msgspec.Meta(description="Those of which some drop asks for a subscription, or those of which none does."),
    ] = None


@routes.add("GET", "/campaigns", scope="read")
def list_campaigns(call: Reading, query: CampaignQuery) -> Page[CampaignLine]:
    """List drop campaigns, those that became known last first."""
    before = read_cursor(query, Number)
    wanted = CampaignFilter(
        state=query.state,
        service=query.service,
        game=query.game,
        organization=query.organization,
        has_subscription=query.has_subscription,
    )
    lines = campaigns.list_campaigns(
        call.connection, wanted, call.now, before=before[0] if before else None, limit=query.limit + 1
    )
    return make_page(lines, query, lambda line: line.id)


@routes.add("GET", "/campaigns/{campaign}", scope="read")
def show_campaign(call: Reading, campaign: Campaign) -> CampaignPage:
    """Show a campaign with its drops and benefits, its first channels, the deadlines ahead and its newest events."""
    return campaigns.show_campaign(call.connection, campaign, call.now)


@routes.add("GET", "/campaigns/{campaign}/channels", scope="read")
def list_channels(call: Reading, campaign: Campaign, query: PageQuery) -> Page[ChannelOfCampaign]:
    """List the channels whose streams count for a campaign; there are none where every channel does."""
    after = read_cursor(query, Number)
    channels = campaigns.list_channels(call.connection, campaign, after=after[0] if after else 0, limit=query.limit + 1)
    return make_page(channels, query, lambda channel: channel.id)
