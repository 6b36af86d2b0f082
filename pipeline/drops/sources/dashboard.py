"""Twitch's own drops dashboard, as the account that signed in sees it: upcoming, active and expired campaigns.

`ViewerDropsDashboard` lists every campaign in few words; `DropCampaignDetails`, twenty in one request, gives the drops
and channels of those that are new, changed, or were asked for more than a day ago.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from models.due import CLOCK_TOLERANCE
from pipeline.drops.records import CampaignRecord
from pipeline.drops.sources.dashboard_campaigns import (
    DashboardCampaigns,
    DashboardRewards,
    WireGathered,
    head,
    is_account_linked,
)
from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.fetch.shapes import digest, identity
from pipeline.ingest.source import Answer, Item, Validators
from pipeline.services.twitch.graphql import Account, Conversation
from pipeline.services.twitch.graphql_answers import (
    DASHBOARD,
    DETAILS,
    DropsAnswer,
    Part,
    SignedOut,
    read_answer,
    read_rewards,
)

BATCH = 20
DETAILS_LAST = timedelta(days=1)
# Asking for details stops then and goes on a minute later, so that a fetch stays well within its lease.
DETAILS_WITHIN = timedelta(seconds=45)
THE_REST_AFTER = timedelta(seconds=60)
# Says that the last answer was taken in: a refused one leaves no validators, and its details must come once more.
TAKEN_IN = "taken in"


class Remembered(msgspec.Struct, frozen=True, array_like=True):
    """What was asked for before of one campaign: digests of its entry and its details, and when (unix seconds)."""

    entry: str
    details: str
    asked_at: int


class Listed(msgspec.Struct, frozen=True):
    """What of a dashboard's entry decides whether its details are asked for."""

    digest: str
    is_over: bool


Memory = dict[str, Remembered]


class _Dashboard:
    """What both sources of the dashboard share: the address, the account, the pace and the queries' hashes."""

    def __init__(
        self, url: str, account: Account, *, poll_every: timedelta, hashes: Mapping[str, Sequence[str]]
    ) -> None:
        self._url = url
        self._account = account
        self._poll_every = poll_every
        self._hashes = hashes

    def _converse(self, client: Client, validators: Validators) -> Conversation:
        return Conversation(client, self._url, self._account, self._hashes, _known_hashes(validators))


class TwitchDashboard(_Dashboard, DashboardCampaigns):
    """Drop campaigns of the dashboard, with their details."""

    def parse(self, item: Item) -> CampaignRecord:
        """Decode one campaign, and whether the account that asks is linked with its game."""
        return msgspec.structs.replace(super().parse(item), is_account_linked=is_account_linked(item))

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask for the dashboard, then for the details that are wanted; what was asked for before is in the cursor."""
        until = time.monotonic() + DETAILS_WITHIN.total_seconds()
        conversation = self._converse(client, validators)
        raw, dashboard = _dashboard(conversation)
        if dashboard.listed is None:
            raise _without_campaigns(raw)
        listed = _listed(dashboard.listed)
        memory = {key: known for key, known in _memory(validators).items() if key in listed}
        now = int(time.time())
        wanted = _wanted(listed, memory, now)
        unasked = ""
        if wanted and dashboard.viewer_id is None:
            unasked = f"{DASHBOARD} answered without a viewer's id that can be read: no details were asked for"
            wanted = []
        details = _ask_details(conversation, dashboard.viewer_id, wanted, until)
        cut_short = len(details) < len(wanted) and time.monotonic() > until
        for key, (_, part) in details.items():
            memory.pop(key, None)
            # Details that Twitch gave in part only are asked for again next time.
            if part is None or not part.faulty:
                memory[key] = Remembered(listed[key].digest, digest(part.raw).hex() if part else "", now)
        remembered = {
            key: known.details
            for key, known in memory.items()
            if key not in details and known.entry == listed[key].digest and known.details
        }
        gathered = WireGathered(
            raw, [answer for answer, _ in details.values()], _raw(remembered), unasked=_raw(unasked)
        )
        return Answer(
            payload=msgspec.json.encode(gathered),
            refresh_after=min(self._poll_every, THE_REST_AFTER) if cut_short else self._poll_every,
            validators=Validators(
                etag=TAKEN_IN, cursor={"hashes": conversation.known, "asked": msgspec.to_builtins(memory)}
            ),
        )


class TwitchDashboardRewards(_Dashboard, DashboardRewards):
    """Reward campaigns of the dashboard."""

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask for the dashboard."""
        try:
            conversation = self._converse(client, validators)
            raw, dashboard = _dashboard(conversation, read_rewards)
        except SignedOut as error:
            # The dashboard's own source tells the operator; the same again from here would be noise.
            raise SourceUnavailable(str(error)) from error
        if dashboard.rewards_problem:
            raise SourceChanged(dashboard.rewards_problem, payload=bytes(raw))
        if dashboard.rewards is None and dashboard.reward_faults:
            raise SourceUnavailable(f"{DASHBOARD}: the reward campaigns could not be told")
        if dashboard.rewards is None:
            raise SourceRefused("Twitch tells this application nothing of reward campaigns (null, not an empty list)")
        return Answer(
            payload=bytes(raw),
            refresh_after=self._poll_every,
            validators=Validators(cursor={"hashes": conversation.known}),
        )


