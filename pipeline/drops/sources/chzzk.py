"""CHZZK's drop campaigns, found by probing numbers because no list is known.

`GET https://api.chzzk.naver.com/service/v2/drops/campaigns/{no}` (v1 likewise) gives `{code, message, content}`.
Dates are Korean time without a zone. Numbers rise with time; outliers above 10^8 exist and are not followed.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, ClassVar, Literal

import msgspec

from pipeline.catalogue.records import GameRecord
from pipeline.drops.campaigns import CampaignSubjects
from pipeline.drops.records import BenefitRecord, CampaignRecord, DropRecord
from pipeline.drops.sources.looks import Look, Recognition
from pipeline.errors import SourceChanged
from pipeline.fetch.http import Client
from pipeline.fetch.mending import decode_mended, is_readable, readable
from pipeline.fetch.shapes import UNREADABLE, Count, Id, clean, digest, identity, read_value, required, required_id, utc
from pipeline.ingest.source import Answer, Item, Snapshot, Validators, decode_item, id_under

KOREA = timezone(timedelta(hours=9))
# A number that a real campaign had in March 2026; probing finds its way up from there.
FIRST_NUMBER = 905
HIGHEST_PLAUSIBLE = 10**8
NEXT_NUMBERS = 4
# Leaps past gaps: when a long pause left the known number far behind, doubling steps catch up in a few rounds.
LEAPS = (8, 16, 32, 64, 128, 256)
# How far below the highest number campaigns may still run, and how many of those are asked in one round.
WINDOW = 60
OLDER_NUMBERS = 6


class WireReward(msgspec.Struct, frozen=True, rename="camel"):
    reward_no: Id
    title: str | None = None
    image_url: str | None = None
    reward_type: str | None = None
    campaign_reward_type: str | None = None
    condition_for_minutes: Count | None = None
    ios_based_reward: bool | None = None


class WireCampaign(msgspec.Struct, frozen=True, rename="camel"):
    campaign_no: Id
    title: str
    start_date: datetime
    end_date: datetime
    description: str | None = None
    image_url: str | None = None
    category_id: str | None = None
    category_value: str | None = None
    pc_link_url: str | None = None
    account_link_url: str | None = None
    reward_list: list[WireReward | None] | None = None


class WireEnvelope(msgspec.Struct, frozen=True):
    code: msgspec.Raw
    content: msgspec.Raw = msgspec.Raw(b"null")


_Number = Annotated[int, msgspec.Meta(ge=1, le=HIGHEST_PLAUSIBLE)]
_Outlier = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
_ENVELOPE = msgspec.json.Decoder(WireEnvelope)
_CAMPAIGN = msgspec.json.Decoder(WireCampaign)


class ChzzkDrops:
    """CHZZK's drop campaigns around the highest number known."""

    name = "chzzk.drops"
    service: ClassVar[str] = "chzzk"
    asks = "chzzk"
    subjects: ClassVar[type[CampaignSubjects]] = CampaignSubjects
    outranked_by: ClassVar[Collection[str]] = ()

    def __init__(self, base_url: str, *, poll_every: timedelta, first_number: int = FIRST_NUMBER) -> None:
        root = base_url.rstrip("/").removesuffix("/service")
        self._url = root + "/service/{version}/drops/campaigns/{number}"
        self._poll_every = poll_every
        self._first_number = first_number

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask for a few numbers around the highest known one and for those whose campaigns still ran."""
        place = _place(validators.cursor)
        highest = place.highest or self._first_number
        older_from = place.older_from or highest
        version = place.version
        numbers = _numbers(highest, older_from, place.running)
        answers = self._ask(client, version, numbers)
        if not answers:
            version = "v1" if version == "v2" else "v2"
            answers = self._ask(client, version, numbers[:3])
            numbers = numbers[:3] if answers else numbers
        whole = {number: answer for number, answer in answers.items() if _is_answer(answer)}
        if answers and not whole:
            _content(next(iter(answers.values())))  # Raises: nothing that came is an answer.
        envelopes = b",".join(_as_json(answers[number]) for number in sorted(answers))
        # A number whose answer cannot be read was not answered.
        numbers = [number for number in numbers if number in whole or number not in answers]
        known = [number for number in whole if number < HIGHEST_PLAUSIBLE]
        now_highest = max([highest, *known])
        return Answer(
            payload=b'{"asked":%s,"answers":[%s]}' % (msgspec.json.encode([str(n) for n in numbers]), envelopes),
            refresh_after=self._poll_every,
            validators=Validators(
                cursor={
                    "highest": now_highest,
                    "older_from": _next_older(now_highest, older_from),
                    "version": version,
                    "running": _running(whole),
                }
            ),
        )

    def _ask(self, client: Client, version: str, numbers: Iterable[int]) -> dict[int, bytes]:
        """Return the answers of the numbers that exist, and those that cannot be read."""
        answers = {}
        for number in numbers:
            try:
                reply = client.get(self._url.format(version=version, number=number))
            except SourceChanged as error:
                if error.status in {400, 404}:
                    continue
                raise
            if not _is_answer(reply.body) or _content(reply.body) is not None:
                answers[number] = reply.body
        return answers

    def split(self, payload: bytes) -> Snapshot:
        """Take the answers that `fetch` gathered, or one answer (or a list of them) from a file."""
        try:
            gathered = decode_mended(_PAYLOAD, payload)
        except UNREADABLE as error:
            raise SourceChanged(f"not CHZZK's answer: {error}", payload=payload) from error
        if isinstance(gathered, list):
            answers, scope = gathered, frozenset[str]()
        elif gathered.answers is not None:
            answers, scope = gathered.answers, frozenset(_readable_numbers(gathered.numbers))
        else:
            # Alone, what is no answer is refused as a whole.
            answers, scope = [msgspec.Raw(payload)], frozenset[str]()
            _content(payload)
        items: list[Item] = []
        broken: list[tuple[bytes, str]] = []
        for answer in answers:
            try:
                content = _content(answer)
            except SourceChanged as error:
                broken.append((bytes(answer), str(error)))
                continue
            if content is not None:
                items.append(Item(digest(content), content))
        return Snapshot(items=items, broken=broken, scope=scope)

    def parse(self, item: Item) -> CampaignRecord:
        """Decode one campaign."""
        wire = decode_item(_CAMPAIGN, item)
        return CampaignRecord(
            service=self.service,
            external_id=required_id(wire.campaign_no, "campaignNo"),
            name=required(wire.title, "title"),
            description=clean(wire.description),
            details_url=clean(wire.pc_link_url),
            account_link_url=clean(wire.account_link_url),
            image_url=clean(wire.image_url),
            start_at=_korean(wire.start_date),
            end_at=_korean(wire.end_date),
            game=_game(wire),
            drops=None if wire.reward_list is None else tuple(_drop(reward) for reward in wire.reward_list if reward),
        )

    def peek_id(self, item: Item) -> str | None:
        """Return the id of an item."""
        return id_under("campaignNo", item)


def recognise_chzzk(look: Look) -> Recognition | None:
    """Recognise the answer for one number, or a list of such answers."""
    answer = look.fields if look.is_object else look.first
    is_answer = answer.keys() >= {"code", "content"} and not look.is_graphql
    return ("CHZZK campaign" if look.is_object else "CHZZK campaigns", [ChzzkDrops.name]) if is_answer else None


class _Gathered(msgspec.Struct, frozen=True):
    numbers: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"[]"), name="asked")
    answers: list[msgspec.Raw] | None = None


_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_NUMBER = msgspec.json.Decoder(str)
_CODE = msgspec.json.Decoder(int)
_PAYLOAD: msgspec.json.Decoder[_Gathered | list[msgspec.Raw]] = msgspec.json.Decoder(_Gathered | list[msgspec.Raw])


class _Place(msgspec.Struct, frozen=True):
    """Where the probing is, as the cursor remembers it."""

    highest: _Number | None = None
    older_from: _Number | None = None
    version: Literal["v1", "v2"] = "v2"
    # Outliers too, which are asked for again and not followed.
    running: tuple[_Outlier, ...] = ()


def _place(cursor: Mapping[str, object]) -> _Place:
    """Return what a cursor remembers; one that cannot be read (an import may bring any) remembers nothing."""
    try:
        return msgspec.convert(cursor, _Place)
    except msgspec.ValidationError:
        return _Place()


def _numbers(highest: int, older_from: int, running: Iterable[int]) -> list[int]:
    """Return the numbers to ask for, the most useful first, each once."""
    near = range(highest, highest + NEXT_NUMBERS + 1)
    leaps = [highest + leap for leap in LEAPS]
    older = range(older_from - 1, max(older_from - 1 - OLDER_NUMBERS, highest - WINDOW, 0), -1)
    return list(dict.fromkeys([*near, *leaps, *older, *running]))


def _next_older(highest: int, older_from: int) -> int:
    """Return where the next round goes on below the highest number; past the window it starts again at the top."""
    lower = older_from - OLDER_NUMBERS
    return highest if lower <= max(highest - WINDOW, 1) else lower


def _running(answers: Mapping[int, bytes]) -> list[int]:
    """Return the numbers of campaigns that have not ended: these are asked again in every round."""
    now = datetime.now(KOREA)
    running = []
    for number, answer in answers.items():
        content = _content(answer)
        try:
            wire = _CAMPAIGN.decode(content or b"null")
        except UNREADABLE:
            continue
        if wire.end_date.replace(tzinfo=KOREA) > now:
            running.append(number)
    return sorted(running)


def _readable_numbers(asked: msgspec.Raw) -> list[str]:
    """Return the numbers that were asked for, as far as they can be read: no other may be judged absent."""
    return [number for raw in read_value(_RAWS, asked) or () if (number := read_value(_NUMBER, raw)) is not None]


def _is_answer(body: bytes) -> bool:
    try:
        _content(body)
    except SourceChanged:
        return False
    return True


def _as_json(body: bytes) -> bytes:
    """Return an answer as it is, or as a text where it is no JSON: one must not spoil the others."""
    sound = readable(body)
    return sound if is_readable(sound) else msgspec.json.encode(body.decode(errors="replace"))


def _content(answer: bytes | msgspec.Raw) -> msgspec.Raw | None:
    """Return the campaign of an answer; None where the service says that there is none under this number.

    Raises `SourceChanged` for what is no answer; the code is wanted only where there is no campaign.
    """
    try:
        envelope = decode_mended(_ENVELOPE, answer)
    except UNREADABLE as error:
        raise SourceChanged(f"not CHZZK's answer: {error}", payload=bytes(answer)) from error
    if bytes(envelope.content) != b"null":
        return envelope.content
    if read_value(_CODE, envelope.code) is None:
        raise SourceChanged("not CHZZK's answer: `code` cannot be read, and `content` is null", payload=bytes(answer))
    return None


def _korean(time: datetime) -> datetime | None:
    return utc(time.replace(tzinfo=KOREA) if time.tzinfo is None else time)


def _game(wire: WireCampaign) -> GameRecord | None:
    category = identity(wire.category_id)
    return GameRecord(external_id=category, name=clean(wire.category_value) or category) if category else None


def _drop(wire: WireReward) -> DropRecord:
    reward_no = required_id(wire.reward_no, "rewardNo")
    benefit = BenefitRecord(
        external_id=reward_no,
        name=clean(wire.title),
        image_url=clean(wire.image_url),
        distribution_type=clean(wire.campaign_reward_type) or clean(wire.reward_type),
        is_ios_available=wire.ios_based_reward,
    )
    return DropRecord(
        external_id=reward_no,
        name=clean(wire.title),
        required_minutes=wire.condition_for_minutes,
        benefits=(benefit,),
    )
