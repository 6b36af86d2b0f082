"""`/rewards`: what brands give for watching, or for subscriptions."""

from typing import Annotated

import msgspec

from pipeline.drops.listing.rewards import RewardCampaignAnswer, RewardFilter, State
from pipeline.operations import rewards
from pipeline.web.api.calls import Reading
from pipeline.web.api.paging import Page, PageQuery, make_page, read_cursor
from pipeline.web.api.routes.words import Name, Number, Word
from pipeline.web.api.routing import Routes

routes = Routes("rewards")
RewardId = Annotated[Word, msgspec.Meta(description="A reward campaign's `id`, or the id that its service gave it.")]


class RewardQuery(PageQuery, frozen=True, kw_only=True):
    """Which reward campaigns; what is not given is any."""

    state: State | None = None
    service: Word | None = None
    game: Name | None = None
    has_subscription: bool | None = None


@routes.add("GET", "/rewards", scope="read")
def list_rewards(call: Reading, query: RewardQuery) -> Page[RewardCampaignAnswer]:
    """List reward campaigns with what they give, those that became known last first."""
    before = read_cursor(query, Number)
    wanted = RewardFilter(
        state=query.state, service=query.service, game=query.game, has_subscription=query.has_subscription
    )
    lines = rewards.list_rewards(
        call.connection, wanted, call.now, before=before[0] if before else None, limit=query.limit + 1
    )
    return make_page(lines, query, lambda line: line.id)


@routes.add("GET", "/rewards/{reward}", scope="read")
def show_reward(call: Reading, reward: RewardId) -> RewardCampaignAnswer:
    """Show a reward campaign with what it gives."""
    return rewards.show_reward(call.connection, reward, call.now)