def _dashboard(
    conversation: Conversation, reader: Callable[[msgspec.Raw], DropsAnswer] = read_answer
) -> tuple[msgspec.Raw, DropsAnswer]:
    (raw,) = conversation.ask(DASHBOARD, [{"fetchRewardCampaigns": True}])
    answer = conversation.read(raw, reader)
    if answer.listed is None and answer.rewards is None:
        raise _without_campaigns(raw)
    return raw, answer


def _without_campaigns(raw: msgspec.Raw) -> SourceChanged:
    return SourceChanged(f"{DASHBOARD} answered without `dropCampaigns`", payload=bytes(raw))


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _listed(parts: Sequence[Part]) -> dict[str, Listed]:
    entries = {}
    for part in parts:
        wire = head(part.raw)
        if key := identity(wire.id):
            entries[key] = Listed(digest(part.raw).hex(), bytes(wire.status) == b'"EXPIRED"')
    return entries


def _known_hashes(validators: Validators) -> dict[str, str]:
    try:
        return msgspec.convert(validators.cursor.get("hashes", {}), dict[str, str])
    except msgspec.ValidationError:
        return {}


def _memory(validators: Validators) -> Memory:
    if validators.etag != TAKEN_IN:
        return {}
    try:
        return msgspec.convert(validators.cursor.get("asked", {}), Memory)
    except msgspec.ValidationError:
        return {}


def _wanted(listed: Mapping[str, Listed], memory: Memory, now: int) -> list[str]:
    """Return the campaigns to ask about: new and changed ones first, then those whose details are oldest."""
    fresh = [key for key, entry in listed.items() if key not in memory or memory[key].entry != entry.digest]
    oldest, latest = now - DETAILS_LAST.total_seconds(), now + CLOCK_TOLERANCE.total_seconds()
    # What is over does not change any more.
    stale = [key for key, known in memory.items() if not oldest < known.asked_at <= latest and not listed[key].is_over]
    return [*fresh, *sorted(set(stale) - set(fresh), key=lambda key: (memory[key].asked_at, key))]


def _ask_details(
    conversation: Conversation, viewer_id: str | None, wanted: Sequence[str], until: float
) -> dict[str, tuple[msgspec.Raw, Part | None]]:
    """Return the answers by campaign, each with its details if it has some.

    Answers from before a failure are kept; raises `SourceError` where there are none.
    """
    answers: dict[str, tuple[msgspec.Raw, Part | None]] = {}
    for start in range(0, len(wanted), BATCH):
        if time.monotonic() > until:
            break
        try:
            answers |= _ask_batch(conversation, viewer_id, wanted[start : start + BATCH])
        except SourceUnavailable:
            if not answers:
                raise
            break
    return answers


def _ask_batch(
    conversation: Conversation, viewer_id: str | None, batch: Sequence[str]
) -> dict[str, tuple[msgspec.Raw, Part | None]]:
    variables: list[dict[str, Any]] = [{"dropID": key, "channelLogin": viewer_id} for key in batch]
    answers: dict[str, tuple[msgspec.Raw, Part | None]] = {}
    failed: SourceUnavailable | None = None
    for key, raw in zip(batch, conversation.ask(DETAILS, variables), strict=True):
        try:
            answer = conversation.read(raw)
        except SourceUnavailable as error:
            failed = error
        except SourceChanged:
            # Set aside alone, when the answer is split.
            answers[key] = raw, None
        else:
            answers[key] = raw, answer.single[0] if answer.single else None
    if failed is not None and not answers:
        raise failed
    return answers
