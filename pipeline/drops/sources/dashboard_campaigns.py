"""Read campaigns and reward campaigns out of Twitch's GraphQL answers, fetched ones and those in files.

A dashboard lists everything; details, Inventory and campaigns without an envelope list only what is in them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from pipeline.drops.campaigns import CampaignSubjects
from pipeline.drops.records import CampaignRecord, RewardCampaignRecord
from pipeline.drops.rewards import RewardSubjects
from pipeline.drops.sources.looks import Look, Recognition, is_graphql
from pipeline.drops.sources.twitch_shapes import (
    CAMPAIGN,
    REWARD_CAMPAIGN,
    WireAllow,
    WireCampaign,
    WireDrop,
    campaign_record,
    game_record,
    reward_campaign_record,
)
from pipeline.errors import SourceChanged, SourceError
from pipeline.fetch.http import Client
from pipeline.fetch.mending import decode_mended
from pipeline.fetch.shapes import UNREADABLE, Id, digest, identity, read_value
from pipeline.ingest.source import Answer, Item, Snapshot, Validators, decode_item, id_under
from pipeline.services.twitch.graphql_answers import (
    INVENTORY,
    WAY_OUT,
    DropsAnswer,
    Part,
    SignedOut,
    read_answer,
    read_rewards,
    split_answers,
)

BARE = "DropCampaign"


class WireHead(msgspec.Struct, rename="camel"):
    """The few fields by which a campaign is recognised, whatever they hold."""

    id: Id | None = None
    status: msgspec.Raw = msgspec.Raw(b"")
    start_at: msgspec.Raw = msgspec.Raw(b"")
    game: msgspec.Raw = msgspec.Raw(b"")


class WireSelf(msgspec.Struct, rename="camel"):
    """What a campaign is to the account that asks."""

    is_account_connected: bool | None = None


class WireLinked(msgspec.Struct):
    """The one field of a campaign that is about the account that asks."""

    own: WireSelf | None = msgspec.field(default=None, name="self")


class WireGathered(msgspec.Struct):
    """What a fetch gathers: both kinds of answers, and the digests of details that were not asked for again."""

    dashboard: msgspec.Raw
    details: list[msgspec.Raw] = []
    remembered: msgspec.Raw = msgspec.Raw(b"{}")
    # Why no details were asked for; empty where they were.
    unasked: msgspec.Raw = msgspec.Raw(b'""')


class Beside(msgspec.Struct, frozen=True):
    """What belongs to an entry besides its raw JSON: which fields of it failed, and its details."""

    faulty: frozenset[str] = frozenset()
    details: Part | None = None


_LINKED = msgspec.json.Decoder(WireLinked)
_HEAD = msgspec.json.Decoder(WireHead)
_GATHERED = msgspec.json.Decoder(WireGathered)
_REMEMBERED = msgspec.json.Decoder(dict[str, str])
_UNASKED = msgspec.json.Decoder(str)


def head(raw: bytes | msgspec.Raw) -> WireHead:
    """Return the fields by which a campaign is recognised; empty where they cannot be read."""
    try:
        return _HEAD.decode(raw)
    except UNREADABLE:
        return WireHead()


def is_account_linked(item: Item) -> bool | None:
    """Return whether the account that an answer was given to is linked with a campaign's game; None where none says."""
    beside = item.context
    for raw in (item.raw, beside.details.raw if beside.details else b""):
        wire = read_value(_LINKED, raw)
        if wire is not None and wire.own is not None and wire.own.is_account_connected is not None:
            return wire.own.is_account_connected
    return None


def read_answer_or_campaign(raw: msgspec.Raw) -> DropsAnswer:
    """Read an answer, or a campaign without its envelope; raises `SourceError`."""
    bare = head(raw)
    if identity(bare.id) and (bytes(bare.start_at) or bytes(bare.game)):
        return DropsAnswer(operation=BARE, single=[Part(raw)])
    return read_answer(raw)


