"""Any table of games: columns by their names, days and ratings by their columns, hostile cells."""

import pytest

from models.errors import UsageError
from tests.pipeline.library.formats.examples import CSV, read


def test_a_journal_gives_playthroughs_with_days_stores_and_platforms() -> None:
    tunic, indika = read(CSV).records

    assert (tunic.store, tunic.ownership, tunic.status) == ("gog", "owned", "finished")
    assert (tunic.playthroughs[0].finished, tunic.playthroughs[0].platform) == ("2026-07-26", "Linux")
    assert (indika.store, indika.playthroughs[0].finished) == ("steam", "2026-07-12")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Spiel;Plattform;Spielzeit;Bewertung /10", "Ico;PS2;3,5;8"),
        ("Jeu\tPlateforme\tTemps de jeu\tScore /10", "Ico\tPS2\t3h 30min\t8"),
        ("Juego,Plataforma,Horas jugadas,Puntuación", "Ico,PS2,3:30,8/10"),
        ("Name|Console|Minutes played|My rating", "Ico|PS2|210|80%"),
    ],
)
def test_columns_are_known_in_several_languages(header: str, row: str) -> None:
    (record,) = read(f"{header}\n{row}\n").records

    assert (record.written, record.platforms) == ("Ico", ("PS2",))
    assert record.playtime_seconds == 12_600
    assert record.rating == 80 or header.startswith(("Spiel", "Jeu"))


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["3.4.2021", "5.6.2022"], ["2021-04-03", "2022-06-05"]),
        (["3/4/2021", "25/6/2022"], ["2021-04-03", "2022-06-25"]),
        (["3/4/2021", "6/25/2022"], ["2021-03-04", "2022-06-25"]),
        (["3/4/2021", "5/5/2022"], ["2021", "2022-05-05"]),
        (["2021-04-03 18:30", "2022"], ["2021-04-03", "2022"]),
        (["1999-Q3", "Q4 2001"], ["1999-Q3", "2001-Q4"]),
        (["2012-00-00", "2012-05-00"], ["2012", "2012-05"]),
        (["26 July 2026", "März 2024"], ["2026-07-26", "2024-03"]),
        (["Jul 26, 2026", "7/2026"], ["2026-07-26", "2026-07"]),
        (["26.7.26", "1.1.99"], ["2026-07-26", "1999-01-01"]),
    ],
)
def test_days_are_told_by_their_column_as_a_whole(cells: list[str], dates: list[str]) -> None:
    reading = read("title;finished\n" + "".join(f"Game {at};{cell}\n" for at, cell in enumerate(cells)))

    assert [record.playthroughs[0].finished for record in reading.records] == dates


def test_who_says_which_comes_first_is_believed() -> None:
    text = "title,done\nIco,3/4/2021\n"

    guessed = read(text, columns={"done": "finished"})
    said = read(text, columns={"done": "finished:mdy"})

    assert guessed.records[0].playthroughs[0].finished == "2021"
    assert "finished:mdy" in guessed.notes[0]
    assert said.records[0].playthroughs[0].finished == "2021-03-04"


@pytest.mark.parametrize(
    ("cells", "ratings"),
    [
        (["8", "9,5"], [80, 95]),
        (["55", "100"], [55, 100]),
        (["3", "4.5"], [60, 90]),
        (["★★★★☆", "★★½"], [80, 50]),
        (["8/10", "3/5"], [80, 60]),
    ],
)
def test_ratings_are_told_by_their_column_as_a_whole(cells: list[str], ratings: list[float]) -> None:
    reading = read("title;rating\n" + "".join(f"Game {at};{cell}\n" for at, cell in enumerate(cells)))

    assert [record.rating for record in reading.records] == ratings


def test_a_column_that_names_its_scale_is_of_that() -> None:
    reading = read("Game,Rating /10\nIco,4\nOkami,11\n")

    assert [(record.rating, record.rating_scale) for record in reading.records] == [(40, 10)]
    assert [broken.reason for broken in reading.broken] == ["a rating of 11 is not within 0 and 10"]


def test_one_rating_beyond_ten_is_set_aside_and_makes_the_others_no_less() -> None:
    reading = read("Game,Rating\nIco,9\nOkami,11\nTunic,8\n")

    assert [record.rating for record in reading.records] == [90, 80]
    assert [(broken.line, broken.reason) for broken in reading.broken] == [(3, "a rating of 11 is not within 0 and 10")]
    assert "Ratings were taken as out of 10: --rating-scale says otherwise." in reading.notes


