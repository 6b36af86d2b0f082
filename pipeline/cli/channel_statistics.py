"""Commands that sum up what channels streamed: `channels stats` and `channels top`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from models.errors import UsageError
from models.statistics import (
    By,
    CategoryTotals,
    HourTotals,
    Ranked,
    Story,
    Totals,
    by_hour,
    by_weekday,
    load_categories,
    load_hours,
    load_stories,
    load_top,
    load_totals,
)
from models.words.units import WEEKDAYS, counted
from pipeline.catalogue.unknown import unknown_channel
from pipeline.channels.following.follows import Known, find_channel
from pipeline.channels.following.names import parse_name
from pipeline.cli.opening import GREATEST, open_command
from pipeline.runtime.output import JsonFlag, console, parse_since, print_json, show
from pipeline.runtime.runtime import utc_now

STREAMS_SHOWN = 5
CATEGORIES_SHOWN = 10
SHADES = " ░▒▓█"
Since = Annotated[str, typer.Option(help="30d, 12h, or a time.")]
Zone = Annotated[str, typer.Option("--zone", help="The time zone of weekdays and hours: Europe/Berlin.")]


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `channels stats` shows of a channel."""

    channel: Known
    since: datetime
    until: datetime
    zone: str
    totals: Totals
    categories: Sequence[CategoryTotals]
    week: Sequence[HourTotals]
    stories: Sequence[Story]


def show_statistics(
    name: Annotated[str, typer.Argument(help="A channel: its login, one it had before, its id or its address.")],
    since: Since = "30d",
    zone: Zone = "UTC",
    as_json: JsonFlag = False,
) -> None:
    """Sum up a channel: time on air, viewers, categories, weekdays and hours, and its last streams."""
    now = utc_now()
    begin = parse_since(since, now) or now
    _check_zone(zone)
    with open_command().engine.connect() as connection:
        known = find_channel(connection, parse_name(name))
        if known is None:
            unknown = unknown_channel(connection, name)
            meant = f" (did you mean {' or '.join(unknown.near)}?)" if unknown and unknown.near else ""
            hint = "`lootwire channels list` shows those that are followed"
            raise UsageError(f"no channel {name!r} is known{meant}; {hint}")
        statistics = _load(connection, known, begin, now, zone)
    if as_json:
        print_json(_as_json(statistics))
    else:
        _print(statistics)


