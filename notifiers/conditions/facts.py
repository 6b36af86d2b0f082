"""What an event has that a condition may ask for. Pure."""

import msgspec


class EventFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An event as conditions see it; names are keys (`models.names.name_key`), logins are in lower case.

    What is None, or empty, the event has not, or nobody knows.
    """

    event_id: int
    kind: str
    service: str | None = None
    # Whose library it is of, and theirs alone.
    person_id: int | None = None
    # About a game that is wanted for libraries alone: for those to whom it is anything.
    is_private: bool = False
    game_key: str | None = None
    organization_key: str | None = None
    # The channel's login, and those that it had.
    channel_logins: tuple[str, ...] = ()
    # Lists of games that the game is on: whose they are, by the person's number, and their names' keys.
    list_keys: frozenset[tuple[int, str]] = frozenset()
    # What the game's work is to people, by their numbers, a word each: `(1, "owned")`.
    library: frozenset[tuple[int, str]] = frozenset()
    platform_keys: frozenset[str] = frozenset()
    # Title, game, names of rewards, as the service wrote them.
    texts: tuple[str, ...] = ()
    minutes: int | None = None
    needs_subscriptions: bool = False
    reward_kinds: frozenset[str] = frozenset()
    # People, by their numbers: whose account is linked with the campaign's game, and whose is not.
    linked: frozenset[int] = frozenset()
    unlinked: frozenset[int] = frozenset()
    # People, by their numbers.
    game_followers: frozenset[int] = frozenset()
    channel_followers: frozenset[int] = frozenset()
    # Those who play on one of its platforms.
    platform_people: frozenset[int] = frozenset()
    is_live: bool = False
    language: str | None = None
    is_rerun: bool = False

    @property
    def family(self) -> str:
        """The part of the kind before the dot."""
        return self.kind.partition(".")[0]
