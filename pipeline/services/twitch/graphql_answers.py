"""The answers of Twitch's GraphQL, and its many ways to say no.

It answers 200 to nearly everything: what went wrong stands in `errors`, often beside data, with the path of what is
null because of it. A null that no error explains is a refusal, never an empty list.
"""

from collections.abc import Iterable, Sequence

import msgspec

from pipeline.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from pipeline.fetch.mending import decode_mended
from pipeline.fetch.shapes import UNREADABLE, Id, identity, read_value
from pipeline.services.twitch.wire import Wire

# The operations whose answers hold campaigns.
DASHBOARD = "ViewerDropsDashboard"
DETAILS = "DropCampaignDetails"
INVENTORY = "Inventory"
WAY_OUT = "`lootwire sources login twitch`"
QUERY_UNKNOWN = "PersistedQueryNotFound"
INTEGRITY = "failed integrity check"
# Twitch's messages while a service of its own fails, which is over in minutes.
PASSING = ("service error", "service timeout", "service unavailable", "server error", "context deadline exceeded")
REWARDS = "rewardCampaignsAvailableToUser"
_CAMPAIGNS = ("currentUser", "dropCampaigns")
_IN_PROGRESS = ("currentUser", "inventory", "dropCampaignsInProgress")
_DETAILS = ("user", "dropCampaign")

Path = tuple[str | int, ...]


class SignedOut(SourceRefused):
    """There is no sign-in, or Twitch does not accept the sign-in any more."""


_NULL = msgspec.Raw(b"null")


class WireFault(msgspec.Struct):
    message: msgspec.Raw = _NULL
    path: msgspec.Raw = _NULL


class WireExtensions(Wire):
    operation_name: msgspec.Raw = _NULL
    challenge: msgspec.Raw = _NULL


class WireAnswer(Wire):
    """One operation's answer; `error` is that of a refusal that never reached GraphQL.

    What stands beside the data is raw: where it cannot be read, the data still can.
    """

    data: msgspec.Raw = _NULL
    errors: msgspec.Raw = _NULL
    extensions: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL


class WireInventory(Wire):
    drop_campaigns_in_progress: list[msgspec.Raw] | None = None


class WireUser(Wire):
    """The user who asks (`currentUser`), or the one that a details query names (`user`)."""

    id: msgspec.Raw = _NULL
    drop_campaigns: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    drop_campaign: msgspec.Raw = msgspec.Raw(b"")
    inventory: WireInventory | msgspec.UnsetType | None = msgspec.UNSET


class WireData(Wire):
    current_user: WireUser | msgspec.UnsetType | None = msgspec.UNSET
    user: WireUser | msgspec.UnsetType | None = msgspec.UNSET
    rewards: msgspec.Raw = msgspec.field(name=REWARDS, default=_NULL)


class WireRewards(msgspec.Struct):
    """What is still wanted of data whose drop campaigns cannot be read."""

    rewards: msgspec.Raw = msgspec.field(name=REWARDS, default=_NULL)


class Fault(msgspec.Struct, frozen=True):
    """One of an answer's errors; without a path, or with one that cannot be read, it may mean any part."""

    message: str = ""
    path: Path = ()


class Part(msgspec.Struct, frozen=True):
    """A campaign as an answer holds it, with those of its fields that Twitch failed to fill."""

    raw: msgspec.Raw
    faulty: frozenset[str] = frozenset()


class DropsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The campaigns that one answer holds. None is a list that the answer does not have."""

    operation: str
    viewer_id: str | None = None
    # ViewerDropsDashboard: every campaign there is, and the reward campaigns.
    listed: Sequence[Part] | None = None
    rewards: Sequence[msgspec.Raw] | None = None
    # Why the list of reward campaigns cannot be read, where it is there.
    rewards_problem: str | None = None
    # DropCampaignDetails: one campaign or none; Inventory: those in progress.
    single: Sequence[Part] | None = None
    # The paths that Twitch failed to fill, of the campaigns and of the reward campaigns.
    faults: Sequence[Path] = ()
    reward_faults: Sequence[Path] = ()


_ANSWER = msgspec.json.Decoder(WireAnswer)
_DATA = msgspec.json.Decoder(WireData)
_REWARDS = msgspec.json.Decoder(WireRewards)
_REWARD_LIST: msgspec.json.Decoder[list[msgspec.Raw] | None] = msgspec.json.Decoder(list[msgspec.Raw] | None)
_RAW: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_FAULT = msgspec.json.Decoder(WireFault)
_EXTENSIONS = msgspec.json.Decoder(WireExtensions)
_PATH: msgspec.json.Decoder[Path] = msgspec.json.Decoder(tuple[str | int, ...])
_TEXT = msgspec.json.Decoder(str)
_ID: msgspec.json.Decoder[Id] = msgspec.json.Decoder(Id)


def split_answers(payload: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    """Return the answers of a payload, a list of them or one alone.

    Raises `SourceUnavailable` where nothing came, `SourceChanged` for what is not JSON.
    """
    body = bytes(payload)
    start = body.lstrip()[:1]
    if not start:
        raise SourceUnavailable("the answer is empty")
    if start == b"<":
        raise SourceChanged("HTML instead of JSON: a proxy or a challenge page stands before Twitch", payload=body)
    try:
        return decode_mended(_RAWS, body) if start == b"[" else [decode_mended(_RAW, body)]
    except UNREADABLE as error:
        raise SourceChanged(f"the answer is not JSON: {error}", payload=body) from error


def is_unknown_query(raw: msgspec.Raw) -> bool:
    """Whether an answer says that Twitch does not know the query's hash."""
    answer = read_value(_ANSWER, raw)
    return answer is not None and any(fault.message == QUERY_UNKNOWN for fault in _faults(answer))


def read_answer(raw: msgspec.Raw) -> DropsAnswer:
    """Return the campaigns of an answer; raises the `SourceError` that names the cure where it holds nothing of use."""
    answer = _decode(raw)
    faults, extensions = _faults(answer), read_value(_EXTENSIONS, answer.extensions) or WireExtensions()
    if (refusal := _refusal(answer, faults, extensions)) is not None:
        raise refusal
    operation = read_value(_TEXT, extensions.operation_name) or "GraphQL"
    reader = _Reader(operation, faults, raw)
    if bytes(answer.data) == b"null":
        raise reader.nothing(SourceChanged(f"{operation}: no data{reader.errors_in_words()}", payload=bytes(raw)))
    try:
        data = _DATA.decode(answer.data)
    except UNREADABLE as error:
        raise SourceChanged(f"{operation}: {error}", payload=bytes(raw)) from error
    return reader.read(data)


def read_rewards(raw: msgspec.Raw) -> DropsAnswer:
    """Return the reward campaigns of an answer, also where its drop campaigns cannot be read; raises `SourceError`."""
    try:
        return read_answer(raw)
    except SourceChanged:
        answer = _decode(raw)
        wire = read_value(_REWARDS, answer.data)
        rewards = read_value(_REWARD_LIST, wire.rewards) if wire else None
        if rewards is None:
            raise
        _, of_rewards = _by_list(fault.path for fault in _faults(answer))
        return DropsAnswer(operation=DASHBOARD, rewards=rewards, reward_faults=of_rewards)


