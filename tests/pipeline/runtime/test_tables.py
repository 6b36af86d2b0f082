"""Tables of text: columns go before letters do."""

import pytest

from pipeline.runtime.tables import UNPARTED, lay_out

NAMES = ("setting", "value", "origin")
SETTING = "LOOTWIRE_STREAMS_IN_CAMPAIGNS_POLL_SECONDS"
ADDRESS = "https://drops.example/games/gloomtide-01234567.rss.xml"
TEXT = "a text of several words that may stand in several lines"


def test_without_a_width_each_row_is_one_line() -> None:
    layout = lay_out(NAMES, [[SETTING, TEXT * 9, "default"], ["B", ADDRESS, "environment"]], None)

    assert layout.header.split() == list(NAMES)
    assert [line.split("  ")[0] for line in layout.lines] == [SETTING, "B"]
    assert layout.lines[0].endswith(f"{TEXT * 9}  default")
    assert not layout.left_out


@pytest.mark.parametrize("width", [110, 80, 40, 1])
def test_an_address_and_the_name_of_a_setting_stay_whole(width: int) -> None:
    layout = lay_out(NAMES, [[SETTING, ADDRESS, "default"], ["B", TEXT, "environment"]], width)

    assert any(SETTING in line for line in layout.lines)
    assert any(ADDRESS in line for line in layout.lines)


def test_texts_fold_between_words_before_a_column_goes() -> None:
    layout = lay_out(NAMES, [["A", TEXT, "default"]], 50)

    assert not layout.left_out
    assert len(layout.lines) > 1
    assert max(map(len, layout.lines)) <= 50
    assert " ".join(line[9:41].strip() for line in layout.lines).split() == TEXT.split()


def test_the_last_columns_go_where_folding_is_not_enough_and_are_named() -> None:
    layout = lay_out(NAMES, [[SETTING, "0123456789" * 3, "default"]], 80)

    assert layout.left_out == ("origin",)
    assert layout.header.split() == ["setting", "value"]


def test_a_column_that_is_needed_stays_and_only_its_long_values_are_longer_than_the_terminal() -> None:
    layout = lay_out(NAMES, [[SETTING, "default", ADDRESS], ["B", "default", "60"]], 80, needed=3)

    assert not layout.left_out
    assert layout.lines[0].endswith(f"  default  {ADDRESS}")
    assert len(layout.lines[1]) < 80


def test_what_is_written_without_spaces_may_be_parted_anywhere() -> None:
    title = "한국어제목이아주길고띄어쓰기가없는것"
    layout = lay_out(("title", "at"), [[title, "now"]], 30)

    assert len(layout.lines) == 2
    assert "".join(line.removesuffix("now") for line in layout.lines).replace(" ", "") == (title)


def test_a_time_stays_in_one_line() -> None:
    at = f"2026-05-01{UNPARTED}12:00"
    layout = lay_out(("title", "at"), [[TEXT, at]], 40)

    assert layout.lines[0].endswith("2026-05-01 12:00")