def test_a_scale_that_a_person_says_holds_and_a_guess_is_said() -> None:
    text = "title,rating\nIco,4\n"

    assert read(text, rating_scale=10).records[0].rating == 40
    assert "--rating-scale" in read(text).notes[0]


def test_a_column_of_crosses_under_finished_is_no_column_of_days() -> None:
    ico, rez = read("title,finished\nIco,x\nRez,\n").records

    assert (ico.status, ico.playthroughs[0].finished, rez.status) == ("finished", None, None)


def test_a_finish_says_more_than_a_backlog() -> None:
    (record,) = read("title,status,finished\nIco,Backlog,2012\n").records

    assert (record.status, record.playthroughs[0].status, record.playthroughs[0].finished) == ("finished",) * 2 + (
        "2012",
    )


def test_columns_that_a_person_names_are_read_as_they_say() -> None:
    (record,) = read("Foo,Bar\nIco,3\n", columns={"foo": "title", "Bar": "hours"}).records

    assert (record.written, record.playtime_seconds) == ("Ico", 10_800)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"Fo": "title"}, "has no column `Fo`; it has `Foo`, `Bar`"),
        ({"Foo": "titel"}, "`titel` is no field of a game; these are: title, platform, year"),
        ({"Foo": "houres"}, "`houres` is no field of a game; these are: hours, title"),
        ({"Foo": "finished:ydm"}, "A day is written as finished:dmy or finished:mdy"),
        ({"Foo": "hours"}, "none of its columns is known to hold titles"),
    ],
)
def test_a_column_or_a_field_that_there_is_not_is_refused(columns: dict[str, str], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        read("Foo,Bar\nIco,3\n", columns=columns)

    assert sentence in str(error.value)


def test_legends_beside_a_table_and_columns_that_nobody_knows_are_no_games() -> None:
    reading = read("title,hours,Mood,,\nIco,3,sad,,green = good\n,,,,red = bad\nRez,4,glad,,\n")

    assert [record.written for record in reading.records] == ["Ico", "Rez"]
    assert (reading.broken, list(reading.notes)) == ([], ["These columns were left out: `Mood`."])


def test_bad_rows_are_set_aside_with_their_line_and_a_sentence() -> None:
    text = (
        'title,hours,finished\nIco,3,\n"=HYPERLINK(""x"")",1,\nRez,many,\nTunic,1,someday\n,5,\n'
        '"Two\nlines",2,\nDoom,999999999999,\n'
    )

    reading = read(text)

    assert [(record.line, record.written) for record in reading.records] == [(2, "Ico"), (7, "Two lines")]
    assert [(each.line, each.reason.split(";")[0]) for each in reading.broken] == [
        (3, '“=HYPERLINK("x")” is a formula, no title'),
        (4, "“many” is no time played"),
        (5, "“someday” is no date"),
        (6, "it has no title"),
        (9, "“999999999999” is longer than anybody has played"),
    ]


def test_a_quotation_mark_that_is_never_closed_costs_its_own_line() -> None:
    reading = read('title,notes\nIco,"open\nRez,x\nTunic,y\n')

    assert [record.written for record in reading.records] == ["Rez", "Tunic"]
    assert [(each.line, each.reason) for each in reading.broken] == [
        (2, "a quotation mark is opened in this line and never closed")
    ]


def test_a_cell_longer_than_any_and_a_row_of_a_million_cells_cost_nothing_else() -> None:
    reading = read(f"title,notes\nIco,{'x' * 140_000}\nRez{',' * 1_000_000}\nTunic,y\n")

    assert [record.written for record in reading.records] == ["Rez", "Tunic"]
    assert [each.line for each in reading.broken] == [2]


def test_nul_between_fields_is_left_out() -> None:
    assert read(b"title,hours\nI\0co,3\n").records[0].written == "Ico"


def test_a_status_that_nobody_knows_is_left_out_and_said() -> None:
    reading = read("title,status\nIco,Gathering dust\nRez,In progress\n")

    assert [record.status for record in reading.records] == [None, "playing"]
    assert "“Gathering dust” (1)" in reading.notes[0]


def test_a_column_of_steams_ids_says_the_store_too() -> None:
    (record,) = read("appid,name\n620,Portal 2\n").records

    assert (record.store, record.external_id, record.ownership) == ("steam", "620", "owned")