def _by_list(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Part the paths that Twitch failed to fill: those of drop campaigns, and those of reward campaigns."""
    of_campaigns: list[Path] = []
    of_rewards: list[Path] = []
    for path in paths:
        (of_rewards if path[:1] == (REWARDS,) else of_campaigns).append(path)
    return of_campaigns, of_rewards


def _decode(raw: msgspec.Raw) -> WireAnswer:
    try:
        return _ANSWER.decode(raw)
    except UNREADABLE as error:
        raise SourceChanged(f"not an answer of Twitch's GraphQL: {error}", payload=bytes(raw)) from error


def _faults(answer: WireAnswer) -> list[Fault]:
    """Return an answer's errors; what cannot be read as one says no more than that something failed."""
    if bytes(answer.errors) == b"null":
        return []
    rows = read_value(_RAWS, answer.errors)
    return [Fault()] if rows is None else [_fault(row) for row in rows]


def _fault(row: msgspec.Raw) -> Fault:
    wire = read_value(_FAULT, row) or WireFault()
    return Fault(read_value(_TEXT, wire.message) or "", read_value(_PATH, wire.path) or ())


def _refusal(answer: WireAnswer, faults: Sequence[Fault], extensions: WireExtensions) -> SourceError | None:
    messages = [fault.message for fault in faults]
    if QUERY_UNKNOWN in messages:
        return SourceChanged(f"Twitch does not know this query ({QUERY_UNKNOWN})")
    if INTEGRITY in messages or bytes(extensions.challenge).startswith(b"{"):
        return SourceRefused(f"Twitch refuses this application ({INTEGRITY})")
    if (error := read_value(_TEXT, answer.error)) is not None:
        return SourceRefused(f"Twitch refused the request ({error[:100]})")
    return None


class _Reader:
    """Reads one answer's data with its errors at hand: they show whether a null passes with time or means something."""

    def __init__(self, operation: str, faults: Sequence[Fault], raw: msgspec.Raw) -> None:
        self._operation = operation
        self._errors = [(fault.path, fault.message) for fault in faults]
        self._raw = raw

    def read(self, data: WireData) -> DropsAnswer:
        listed, single, viewer_id, operation = None, None, None, self._operation
        if data.current_user is None:
            raise self.nothing(SourceRefused("Twitch does not know who asks (currentUser is null)"), "currentUser")
        if isinstance(data.current_user, WireUser):
            viewer_id = identity(read_value(_ID, data.current_user.id))
            listed, single = self._listed(data.current_user), self._in_progress(data.current_user)
            operation = DASHBOARD if listed is not None else INVENTORY if single is not None else operation
        elif data.user is None:
            raise self.nothing(SourceChanged(f"{self._operation}: no such viewer", payload=bytes(self._raw)), "user")
        elif isinstance(data.user, WireUser):
            single = self._details(data.user)
            operation = DETAILS if single is not None else operation
        of_campaigns, of_rewards = _by_list(path for path, _ in self._errors)
        rewards, problem = self._rewards(data.rewards)
        return DropsAnswer(
            operation=operation,
            viewer_id=viewer_id,
            listed=listed,
            rewards=rewards,
            rewards_problem=problem,
            single=single,
            faults=of_campaigns,
            reward_faults=of_rewards,
        )

    def _rewards(self, raw: msgspec.Raw) -> tuple[list[msgspec.Raw] | None, str | None]:
        try:
            return _REWARD_LIST.decode(raw), None
        except UNREADABLE as error:
            return None, f"{self._operation}: `{REWARDS}`: {error}"

    def _listed(self, viewer: WireUser) -> list[Part] | None:
        if viewer.drop_campaigns is None:
            denied = "Twitch tells this application of no campaigns (dropCampaigns is null, which is not an empty list)"
            raise self.nothing(SourceRefused(denied), *_CAMPAIGNS)
        if isinstance(viewer.drop_campaigns, msgspec.UnsetType):
            return None
        return self._parts(viewer.drop_campaigns, _CAMPAIGNS)

    def _in_progress(self, viewer: WireUser) -> list[Part] | None:
        inventory = viewer.inventory
        if isinstance(inventory, msgspec.UnsetType):
            return None
        in_progress = inventory.drop_campaigns_in_progress if inventory else None
        if in_progress is None and (fault := self._passing(_IN_PROGRESS)):
            raise fault
        return self._parts(in_progress or [], _IN_PROGRESS)

    def _details(self, user: WireUser) -> list[Part] | None:
        raw = user.drop_campaign
        if not bytes(raw):
            return None
        if bytes(raw) != b"null":
            return [Part(raw, self._faulty(_DETAILS))]
        if fault := self._passing(_DETAILS):
            raise fault
        return []

    def _parts(self, raws: Sequence[msgspec.Raw], path: Path) -> list[Part]:
        return [Part(raw, self._faulty((*path, n))) for n, raw in enumerate(raws) if bytes(raw) != b"null"]

    def _faulty(self, path: Path) -> frozenset[str]:
        """Return the fields of the campaign at a path in which something is null because a service failed."""
        depth = len(path)
        return frozenset(str(p[depth]) for p, _ in self._errors if p[:depth] == path and len(p) > depth)

    def nothing(self, otherwise: SourceError, *path: str) -> SourceError:
        """Return why there is nothing at a path: a fault that passes, or else this error."""
        return self._passing(path) or otherwise

    def _passing(self, path: Path) -> SourceUnavailable | None:
        """Return the fault that explains a null at a path, if all errors there pass with time.

        A null climbs to the nearest field that may be null, so what failed may lie above or below.
        """
        messages = [message for p, message in self._errors if p[: len(path)] == path[: len(p)]]
        if messages and all(any(known in message.lower() for known in PASSING) for message in messages):
            return SourceUnavailable(f"{self._operation}: {messages[0][:100]}")
        return None

    def errors_in_words(self) -> str:
        """Return the errors' messages, shortened, in brackets."""
        messages = dict.fromkeys(message for _, message in self._errors)
        return f" ({', '.join(messages)[:200]})" if messages else ""
