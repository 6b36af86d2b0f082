"""A person's year: what belongs to it, and how long what was played."""

import re

from feeds.content import FeedContent
from feeds.pages.journal import JournalPage, Once, Session, render_journal
from feeds.pages.tallies import Subject, hours
from feeds.pages.year import render_years
from tests.feeds.world import NOON

FEED = FeedContent(feed_id=1, version=1, scope="journal", path="private/a/journal", title="My journal")
ICO, REZ = Subject(game_id=1, name="Ico", genres=("Puzzle",)), Subject(game_id=2, name="Rez", series="Rez")


def year(page: JournalPage, number: int) -> str:
    return render_years(page, FEED, NOON)[f"private/a/year-{number}.html"].decode()


def bars(html: str, title: str) -> dict[str, str]:
    chart = html.partition(f">{title}</h2>")[2].partition("</ol>")[0]
    return dict(re.findall(r'class="label">([^<]*)</span><span class="amount">([^<]*)<', chart))


def test_hours_of_a_shop_count_in_their_months_and_those_of_the_journal_where_no_shop_tells_any() -> None:
    page = JournalPage(
        path=FEED.path,
        sessions=(Session(of=ICO, month="2026-02", seconds=7200, platform="PC", store="steam"),),
        playthroughs=(
            Once(of=ICO, status="finished", finished="2026-03-01", seconds=90_000, platform="PC"),
            Once(of=REZ, status="finished", finished="2026-03", seconds=3600),
        ),
    )

    html = year(page, 2026)

    months = bars(html, "By month")
    assert (months["February"], months["March"], months["April"]) == ("2 h", "1 h, 2 games finished", "–")
    assert bars(html, "Games") == {"Ico": "2 h", "Rez": "1 h"}
    assert bars(html, "Genres") == {"Puzzle": "2 h"}
    assert bars(html, "Finished by platform") == {"PC": "1 game", "Platform not named": "1 game"}


def test_a_year_is_no_month_and_a_quarter_none_either() -> None:
    page = JournalPage(
        path=FEED.path,
        playthroughs=(
            Once(of=ICO, status="finished", finished="1999-Q3", rating=95.0),
            Once(of=REZ, status="finished", finished="2012"),
            Once(of=REZ, status="abandoned"),
        ),
    )

    assert sorted(render_years(page, FEED, NOON)) == ["private/a/year-1999.html", "private/a/year-2012.html"]
    html = year(page, 1999)
    assert "By month" not in html
    assert "Q3 1999" in html
    journal = render_journal(page, FEED, NOON).decode()
    assert [part for part in ("Sometime in 1999", "Sometime in 2012", "Some time") if part in journal] == [
        *("Sometime in 1999", "Sometime in 2012", "Some time"),
    ]


def test_hours_are_said_as_people_say_them() -> None:
    assert [hours(seconds) for seconds in (None, 0, 59, 1200, 5400, 7200, 148_000, 9_000_000)] == [
        *("", "", "", "20 min", "1.5 h", "2 h", "41 h", "2,500 h"),
    ]
