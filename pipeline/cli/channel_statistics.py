"""Commands that sum up what channels streamed: `channels stats`, `top`, `summary` and `coverage`."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from models.errors import UsageError
from models.people import OWNER_ID
from models.statistics import By, CategoryTotals, HourTotals, by_weekday
from models.words.units import WEEKDAYS, counted
from pipeline.cli.opening import GREATEST, open_command
from pipeline.operations import analytics
from pipeline.operations import channels as operations
from pipeline.operations.analytics import RankedChannel
from pipeline.operations.channels import ChannelStatistics, StoryAnswer
from pipeline.runtime.output import JsonFlag, console, distance, parse_since, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

CATEGORIES_SHOWN = 10
SHADES = " ░▒▓█"
Since = Annotated[str, typer.Option(help="30d, 12h, or a time.")]
Until = Annotated[str | None, typer.Option(help="The same; until now, if none is given.")]
Zone = Annotated[str, typer.Option("--zone", help="The time zone of weekdays and hours: Europe/Berlin.")]


def add_to(channels: typer.Typer) -> None:
    """Add the commands of this module to those on channels."""
    channels.command("stats")(show_statistics)
    channels.command("top")(show_top)
    channels.command("summary")(show_summary)
    channels.command("coverage")(show_coverage)


def show_statistics(
    name: Annotated[str, typer.Argument(help="A channel: its login, one it had before, its id or its address.")],
    since: Since = "30d",
    zone: Zone = "UTC",
    as_json: JsonFlag = False,
    until: Until = None,
) -> None:
    """Sum up a channel: time on air, viewers, categories, weekdays and hours, and its last streams."""
    now = utc_now()
    begin = parse_since(since, now) or now
    try:
        operations.check_zone(zone)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None
    with open_command().engine.connect() as connection:
        statistics = operations.show_statistics(
            connection, OWNER_ID, now, name, since=begin, until=parse_since(until, now), zone=zone
        )
    if as_json:
        print_json(statistics)
    else:
        _print(statistics)


def show_top(
    since: Since = "30d",
    by: Annotated[By, typer.Option(help="By what.")] = "hours",
    limit: Annotated[int, typer.Option(min=1, max=GREATEST, help="How many at most.")] = 20,
    as_json: JsonFlag = False,
    until: Until = None,
) -> None:
    """Show the channels that were on air longest, most often, or watched by most."""
    now = utc_now()
    with open_command().engine.connect() as connection:
        ranked = analytics.list_top(
            connection, since=parse_since(since, now) or now, until=parse_since(until, now), by=by, limit=limit
        )
    if as_json:
        for channel in ranked:
            print_json(channel)
        return
    if not ranked:
        console.print("No followed channel was on air in that time.")
        return
    console.print(_top_table(ranked, by))


def show_summary(since: Since = "30d", until: Until = None, as_json: JsonFlag = False) -> None:
    """Sum up all channels: how many are followed and covered, streams, polls and hours on air."""
    now = utc_now()
    begin = parse_since(since, now) or now
    with open_command().engine.connect() as connection:
        figures = analytics.show_summary(connection, now, since=begin, until=parse_since(until, now))
    if as_json:
        print_json(figures)
        return
    for name, value in msgspec.structs.asdict(figures).items():
        shown = f"{value:,}" if isinstance(value, int | float) else show(value) or "–"
        console.print(f"{name.replace('_', ' '):>24}  {shown}", markup=False, soft_wrap=True)


def show_coverage(
    is_open: Annotated[bool, typer.Option("--open", help="Those that are live alone.")] = False,
    is_gap: Annotated[
        bool, typer.Option("--gaps", help="Those alone whose open stream gave no sign for ten minutes.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show how each watched channel is watched, and how old the last sign of its open stream is."""
    now = utc_now()
    with open_command().engine.connect() as connection:
        lines = analytics.list_channels_covered(connection, now, is_open=is_open or None, is_gap=is_gap or None)
    rows = [msgspec.structs.asdict(line) for line in lines]
    if not as_json:
        rows = [row | {"last_sign": distance(row["last_sign_at"], now), "gap": "!" * row["is_gap"]} for row in rows]
    columns = ("login", "watched_by", "reason", "stream_since", "last_sign", "gap")
    print_rows(rows, as_json=as_json, columns=columns, empty="No watched channel is like that.")


def _print(statistics: ChannelStatistics) -> None:
    name = statistics.display_name or statistics.login
    login = "" if name.lower() == statistics.login else f" ({statistics.login})"
    former = f", once {', '.join(statistics.former_logins)}" if statistics.former_logins else ""
    console.print(show(f"{name}{login}{former}"), style="bold", markup=False)
    console.print(f"from {show(statistics.since)} to {show(statistics.until)} UTC\n", style="dim")
    if not statistics.streams:
        console.print("Not on air in that time.\n")
    else:
        console.print(_totals(statistics))
        console.print(_categories_table(statistics.categories, statistics.seconds))
        console.print()
        console.print(_heat_map(statistics.week))
        console.print(f"time zone {statistics.zone}\n", style="dim", markup=False)
    if statistics.last_streams:
        console.print(_stories_table(statistics.last_streams))


def _totals(totals: ChannelStatistics) -> Table:
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


def _stories_table(stories: Sequence[StoryAnswer]) -> Table:
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


def _top_table(ranked: Sequence[RankedChannel], by: By) -> Table:
    headings = {"streams": "streams", "hours": "on air", "average": "average", "peak": "peak"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", justify="right", style="dim")
    table.add_column("channel", overflow="fold")
    for key, heading in headings.items():
        table.add_column(heading, justify="right", no_wrap=True, style="bold" if key == by else "")
    for channel in ranked:
        counts = (_number(channel.average_viewers), _number(channel.peak_viewers))
        name = Text(show(channel.display_name or channel.login))
        table.add_row(str(channel.place), name, f"{channel.streams:,}", _duration(channel.seconds), *counts)
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
