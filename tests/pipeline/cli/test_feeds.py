"""The commands on feeds: looking at one, building them, and personal ones."""

import os
import re
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from models import GameList, Show
from tests.pipeline.cli.operator import Operator


@pytest.fixture
def imported(operator: Operator, now: datetime) -> Operator:
    """A database with some hours of campaigns, as `lootwire import` leaves it."""
    assert operator.run("import", str(operator.snapshots(now))).code == 0
    return operator


def published(operator: Operator) -> Path:
    return operator.folder / "data/public"


def test_a_feed_is_shown_by_its_title_or_path_with_its_newest_items(imported: Operator) -> None:
    [by_title] = imported.run("feeds", "show", "everything", "--json").lines
    [by_path] = imported.run("feeds", "show", "all", "--json").lines

    assert by_title == by_path
    assert by_path["rss"] == "https://drops.example/all.rss.xml"
    assert by_path["newest"]
    assert "https://drops.example/all.rss.xml" in imported.run("feeds", "show", "all").out


def test_a_feed_that_is_not_there_is_told_by_name_with_what_may_be_meant(imported: Operator) -> None:
    result = imported.run("feeds", "show", "evrything")

    assert result.code == 2
    assert "No feed is called evrything; did you mean Everything?" in result.errors


def test_a_build_writes_what_is_marked_and_all_writes_it_again(imported: Operator) -> None:
    assert imported.run("feeds", "build").code == 0
    again = imported.run("feeds", "build").out
    assert again.startswith("0 feeds; 0 files written, ")

    everything = imported.run("feeds", "build", "--all").out

    assert not everything.startswith("0 feeds")
    # What says how long something lasts may have changed meanwhile, and nothing else.
    assert re.search(r"; [0-3] files written, ", everything)
    assert imported.run("feeds", "build", "--all", "--check").code == 2


def test_a_check_names_files_that_are_missing_or_broken(imported: Operator) -> None:
    imported.run("feeds", "build")
    assert imported.run("feeds", "build", "--check").code == 0
    (published(imported) / "all.atom.xml").write_text("<feed>")
    (published(imported) / "all.json").unlink()
    (published(imported) / "all.ics").unlink()
    os.mkfifo(published(imported) / "all.ics")

    result = imported.run("feeds", "build", "--check")

    assert result.code == 3
    assert "all.json: No such file or directory" in result.errors
    assert "all.ics: it is no file" in result.errors
    assert "all.atom.xml: " in result.errors
    assert "`lootwire feeds build --all` writes them anew" in result.errors
    assert imported.run("feeds", "build", "--all").code == 0
    assert imported.run("feeds", "build", "--check").code == 0


@pytest.mark.parametrize("options", [(), ("--health",)])
def test_a_personal_feed_has_addresses_that_only_this_command_shows(
    imported: Operator, options: tuple[str, ...]
) -> None:
    [addresses] = imported.run("feeds", "private", *options, "--json").lines
    assert imported.run("feeds", "private", *options, "--json").lines == [addresses]
    imported.run("publish")

    folder = addresses["rss"].removeprefix("https://drops.example/").rpartition("/")[0]
    assert (published(imported) / folder).is_dir()
    secret = folder.rpartition("/")[2]
    for command in (("feeds", "--json"), ("feeds", "links", "--json"), ("feeds",), ("feeds", "links")):
        assert secret not in imported.run(*command).out

    [link] = imported.run("feeds", "links", "--json").lines
    [rotated] = imported.run("feeds", "rotate", str(link["id"]), "--json").lines
    imported.run("publish")

    assert secret not in rotated["rss"]
    assert not (published(imported) / folder).exists()
    assert imported.run("feeds", "rotate", str(link["id"])).code == 2
    assert len(imported.run("feeds", "links", "--all", "--json").lines) == 2


def test_a_target_that_is_not_there_has_no_feed(imported: Operator) -> None:
    result = imported.run("feeds", "private", "--target", "nobody")

    assert result.code == 2
    assert "There is no target of that name." in result.errors
    assert imported.run("feeds", "private", "--target", "x", "--health").code == 2


def test_feeds_of_a_library_are_given_by_what_they_are_and_rotated_by_it(imported: Operator, now: datetime) -> None:
    with imported.engine.begin() as connection:
        values = {"name": "Top 25", "slug": "top-25", "created_at": now}
        connection.execute(insert(GameList).values(values))
    before = [
        imported.run("feeds", "private", *what, "--json").lines[0]
        for what in (("news",), ("library",), ("journal",), ("list", "top 25"))
    ]
    imported.run("publish")

    pages = [addresses["page"].removeprefix("https://drops.example/") for addresses in before]
    assert [page.rpartition("/")[2] for page in pages] == ["news.html", "library.html", "journal.html", "list.html"]
    assert all((published(imported) / page).is_file() for page in pages)
    links = imported.run("feeds", "links", "--json").lines
    assert [(link["opens"], link["list"]) for link in links] == [
        *(("news", None), ("library", None), ("journal", None)),
        ("list", "Top 25"),
    ]
    for name in ("journal", "Top 25"):
        assert imported.run("feeds", "rotate", name).code == 0
    imported.run("publish")
    assert [(published(imported) / page).is_file() for page in pages] == [True, True, False, False]


def test_podcasts_are_among_the_feeds_private_ones_by_their_name_alone(operator: Operator, now: datetime) -> None:
    with operator.engine.begin() as connection:
        for number, (name, is_public) in enumerate((("Captain Brine", True), ("Hidden", False))):
            row = {"public_id": str(uuid.UUID(int=number, version=4)), "name": name, "name_key": name.lower()}
            row |= {"title": name, "is_public": is_public, "since": now, "added_at": now}
            connection.execute(insert(Show).values(row))
    [addresses] = operator.run("feeds", "private", "sounds", "--json").lines
    assert addresses.keys() == {"page", "rss"}
    operator.run("publish")

    assert (published(operator) / addresses["rss"].removeprefix("https://drops.example/")).is_file()
    [shown] = operator.run("feeds", "show", "captain brine", "--json").lines
    assert (shown["scope"], shown["atom"], shown["newest"]) == ("show", None, [])
    assert "Hidden" not in operator.run("feeds").out
    links = operator.run("feeds", "links", "--json").lines
    assert {(link["opens"], link["show"]) for link in links} == {("sounds", None), ("show", "Hidden")}
    [rotated] = operator.run("feeds", "rotate", "hidden", "--json").lines
    operator.run("publish")
    assert (published(operator) / rotated["page"].removeprefix("https://drops.example/")).is_file()
    assert operator.run("feeds", "build", "--check").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("private", "list", "Bset"), "There is no list Bset: there are none yet"),
        (("private", "list"), "`lootwire feeds private list NAME` gives the feed of a list"),
        (("private", "news", "Rust"), "and no other takes a name"),
        (("private", "news", "--health"), "ask for one of them"),
        (("rotate", "nwes"), "There is no live link nwes"),
    ],
)
def test_a_personal_feed_that_there_is_not_is_refused(
    imported: Operator, arguments: tuple[str, ...], said: str
) -> None:
    result = imported.run("feeds", *arguments)

    assert result.code == 2
    assert said in " ".join(result.errors.split())
