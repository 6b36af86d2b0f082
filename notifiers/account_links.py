"""Says in SQL whether a person's account is linked with the game of a campaign."""

from typing import Any

from sqlalchemy import case, literal, or_, select
from sqlalchemy.orm import aliased

from models import AccountLink, DropCampaign


def is_linked(person_id: Any) -> Any:
    """Return the expression for whether a person's account is linked with a campaign's game; null where nobody knows.

    What is known of a campaign with the same address for linking counts where nothing is known of this one: it is the
    same account. (A mirror lists a campaign minutes before the person's own dashboard does.)
    """
    other = aliased(DropCampaign)
    same = (other.service == DropCampaign.service) & (other.account_link_url == DropCampaign.account_link_url)
    return (
        select(AccountLink.is_linked)
        .join(other, other.id == AccountLink.campaign_id)
        .where(AccountLink.person_id == person_id, or_(other.id == DropCampaign.id, same))
        .order_by(case((other.id == DropCampaign.id, literal(0)), else_=literal(1)), AccountLink.seen_at.desc())
        .limit(1)
        .correlate(DropCampaign)
        .scalar_subquery()
    )