def show_top(
    since: Since = "30d",
    by: Annotated[By, typer.Option(help="By what.")] = "hours",
    limit: Annotated[int, typer.Option(min=1, max=GREATEST, help="How many at most.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Show the channels that were on air longest, most often, or watched by most."""
    now = utc_now()
    with open_command().engine.connect() as connection:
        ranked = load_top(connection, parse_since(since, now) or now, by=by, limit=limit)
    if as_json:
        for place, channel in enumerate(ranked, 1):
            print_json({"place": place, **_ranked_as_json(channel)})
        return
    if not ranked:
        console.print("No followed channel was on air in that time.")
        return
    console.print(_top_table(ranked, by))


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f"there is no time zone {zone!r}; write Europe/Berlin, say") from None


def _load(connection: Connection, known: Known, since: datetime, until: datetime, zone: str) -> Statistics:
    ids, channel_id = [known.channel_id], known.channel_id
    return Statistics(
        channel=known,
        since=since,
        until=until,
        zone=zone,
        # Without an end, as the last streams are: what is newer than `until` came while this was asked for.
        totals=load_totals(connection, ids, since).get(channel_id, Totals()),
        categories=load_categories(connection, ids, since).get(channel_id, []),
        week=load_hours(connection, ids, since, zone=zone).get(channel_id, []),
        stories=load_stories(connection, ids, STREAMS_SHOWN).get(channel_id, []),
    )


def _as_json(statistics: Statistics) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(statistics.channel),
        "since": statistics.since,
        "until": statistics.until,
        "zone": statistics.zone,
        **msgspec.structs.asdict(statistics.totals),
        "categories": statistics.categories,
        "weekdays": by_weekday(statistics.week),
        "hours": by_hour(statistics.week),
        "week": statistics.week,
        "last_streams": statistics.stories,
    }


def _ranked_as_json(channel: Ranked) -> dict[str, Any]:
    names = {"channel_id": channel.channel_id, "login": channel.login, "display_name": channel.display_name}
    return names | msgspec.structs.asdict(channel.totals)


def _print(statistics: Statistics) -> None:
    known, totals = statistics.channel, statistics.totals
    name = known.display_name or known.login
    login = "" if name.lower() == known.login else f" ({known.login})"
    former = f", once {', '.join(known.former_logins)}" if known.former_logins else ""
    console.print(show(f"{name}{login}{former}"), style="bold", markup=False)
    console.print(f"from {show(statistics.since)} to {show(statistics.until)} UTC\n", style="dim")
    if not totals.streams:
        console.print("Not on air in that time.\n")
    else:
        console.print(_totals(totals))
        console.print(_categories_table(statistics.categories, totals.seconds))
        console.print()
        console.print(_heat_map(statistics.week))
        console.print(f"time zone {statistics.zone}\n", style="dim", markup=False)
    if statistics.stories:
        console.print(_stories_table(statistics.stories))


def _totals(totals: Totals) -> Table:
    table = Table.grid(padding=(0, 4, 0, 0))
    each = totals.seconds / max(totals.streams, 1)
    cells = (
        (f"{totals.streams:,}", "stream" if totals.streams == 1 else "streams"),
        (_duration(totals.seconds), "on air"),
        (_duration(each), "each"),
        (_number(totals.average_viewers), f"viewer{'' if totals.average_viewers == 1 else 's'} on average"),
        (_number(totals.peak_viewers), "at the peak"),
    )
    table.add_row(*[Text(value, style="bold") for value, _ in cells])
    table.add_row(*[Text(label, style="dim") for _, label in cells])
    table.add_row()
    return table


def _categories_table(categories: Sequence[CategoryTotals], whole: int) -> Table:
    table = _plain("category", on_air="right", share="right", average="right", peak="right")
    for category in categories[:CATEGORIES_SHOWN]:
        share = f"{100 * category.seconds / whole:.0f} %" if whole else ""
        name = show(category.name) if category.name else "not known"
        counts = (_number(category.average_viewers), _number(category.peak_viewers))
        table.add_row(Text(name), _duration(category.seconds), share, *counts)
    if len(categories) > CATEGORIES_SHOWN:
        rest = categories[CATEGORIES_SHOWN:]
        table.add_row(counted(len(rest), "other"), _duration(sum(category.seconds for category in rest)), "", "", "")
    return table


def _heat_map(week: Sequence[HourTotals]) -> Table:
    """Weekdays by hours of the day: the darker, the more of that hour's time on air."""
    cells = {(hour_totals.weekday, hour_totals.hour): hour_totals.seconds for hour_totals in week}
    most = max(cells.values(), default=0)
    days = by_weekday(week)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column(Text("hour", style="dim"), no_wrap=True)
    table.add_column(Text("".join(f"{hour:<6}" for hour in range(0, 24, 3)), style="dim"), no_wrap=True)
    table.add_column("on air", justify="right", no_wrap=True)
    for weekday, label in enumerate(WEEKDAYS):
        row = Text()
        for hour in range(24):
            row.append(_shade(cells.get((weekday, hour), 0), most) * 2, style="yellow")
        table.add_row(label, row, _duration(days[weekday]))
    return table


def _shade(seconds: int, most: int) -> str:
    if not seconds:
        return "·"
    return SHADES[1 + min(3, 4 * seconds // (most + 1))]


def _stories_table(stories: Sequence[Story]) -> Table:
    table = _plain("last streams", lasted="right", average="right", peak="right")
    table.expand = console.is_terminal
    table.add_column("categories", ratio=1, no_wrap=True, overflow="ellipsis")
    for story in stories:
        recap = story.recap
        played = ", ".join(show(category.name) if category.name else "not known" for category in recap.categories)
        counts = (_number(recap.average_viewers), _number(recap.peak_viewers))
        lasted = ("live, " if story.live else "") + _duration(recap.seconds)
        table.add_row(show(recap.started_at), lasted, *counts, Text(played), style="green" if story.live else "")
    return table


def _top_table(ranked: Sequence[Ranked], by: By) -> Table:
    headings = {"streams": "streams", "hours": "on air", "average": "average", "peak": "peak"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", justify="right", style="dim")
    table.add_column("channel", overflow="fold")
    for key, heading in headings.items():
        table.add_column(heading, justify="right", no_wrap=True, style="bold" if key == by else "")
    for place, channel in enumerate(ranked, 1):
        totals = channel.totals
        counts = (_number(totals.average_viewers), _number(totals.peak_viewers))
        name = Text(show(channel.display_name or channel.login))
        table.add_row(str(place), name, f"{totals.streams:,}", _duration(totals.seconds), *counts)
    return table


def _plain(first: str, **others: Literal["left", "right"]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True, overflow="ellipsis")
    for name, justify in others.items():
        table.add_column(name.replace("_", " "), justify=justify, no_wrap=True)
    return table


def _duration(seconds: float) -> str:
    # Begun minutes do not count, as in messages and on pages.
    minutes = int(seconds // 60)
    return f"{minutes // 60:,} h {minutes % 60:02} m" if minutes >= 60 else f"{minutes} m"


def _number(viewers: int | None) -> str:
    return "–" if viewers is None else f"{viewers:,}"
