"""Channels as pages link them: to their own pages where they have one, else to where they are watched. Pure."""

from collections.abc import Iterable

import msgspec

from feeds.pages.cards import ChannelLink
from feeds.sanitise import one_line
from models.words.addresses import page_channel_address


class Shown(msgspec.Struct, frozen=True):
    """A channel as a list of names shows it."""

    name: str
    path: str | None
    url: str | None


def shown_channels(service: str, channels: Iterable[ChannelLink]) -> list[Shown]:
    """Return channels of a service by how they are shown."""
    return [
        Shown(
            one_line(channel.display_name or channel.login, 60),
            channel.path,
            page_channel_address(service, channel.external_id if service == "chzzk" else channel.login),
        )
        for channel in channels
    ]
