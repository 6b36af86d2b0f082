"""Kick's drop campaigns.

`GET https://web.kick.com/api/v1/drops/campaigns`, no account, with a browser's headers: one unpaged list of
active, upcoming and expired campaigns. A reward is both the drop and its benefit; `required_units` are minutes.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import ClassVar, Literal

import msgspec

from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord
from pipeline.drops.campaigns import CampaignSubjects
from pipeline.drops.records import BenefitRecord, CampaignRecord, DropRecord
from pipeline.drops.sources.looks import Look, Recognition
from pipeline.errors import SourceChanged
from pipeline.fetch.http import Client, conditional
from pipeline.fetch.mending import decode_mended
from pipeline.fetch.shapes import UNREADABLE, Count, Id, Time, clean, digest, identity, required, required_id, utc
from pipeline.ingest.source import Answer, Item, Snapshot, Validators, decode_item, id_under

PATH = "/api/v1/drops/campaigns"
IMAGES = "https://ext.cdn.kick.com/"
# The front refuses clients that do not look like a browser on its own page.
HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Referer": "https://kick.com/",
}


class WireCategory(msgspec.Struct, frozen=True):
    id: Id | None = None
    name: str | None = None
    image_url: str | None = None


class WireOrganization(msgspec.Struct, frozen=True):
    id: Id
    name: str | None = None
    url: str | None = None
    logo_url: str | None = None


class WireUser(msgspec.Struct, frozen=True):
    username: str | None = None


class WireChannel(msgspec.Struct, frozen=True):
    id: Id
    slug: str | None = None
    user: WireUser | None = None


class WireReward(msgspec.Struct, frozen=True):
    id: Id
    name: str | None = None
    image_url: str | None = None
    required_units: Count | None = None


class WireCampaign(msgspec.Struct, frozen=True):
    id: Id
    name: str
    starts_at: Time
    ends_at: Time
    status: str | None = None
    connect_url: str | None = None
    url: str | None = None
    category: WireCategory | None = None
    organization: WireOrganization | None = None
    channels: list[WireChannel | None] | None = None
    rewards: list[WireReward | None] | None = None


class WireEnvelope(msgspec.Struct, frozen=True):
    data: list[msgspec.Raw]


_ENVELOPE = msgspec.json.Decoder(WireEnvelope)
_CAMPAIGN = msgspec.json.Decoder(WireCampaign)
_STATUS: Mapping[str, Literal["upcoming", "active", "ended"]] = {
    "active": "active",
    "upcoming": "upcoming",
    "expired": "ended",
}


class KickDrops:
    """Kick's drop campaigns, active, upcoming and expired."""

    name = "kick.drops"
    service: ClassVar[str] = "kick"
    asks = "kick"
    subjects: ClassVar[type[CampaignSubjects]] = CampaignSubjects
    outranked_by: ClassVar[Collection[str]] = ()

    def __init__(self, base_url: str, *, poll_every: timedelta) -> None:
        self._url = base_url.rstrip("/").removesuffix("/api/v1") + PATH
        self._poll_every = poll_every

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask for the list."""
        reply = client.get(self._url, headers=HEADERS | conditional(validators.etag, validators.last_modified))
        return Answer(
            payload=None if reply.status == 304 else reply.body,
            refresh_after=self._poll_every,
            validators=Validators(etag=reply.headers.get("ETag"), last_modified=reply.headers.get("Last-Modified")),
        )

    def split(self, payload: bytes) -> Snapshot:
        """Cut the list into campaigns."""
        try:
            raws = decode_mended(_ENVELOPE, payload).data
        except UNREADABLE as error:
            raise SourceChanged(f"not Kick's list of campaigns: {error}", payload=payload) from error
        return Snapshot(items=[Item(digest(raw), raw) for raw in raws])

    def parse(self, item: Item) -> CampaignRecord:
        """Decode one campaign."""
        wire = decode_item(_CAMPAIGN, item)
        return CampaignRecord(
            service=self.service,
            external_id=required_id(wire.id, "id"),
            name=required(wire.name, "name"),
            details_url=clean(wire.url),
            account_link_url=clean(wire.connect_url),
            start_at=utc(wire.starts_at),
            end_at=utc(wire.ends_at),
            status=_STATUS.get(wire.status or ""),
            organization=_organization(wire.organization),
            game=_game(wire.category),
            drops=None if wire.rewards is None else tuple(_drop(reward) for reward in wire.rewards if reward),
            channels=None if wire.channels is None else tuple(_channels(wire.channels)),
        )

    def peek_id(self, item: Item) -> str | None:
        """Return the id of an item."""
        return id_under("id", item)


def recognise_kick(look: Look) -> Recognition | None:
    """Recognise a list of Kick's campaigns, in its envelope or without."""
    if look.rows:
        is_kicks = "starts_at" in look.first
    else:
        # Without a row the bare envelope decides.
        is_kicks = look.rows is not None and look.is_object and not look.is_wrapped
    return ("Kick campaigns", [KickDrops.name]) if is_kicks else None


def _organization(wire: WireOrganization | None) -> OrganizationRecord | None:
    external_id = identity(wire.id) if wire else None
    if wire is None or external_id is None:
        return None
    return OrganizationRecord(
        external_id=external_id,
        name=clean(wire.name) or external_id,
        url=clean(wire.url),
        logo_url=clean(wire.logo_url),
    )


def _game(wire: WireCategory | None) -> GameRecord | None:
    """Return the category; Kick leaves it out, or sends an empty object, for campaigns of no game."""
    external_id = identity(wire.id) if wire else None
    if wire is None or external_id is None:
        return None
    return GameRecord(external_id=external_id, name=clean(wire.name) or external_id, box_art_url=clean(wire.image_url))


def _channels(listed: list[WireChannel | None]) -> Iterator[ChannelRecord]:
    for wire in listed:
        if wire and (external_id := identity(wire.id)):
            name = clean(wire.user.username) if wire.user else None
            login = identity(wire.slug) or identity(name) or external_id
            yield ChannelRecord(external_id=external_id, login=login, display_name=name)


def _drop(wire: WireReward) -> DropRecord:
    image = clean(wire.image_url)
    if image and "://" not in image:
        image = IMAGES + image.lstrip("/")
    name = clean(wire.name)
    reward_id = required_id(wire.id, "rewards.id")
    return DropRecord(
        external_id=reward_id,
        name=name,
        required_minutes=wire.required_units,
        benefits=(BenefitRecord(external_id=reward_id, name=name, image_url=image),),
    )
