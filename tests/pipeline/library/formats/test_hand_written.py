"""Lists in Markdown and plain text: series, platforms, repeats, rankings, short forms."""

from tests.pipeline.library.formats.examples import MARKDOWN, TEXT, read


def test_a_completion_list_gives_finished_games_with_series_and_platforms() -> None:
    reading = read(MARKDOWN)
    seven, sixteen, *ranked = reading.records

    assert (seven.status, seven.series, seven.platforms) == ("finished", "Final Fantasy (FF)", ("PS1",))
    assert [(way.platform, way.notes, way.is_replay) for way in sixteen.playthroughs] == [
        ("PS5", None, False),
        ("PS5", "NG+", True),
    ]
    assert [(each.status, each.placings[0].name, each.placings[0].place) for each in ranked] == [
        (None, "Top 3", 1),
        (None, "Top 3", 2),
    ]
    assert [(each.name, each.ranked) for each in reading.lists] == [("Top 3", True)]


def test_short_forms_that_the_file_explains_are_written_out() -> None:
    text = (
        "# Finished\n\nTTYD = Paper Mario: The Thousand-Year Door\n\n"
        "## Final Fantasy (FF)\n- FFIX\n- FF VI\n- TTYD\n- DQ5\n"
        "- Kingdom Hearts: Birth by Sleep (BBS; PSP)\n- BBS\n"
    )

    records = read(text).records

    assert [record.title or record.written for record in records] == [
        "Final Fantasy IX",
        "Final Fantasy VI",
        "Paper Mario: The Thousand-Year Door",
        "DQ5",
        "Kingdom Hearts: Birth by Sleep",
        "Kingdom Hearts: Birth by Sleep",
    ]


def test_parentheses_hold_platforms_notes_and_repeats() -> None:
    text = (
        '# Completed\n- Final Fantasy (NES; again as Dawn of Souls on GBA)\n- Ico (PS2 x2, "a, b")\n- Rez (PS2, x3)\n'
    )

    first, second, third = read(text).records

    assert [(way.platform, way.notes, way.is_replay) for way in first.playthroughs] == [
        ("NES", None, False),
        ("GBA", "again as Dawn of Souls", True),
    ]
    assert [(way.notes, way.is_replay) for way in second.playthroughs] == [('"a, b"', False), (None, True)]
    assert [(way.platform, way.is_replay) for way in third.playthroughs] == [
        ("PS2", False),
        ("PS2", True),
        ("PS2", True),
    ]
    assert len({way.key for way in third.playthroughs}) == 3


def test_headings_say_where_games_stand_when_and_on_what() -> None:
    text = "## Backlog\n- Ico\n## Finished\n### 2021\n- Rez\n### SNES\n- Mother 2\n"
    text += "## Wishlist\n- Tunic\n## Zelda\n- Okami\n"

    ico, rez, mother, tunic, okami = read(text).records

    assert (ico.status, ico.series) == ("backlog", None)
    assert (rez.status, rez.playthroughs[0].finished) == ("finished", "2021")
    assert (mother.status, mother.platforms) == ("finished", ("SNES",))
    assert (tunic.status, tunic.ownership) == (None, "wished")
    assert (okami.status, okami.series) == (None, "Zelda")


def test_numbers_below_a_heading_that_says_finished_only_count() -> None:
    reading = read("# Games\n## Finished in 2021\n1. Ico\n2. Rez\n## Best of all\n1. Okami\n1. Tunic\n")

    assert [(each.status, each.playthroughs[0].finished) for each in reading.records[:2]] == [("finished", "2021")] * 2
    assert [each.placings[0].place for each in reading.records[2:]] == [1, 2]


def test_boxes_that_are_ticked_are_finished_and_links_to_igdb_say_which_game() -> None:
    done, waits = read("- [x] [Ico](https://www.igdb.com/games/ico)\n- [ ] **Rez** (2001)\n").records

    assert (done.written, done.igdb_slug, done.status) == ("Ico", "ico", "finished")
    assert (waits.written, waits.year, waits.status) == ("Rez", 2001, "backlog")


def test_plain_text_is_a_title_a_line_and_says_nothing_of_where_it_stands() -> None:
    reading = read(TEXT)

    assert [(each.line, each.written, each.platforms) for each in reading.records] == [
        (1, "Ico", ()),
        (2, "Rez", ("Dreamcast",)),
    ]
    assert "do not say whether" in reading.notes[0]


def test_a_list_with_commas_in_its_titles_is_no_table() -> None:
    assert [each.written for each in read("Papers, Please\nIco\nMe, Myself, I\n").records] == [
        "Papers, Please",
        "Ico",
        "Me, Myself, I",
    ]


def test_what_stands_behind_a_title_says_how_often_and_when() -> None:
    text = "# Beaten\n- Ico (PS2) – x2, loved it\n- Rez - finished 2005\n"
    text += "- Okami (PS2/Wii; NG+ on Wii)\n- Zelda II - Link\n"

    ico, rez, okami, zelda = read(text).records

    assert ([way.is_replay for way in ico.playthroughs], ico.notes) == ([False, True], "loved it")
    assert (rez.written, rez.playthroughs[0].finished) == ("Rez", "2005")
    assert [(way.platform, way.notes, way.is_replay) for way in okami.playthroughs] == [
        ("PS2", None, False),
        ("Wii", None, True),
        ("Wii", "NG+", True),
    ]
    assert zelda.written == "Zelda II - Link"


def test_a_legend_explains_short_forms_and_names_no_games() -> None:
    records = read("# Finished\n- MGS2\n## Abbreviations\n- MGS: Metal Gear Solid\n").records

    assert [(each.written, each.title) for each in records] == [("MGS2", "Metal Gear Solid 2")]
