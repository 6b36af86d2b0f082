"""What subjects share, parsed: games, organizations and channels. None means "the source did not say"."""

import msgspec


class GameRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    name: str
    box_art_url: str | None = None


class OrganizationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An organization; where the source gives no name the id stands in for it."""

    external_id: str
    name: str
    url: str | None = None
    logo_url: str | None = None

    @property
    def named(self) -> bool:
        """Whether the source gave a name."""
        return self.name != self.external_id


class ChannelRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    login: str
    display_name: str | None = None


class UserRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A Twitch user, which is what a channel belongs to; the id stays when the login changes."""

    external_id: str
    login: str
    display_name: str | None = None
    description: str | None = None
    profile_image_url: str | None = None
