"""Twitch's inventory of the account that signed in: minutes watched, what is claimed, whether accounts are linked.

`Inventory` lists the campaigns in progress with what the account has of each drop (`self`), and the benefits that it
was ever awarded (`gameEventDrops`). Only a person who signed in with `lootwire sources login twitch` has one: the token
of that sign-in, by device code, is all that it takes. Nothing is claimed, and nothing is watched.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import Connection, RowMapping, update

from models import Source
from pipeline.drops.records import InventoryRecord, ProgressRecord
from pipeline.drops.store.progress import store_awarded, store_links, store_progress
from pipeline.errors import InvalidItem, SourceChanged, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.fetch.shapes import Count, Id, Time, identity, read_value, utc
from pipeline.ingest.source import Answer, Ingested, Outcome, Validators
from pipeline.services.twitch.graphql import Account, Conversation
from pipeline.services.twitch.graphql_answers import INVENTORY, DropsAnswer, Part, SignedOut, read_answer
from pipeline.services.twitch.wire import Wire


class WireCampaignSelf(Wire):
    is_account_connected: bool | None = None


class WireDropSelf(Wire):
    current_minutes_watched: Count | None = None
    is_claimed: bool | None = None


class WireDrop(Wire):
    id: Id
    own: WireDropSelf | None = msgspec.field(default=None, name="self")


class WireCampaign(Wire):
    id: Id
    own: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"null"), name="self")
    time_based_drops: list[msgspec.Raw] | None = None


class WireAwarded(Wire):
    id: Id
    last_awarded_at: Time | None = None


class WireInventory(Wire):
    game_event_drops: list[msgspec.Raw] | None = None


class WireUser(Wire):
    inventory: WireInventory | None = None


class WireData(Wire):
    current_user: WireUser | None = None


class WireAnswer(Wire):
    data: WireData | None = None


_CAMPAIGN = msgspec.json.Decoder(WireCampaign)
_OWN = msgspec.json.Decoder(WireCampaignSelf)
_DROP = msgspec.json.Decoder(WireDrop)
_AWARDED = msgspec.json.Decoder(WireAwarded)
_ANSWER = msgspec.json.Decoder(WireAnswer)


class TwitchInventory:
    """The inventory of the account that a person signed in with."""

    name = "twitch.inventory"
    service: Literal["twitch"] = "twitch"
    asks = "twitch dashboard"

    def __init__(
        self, url: str, account: Account, *, poll_every: timedelta, hashes: Mapping[str, Sequence[str]]
    ) -> None:
        self._url = url
        self._account = account
        self._poll_every = poll_every
        self._hashes = hashes

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask for the inventory; raises `SourceError`."""
        known = validators.cursor.get("hashes")
        hashes = {str(key): str(sha) for key, sha in known.items()} if isinstance(known, dict) else {}
        try:
            conversation = Conversation(client, self._url, self._account, self._hashes, hashes)
            (raw,) = conversation.ask(INVENTORY, [{"fetchRewardCampaigns": False}])
            _check(conversation.read(raw), raw)
        except SignedOut as error:
            # The dashboard's own source tells the operator; the same again from here would be noise.
            raise SourceUnavailable(str(error)) from error
        return Answer(
            payload=bytes(raw),
            refresh_after=self._poll_every,
            validators=Validators(cursor={"hashes": conversation.known}),
        )

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store what the account has; what of it cannot be read is left out, and nothing is forgotten for that."""
        connection.execute(update(Source).where(Source.id == row["id"]).values(last_snapshot_at=now))
        record, unreadable = read_inventory(msgspec.Raw(answer.payload or b""))
        changed = store_links(connection, self.service, record.linked, now)
        changed += store_awarded(connection, self.service, record.awarded, now)
        changed += store_progress(connection, self.service, record.progress, now)
        outcome: Outcome = "ok" if changed else "unchanged"
        return Ingested(outcome=outcome, items=len(record.progress), changed=changed, invalid=unreadable)


def read_inventory(raw: msgspec.Raw) -> tuple[InventoryRecord, int]:
    """Return what an answer says the account has, and how many of its parts could not be read; raises `SourceError`."""
    parts = _check(read_answer(raw), raw)
    progress: list[ProgressRecord] = []
    linked: dict[str, bool] = {}
    unreadable = 0
    for part in parts:
        wire = read_value(_CAMPAIGN, part.raw)
        campaign_id = identity(wire.id) if wire else None
        if wire is None or campaign_id is None:
            unreadable += 1
            continue
        if (own := read_value(_OWN, wire.own)) and own.is_account_connected is not None:
            linked[campaign_id] = own.is_account_connected
        progress += _progress(campaign_id, wire.time_based_drops or ())
    return InventoryRecord(progress=tuple(progress), linked=linked, awarded=dict(_awarded(raw))), unreadable


def _check(answer: DropsAnswer, raw: msgspec.Raw) -> Sequence[Part]:
    if answer.operation != INVENTORY or answer.single is None:
        raise SourceChanged(f"{INVENTORY} answered without `inventory`", payload=bytes(raw))
    return answer.single


def _progress(campaign_id: str, drops: Sequence[msgspec.Raw]) -> Iterator[ProgressRecord]:
    for raw in drops:
        wire = read_value(_DROP, raw)
        drop_id = identity(wire.id) if wire else None
        if wire is None or drop_id is None or wire.own is None:
            continue
        # A service of Twitch's that fails leaves nulls, which say nothing.
        if wire.own.current_minutes_watched is None and wire.own.is_claimed is None:
            continue
        yield ProgressRecord(
            campaign_id=campaign_id,
            drop_id=drop_id,
            minutes=wire.own.current_minutes_watched or 0,
            is_claimed=bool(wire.own.is_claimed),
        )


def _awarded(raw: msgspec.Raw) -> Iterator[tuple[str, datetime]]:
    answer = read_value(_ANSWER, raw)
    user = answer.data.current_user if answer and answer.data else None
    for each in (user.inventory.game_event_drops if user and user.inventory else None) or ():
        wire = read_value(_AWARDED, each)
        benefit_id = identity(wire.id) if wire else None
        if wire is None or benefit_id is None:
            continue
        try:
            at = utc(wire.last_awarded_at)
        except InvalidItem:
            continue
        if at is not None:
            yield benefit_id, at