class _FileReader:
    """A source that is read from files alone, until a person signs in."""

    service: ClassVar[str] = "twitch"
    asks = "twitch dashboard"

    def fetch(self, client: Client, validators: Validators) -> Answer:  # noqa: ARG002
        """Raise `SignedOut`: there is no account to ask with."""
        raise SignedOut(f"nobody is signed in to Twitch: {WAY_OUT} does it")


class Campaigns(_FileReader):
    """Drop campaigns in any of the answers that hold some."""

    name = "twitch.details"
    subjects: ClassVar[type[CampaignSubjects]] = CampaignSubjects
    outranked_by: ClassVar[Collection[str]] = ("twitch.dashboard",)

    def split(self, payload: bytes) -> Snapshot:
        """Cut answers into campaigns; one answer of several that holds none is set aside alone."""
        raws, remembered = _gathered(payload)
        answers, broken = _read_all(raws)
        broken += _unasked(payload)
        listing = [answer for answer in answers if answer.listed is not None]
        if not listing and all(answer.single is None for answer in answers):
            raise _of_no_use(answers, broken, payload)
        details = {
            identity(head(part.raw).id) or n: part
            for n, part in enumerate(p for answer in answers for p in answer.single or ())
        }
        items = []
        for part in (part for answer in listing for part in answer.listed or ()):
            key = identity(head(part.raw).id) or ""
            items.append(_entry(part, details.pop(key, None), remembered.get(key, "")))
        items += [Item(digest(part.raw), part.raw, None, Beside(part.faulty)) for part in details.values()]
        return Snapshot(
            items=items,
            broken=broken,
            scope=None if listing else frozenset(),
            complete=not any(answer.faults for answer in listing),
        )

    def parse(self, item: Item) -> CampaignRecord:
        """Decode one campaign: its details, and its entry's values where they have none."""
        beside = item.context
        wire = _sound(decode_item(CAMPAIGN, item), beside.faulty)
        if beside.details is not None:
            details = decode_item(CAMPAIGN, Item(b"", beside.details.raw))
            wire = _filled(_sound(details, beside.details.faulty), wire)
        return campaign_record(wire, game_record(wire.game))

    def peek_id(self, item: Item) -> str | None:
        """Return the id of an item."""
        return id_under("id", item)


class DashboardCampaigns(Campaigns):
    """Drop campaigns of a whole dashboard."""

    name = "twitch.dashboard"
    outranked_by = ()


class DashboardRewards(_FileReader):
    """Reward campaigns, which come with a dashboard."""

    name = "twitch.dashboard_rewards"
    subjects: ClassVar[type[RewardSubjects]] = RewardSubjects
    outranked_by: ClassVar[Collection[str]] = ()

    def split(self, payload: bytes) -> Snapshot:
        """Take the reward campaigns out of a dashboard's answer."""
        raws, _ = _gathered(payload)
        answers, broken = _read_all(raws, read_rewards)
        if problem := next((answer.rewards_problem for answer in answers if answer.rewards_problem), None):
            raise SourceChanged(problem, payload=payload)
        listing = [answer for answer in answers if answer.rewards is not None]
        if not listing:
            raise _of_no_use(answers, broken, payload)
        rewards = [raw for answer in listing for raw in answer.rewards or () if bytes(raw) != b"null"]
        complete = not any(answer.reward_faults for answer in listing)
        return Snapshot(items=[Item(digest(raw), raw) for raw in rewards], broken=broken, complete=complete)

    def parse(self, item: Item) -> RewardCampaignRecord:
        """Decode one reward campaign."""
        return reward_campaign_record(decode_item(REWARD_CAMPAIGN, item))

    def peek_id(self, item: Item) -> str | None:
        """Return the id of an item."""
        return id_under("id", item)


def recognise_answers(look: Look) -> Recognition | None:
    """Recognise an answer, a list of answers, or campaigns without their envelope; raises `SourceChanged`."""
    is_ours = look.is_graphql if look.is_object else is_graphql(look.first)
    return describe(look.payload) if is_ours else None


