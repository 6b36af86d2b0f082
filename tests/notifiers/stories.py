"""Stories for tests: rules as a person writes them, what happens when, and what each target is sent at which time.

The rules are applied as a file is, events are matched and their deliveries claimed as in the program, by a clock that
goes from one moment at which something happens or is due to the next. All of a story is one transaction, which is
rolled back: hundreds of them take seconds.

A line of a story is a time by the story's clock, and what happens: an event (`campaign.added Hat minutes=60`), or a
person who does something (`mute phone 3h`). Words that both know stand in `Story.tell`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, func, insert, select, update

from models import (
    AccountLink,
    Channel,
    Delivery,
    DeliveryState,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    DropProgress,
    Event,
    Follow,
    Game,
    StreamSession,
    TimeBasedDrop,
)
from models.details import (
    BenefitLine,
    CampaignDetail,
    DropLine,
    EventDetail,
    ReleaseDetail,
    StreamDetail,
    detail_to_json,
)
from models.events import EventKind
from models.names import name_key
from models.people import OWNER_ID
from models.vault import Vault
from notifiers import days, match, mutes, outbox, settled, targets
from notifiers.rules.applying import apply, check_wanted, load_present
from notifiers.rules.difference import Wanted, compare
from pipeline.drops.campaigns import CampaignSubjects
from pipeline.drops.deadlines import LAST_CHANCE
from pipeline.drops.listing.naming import find_named
from pipeline.drops.store.deadlines import Due
from pipeline.rules.files import read_rules_file

URL = {"URL": "json://127.0.0.1:9/x"}
# After so long nothing of a story is left to come: the longest hold is a week.
AFTERWARDS = timedelta(days=12)
# More messages than that come in no moment of a story.
MOST_AT_ONCE = 60
_LINE = re.compile(r"\s*(?P<at>\d\d-\d\d \d\d:\d\d(?::\d\d)?(?: UTC)?)\s+(?P<what>.+?)\s*")
_FIELD = re.compile(r"\b(\w+)=(\"[^\"]*\"|\d\d-\d\d \d\d:\d\d|\S+)")
_DURATION = re.compile(r"(\d+)(min|h|d)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}
YEAR = 2026


@dataclass(frozen=True)
class Sent:
    """A message: to whom, when, and the titles of what it says."""

    target: str
    at: datetime
    titles: tuple[str, ...]
    message: outbox.ClaimedMessage = field(repr=False, compare=False)


@dataclass
class Story:
    """A database in one transaction, and the clock of what happens in it; times are written by the clock of a zone."""

    connection: Connection
    vault: Vault
    folder: Path
    zone: str = "UTC"
    sent: list[Sent] = field(default_factory=list)
    # How many of the messages to come are refused, and how many senders die with theirs.
    refusals: int = 0
    deaths: int = 0
    now: datetime = datetime(YEAR, 1, 1, tzinfo=UTC)

    def rules(self, text: str) -> None:
        """Make targets and subscriptions agree with a file of rules."""
        path = self.folder / "rules.toml"
        path.write_text(text)
        file = read_rules_file(path, URL)
        checked = check_wanted(self.connection, file.wanted.subscriptions)
        wanted = Wanted(targets=file.wanted.targets, subscriptions=checked)
        changes = compare(wanted, load_present(self.connection, self.vault), file.origin)
        apply(self.connection, self.vault, changes, wanted, file.origin, self.now)

    def tell(self, lines: str, later: Mapping[str, str] | None = None) -> None:
        """Let a story happen, and all that comes of it afterwards. `later` are rules that a line applies by name."""
        for at, what in self._read(lines):
            self.run_until(at)
            self.happen(what, later or {})
            self.send()
        self.run_until(self.now + AFTERWARDS)

    def at(self, written: str) -> datetime:
        """Return a time that is written as `11-20 23:00`, by the story's clock or with `UTC` behind it."""
        clock = ZoneInfo("UTC" if written.endswith(" UTC") else self.zone)
        local = datetime.fromisoformat(f"{YEAR}-{written.removesuffix(' UTC')}")
        return local.replace(tzinfo=clock).astimezone(UTC)

    def shown(self, at: datetime) -> str:
        """Return a time as the story writes it: by its clock, and in UTC where that shows the time twice."""
        local = at.astimezone(ZoneInfo(self.zone))
        form = "%m-%d %H:%M" if not local.second else "%m-%d %H:%M:%S"
        is_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return f"{at:{form}} UTC" if is_twice else f"{local:{form}}"

    def _read(self, lines: str) -> Iterator[tuple[datetime, str]]:
        for line in filter(str.strip, lines.splitlines()):
            match_ = _LINE.fullmatch(line)
            assert match_, line
            yield self.at(match_["at"]), match_["what"]

    def run_until(self, at: datetime) -> None:
        """Let the clock go on to a time, and send what is due and becomes due on the way."""
        self.send()
        while (due := self._next_due(at)) is not None:
            self.now = max(due, self.now)
            self.send()
        self.now = max(at, self.now)

    def _next_due(self, before: datetime) -> datetime | None:
        times = (Delivery.next_attempt_at, Delivery.lease_until)
        states = (DeliveryState.PENDING, DeliveryState.SENDING)
        dues = [
            self.connection.scalar(
                select(func.min(time)).where(Delivery.state == state, time > self.now, time < before)
            )
            for time, state in zip(times, states, strict=True)
        ]
        return min(filter(None, dues), default=None)

    def send(self) -> None:
        """Send all that is due now."""
        for _ in range(MOST_AT_ONCE):
            messages = outbox.claim(self.connection, self.now, limit=4)
            if not messages:
                return
            for message in messages:
                self._settle(message)
        raise AssertionError("something is due again and again")

    def _settle(self, message: outbox.ClaimedMessage) -> None:
        if self.deaths:
            self.deaths -= 1
        elif self.refusals:
            self.refusals -= 1
            outbox.settle_failed(self.connection, message, self.now, "HTTP 500", jitter=lambda: 1.0)
        else:
            titles = tuple(event.title for event in message.events)
            self.sent.append(Sent(message.target, self.now, titles, message))
            outbox.settle_sent(self.connection, message, self.now)

    def happen(self, what: str, later: Mapping[str, str]) -> None:
        """Let one thing happen, as a line of a story writes it."""
        word, _, rest = what.partition(" ")
        if "." in word:
            self.event(word, rest)
            return
        actions: dict[str, Callable[[str], object]] = {
            "mute": self._mute,
            "unmute": lambda name: mutes.unmute(self.connection, name, self.now),
            "pause": lambda name: targets.pause_target(self.connection, name, self.now),
            "resume": lambda name: targets.resume_target(self.connection, name),
            "apply": lambda name: self.rules(later[name]),
            "zone": self._move,
            "claimed": partial(self._settled, "claimed"),
            "ignored": partial(self._settled, "ignored"),
            "wanted": partial(self._settled, None),
            "campaign": self._campaign,
            "watched": self._watched,
            "linked": partial(self._link, is_linked=True),
            "unlinked": partial(self._link, is_linked=False),
            "follow": self._follow,
            "refused": lambda times: setattr(self, "refusals", int(times)),
            "dies": lambda times: setattr(self, "deaths", int(times)),
        }
        actions[word](rest)

    def event(self, kind: str, written: str) -> int:
        """Append an event and match it; returns its number. Beside its title it has what is written as `game=Rust`."""
        fields = {name: value.strip('"') for name, value in _FIELD.findall(written)}
        title = _FIELD.sub("", written).strip()
        row: dict[str, Any] = {
            "kind": kind,
            "event_key": f"{kind} {title} {self._count(Event)}",
            "occurred_at": self.now,
            "recorded_at": self.now,
            "title": title,
            "service": fields.get("service", "twitch"),
            "silent": "silent" in fields,
            "game_id": self._game(fields["game"]) if "game" in fields else None,
            "channel_id": self._channel(fields["channel"]) if "channel" in fields else None,
        }
        detail = self._detail(kind, fields)
        if kind == EventKind.CAMPAIGN_LAST_CHANCE and "minutes" in fields:
            fields["campaign"] = title
            self._campaign(f'{title} ends="{fields["ends"]}" drops={title}:{fields["minutes"]}')
        if campaign := self._known_campaign(fields.get("campaign")):
            row |= {"campaign_id": campaign.id, "game_id": campaign.game_id}
            detail = CampaignDetail(
                name=campaign.name,
                end_at=campaign.end_at,
                account_link_url=campaign.account_link_url,
                drops=detail.drops if isinstance(detail, CampaignDetail) else (),
            )
            if kind == EventKind.CAMPAIGN_LAST_CHANCE:
                detail = self._last_chance(campaign.id)
        row["detail"] = detail_to_json(detail)
        event_id: int = self.connection.execute(insert(Event).values(row).returning(Event.id)).scalar_one()
        match.fan_out(self.connection, [event_id], self.now)
        days.hold_until_day(self.connection, [event_id])
        if kind == "stream.offline":
            ended = update(StreamSession).where(StreamSession.channel_id == row["channel_id"])
            self.connection.execute(ended.values(ended_at=self.now))
        return event_id

    def _last_chance(self, campaign_id: int) -> EventDetail:
        """Return the detail that the program gives the warning of a campaign that it has stored."""
        due = Due(campaign_id, LAST_CHANCE, self.now)
        (event,) = CampaignSubjects(self.connection, "twitch").warn([due], self.now)
        return event.detail

    def _detail(self, kind: str, fields: Mapping[str, str]) -> EventDetail:
        family = kind.partition(".")[0]
        if family in {"stream", "video"}:
            return StreamDetail(language=fields.get("language"), type=fields.get("type"))
        if family in {"release", "game"}:
            platforms = tuple(filter(None, [fields.get("platform")]))
            return ReleaseDetail(platforms=platforms, when=fields.get("when"))
        drop = DropLine(
            name=fields.get("drop"),
            benefits=(BenefitLine(name=fields.get("reward"), distribution_type=fields.get("gives")),),
        )
        return CampaignDetail(
            end_at=self.at(fields["ends"]) if "ends" in fields else None,
            required_minutes=int(fields["minutes"]) if "minutes" in fields else None,
            required_subs=int(fields["subs"]) if "subs" in fields else None,
            drops=(drop,) if {"drop", "reward", "gives"} & fields.keys() else (),
        )

    def _campaign(self, written: str) -> None:
        """Have a campaign: `Hats game=Rust drops=Hat:60,>Coat:120`, where the Coat requires the Hat."""
        fields = {name: value.strip('"') for name, value in _FIELD.findall(written)}
        row = {
            "service": "twitch",
            "external_id": f"c{self._count(DropCampaign)}",
            "name": _FIELD.sub("", written).strip(),
            "game_id": self._game(fields["game"]) if "game" in fields else None,
            "end_at": self.at(fields["ends"]) if "ends" in fields else None,
            "account_link_url": fields.get("link"),
            "first_seen_at": self.now,
        }
        campaign_id = self.connection.execute(insert(DropCampaign).values(row).returning(DropCampaign.id)).scalar_one()
        before: list[str] = []
        for drop in filter(None, fields.get("drops", "").split(",")):
            name, _, minutes = drop.lstrip(">").partition(":")
            self._drop(campaign_id, name, int(minutes), before if drop.startswith(">") else [])
            before = [name]

    def _drop(self, campaign_id: int, name: str, minutes: int, requires: list[str]) -> None:
        row = {"campaign_id": campaign_id, "external_id": name, "name": name, "required_minutes": minutes}
        row |= {"precondition_drop_ids": requires, "first_seen_at": self.now}
        drop_id = self.connection.execute(insert(TimeBasedDrop).values(row).returning(TimeBasedDrop.id)).scalar_one()
        benefit = {"service": "twitch", "external_id": f"b{self._count(DropBenefit)}", "name": name}
        benefit_id = self.connection.execute(insert(DropBenefit).values(benefit).returning(DropBenefit.id)).scalar_one()
        self.connection.execute(insert(DropBenefitEdge).values(drop_id=drop_id, benefit_id=benefit_id))

    def _watched(self, written: str) -> None:
        """Have watched minutes of a drop: `Hat 30`, or `Hat 60 claimed`."""
        name, minutes, *claimed = written.split()
        drop_id = self.connection.execute(select(TimeBasedDrop.id).where(TimeBasedDrop.name == name)).scalar_one()
        row = {"person_id": OWNER_ID, "drop_id": drop_id, "minutes": int(minutes), "seen_at": self.now}
        self.connection.execute(insert(DropProgress).values(row | {"claimed_at": self.now if claimed else None}))

    def _link(self, name: str, *, is_linked: bool) -> None:
        campaign_id = self._known_campaign(name).id
        row = {"person_id": OWNER_ID, "campaign_id": campaign_id, "is_linked": is_linked, "seen_at": self.now}
        self.connection.execute(insert(AccountLink).values(row))

    def _known_campaign(self, name: str | None) -> Any:
        query = select(DropCampaign).where(DropCampaign.name == name)
        return self.connection.execute(query).one() if name else None

    def _settled(self, state: settled.State | None, written: str) -> None:
        name, _, target = written.partition(" for ")
        thing = find_named(self.connection, name)
        if state is None:
            settled.unsettle(self.connection, thing.what, thing.id, target=target or None)
        else:
            settled.settle(self.connection, thing.what, thing.id, state, self.now, target=target or None)

    def _mute(self, written: str) -> None:
        target, duration, *game = written.split(maxsplit=2)
        match_ = _DURATION.fullmatch(duration)
        assert match_, written
        until = self.now + timedelta(**{_UNITS[match_[2]]: int(match_[1])})
        mutes.mute(self.connection, target, until, self.now, game=game[0] if game else None)

    def _move(self, written: str) -> None:
        name, zone = written.split()
        targets.change_target(self.connection, name, timezone=zone)

    def _follow(self, written: str) -> None:
        kind, _, name = written.partition(" ")
        row: dict[str, Any] = {"kind": kind, "created_at": self.now}
        row |= {"game_id": self._game(name)} if kind == "game" else {"channel_id": self._channel(name)}
        self.connection.execute(insert(Follow).values(row))

    def _game(self, name: str) -> int:
        row_id = self.connection.scalar(select(Game.id).where(Game.name == name))
        row = {"name": name, "name_key": name_key(name), "public_id": f"g{self._count(Game)}"}
        return row_id or self.connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()

    def _channel(self, login: str) -> int:
        row_id = self.connection.scalar(select(Channel.id).where(Channel.login == login))
        row = {"service": "twitch", "external_id": login, "login": login, "first_seen_at": self.now}
        return row_id or self.connection.execute(insert(Channel).values(row).returning(Channel.id)).scalar_one()

    def _count(self, table: Any) -> int:
        return self.connection.scalar(select(func.count()).select_from(table)) or 0


@contextmanager
def new_story(engine: Engine, vault: Vault, folder: Path, zone: str = "UTC") -> Iterator[Story]:
    """A story in a transaction that is rolled back."""
    with engine.connect() as connection:
        transaction = connection.begin()
        try:
            yield Story(connection, vault, folder, zone)
        finally:
            transaction.rollback()
