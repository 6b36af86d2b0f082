"""What the endpoints of the local Twitch share."""

from dataclasses import dataclass

from tests.twitch.eventsub import EventSub
from tests.twitch.settings import Settings
from tests.twitch.tokens import Budgets, Tokens
from tests.twitch.webhooks import Webhooks
from tests.twitch.world import Community


@dataclass
class Core:
    """Belongs to the thread of the server, or to the test's before that one runs."""

    client_id: str
    client_secret: str
    settings: Settings
    world: Community
    tokens: Tokens
    budgets: Budgets
    webhooks: Webhooks

    @property
    def eventsub(self) -> EventSub:
        return self.webhooks.eventsub