def describe(payload: bytes) -> tuple[str, list[str]]:
    """Return in words what an answer is, and the names of the sources that read it; raises `SourceChanged`."""
    raws, _ = _gathered(payload)
    answers, broken = _read_all(raws)
    if any(answer.listed is not None for answer in answers):
        with_rewards = any(answer.rewards is not None or answer.rewards_problem for answer in answers)
        rewards = [DashboardRewards.name] if with_rewards else []
        return "Twitch drops dashboard", [DashboardCampaigns.name, *rewards]
    readable = [answer for answer in answers if answer.single is not None]
    if not readable:
        raise _of_no_use(answers, broken, payload)
    words = {INVENTORY: "Twitch inventory", BARE: "Twitch campaign"}.get(
        readable[0].operation, "Twitch campaign details"
    )
    return words if len(raws) == 1 else f"{words}, {len(raws)} together", [Campaigns.name]


def _gathered(payload: bytes) -> tuple[list[msgspec.Raw], Mapping[str, str]]:
    """Return the answers in a payload, and the digests that a fetch remembered."""
    try:
        gathered = decode_mended(_GATHERED, payload)
    except UNREADABLE:
        try:
            return split_answers(payload), {}
        except SourceError as error:
            raise SourceChanged(str(error), payload=payload) from error
    return [gathered.dashboard, *gathered.details], read_value(_REMEMBERED, gathered.remembered) or {}


def _unasked(payload: bytes) -> list[tuple[bytes, str]]:
    """Return what a fetch could not ask for, as something that could not be read."""
    gathered = read_value(_GATHERED, payload)
    reason = read_value(_UNASKED, gathered.unasked) if gathered else None
    return [(reason.encode(), reason)] if reason else []


def _read_all(
    raws: Sequence[msgspec.Raw], read: Callable[[msgspec.Raw], DropsAnswer] = read_answer_or_campaign
) -> tuple[list[DropsAnswer], list[tuple[bytes, str]]]:
    answers, broken = [], []
    for raw in raws:
        try:
            answers.append(read(raw))
        except SourceError as error:
            broken.append((bytes(raw), str(error)))
    return answers, broken


def _of_no_use(answers: Sequence[DropsAnswer], broken: Sequence[tuple[bytes, str]], payload: bytes) -> SourceChanged:
    operation = answers[0].operation if answers else "nothing"
    return SourceChanged(broken[0][1] if broken else f"{operation}: no answer that lists campaigns", payload=payload)


def _entry(part: Part, details: Part | None, remembered: str) -> Item:
    """Return a dashboard's entry as an item, which changes when the entry or its details do.

    Details that were not asked for this time count as those of the last answer.
    """
    of_details = digest(details.raw).hex() if details else remembered
    return Item(digest(part.raw, of_details.encode()), part.raw, None, Beside(part.faulty, details))


def _sound(wire: WireCampaign, faulty: frozenset[str]) -> WireCampaign:
    """Return a campaign without the lists that Twitch gave in part only: half a list is no list.

    What is missing from a list that came whole is gone; what a failing service left out is not.
    """
    if "allow" in faulty and not _is_whole(wire.allow):
        wire = msgspec.structs.replace(wire, allow=None)
    if "timeBasedDrops" in faulty and not all(_drop_is_whole(drop) for drop in wire.time_based_drops or ()):
        wire = msgspec.structs.replace(wire, time_based_drops=None)
    return wire


def _is_whole(allow: WireAllow | None) -> bool:
    return allow is not None and allow.channels is not None and all(c is not None and c.name for c in allow.channels)


def _drop_is_whole(drop: WireDrop | None) -> bool:
    return drop is not None and all(edge is not None and edge.benefit for edge in drop.benefit_edges or ())


def _filled(details: WireCampaign, entry: WireCampaign) -> WireCampaign:
    """Return the details, with the entry's values where they have none (only the entry knows the game's picture)."""
    blanks = {name: getattr(entry, name) for name in entry.__struct_fields__ if getattr(details, name) is None}
    filled = msgspec.structs.replace(details, **blanks)
    if filled.game and entry.game and filled.game.box_art is None and filled.game.id == entry.game.id:
        return msgspec.structs.replace(filled, game=msgspec.structs.replace(filled.game, box_art=entry.game.box_art))
    return filled
