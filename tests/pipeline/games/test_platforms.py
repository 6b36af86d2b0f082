"""What platforms are called."""

import pytest

from pipeline.games.platforms import called, called_all


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("PC (Microsoft Windows)", "PC"),
        ("PC (Windows)", "PC"),
        ("ps2", "PlayStation 2"),
        ("Sony PlayStation 2", "PlayStation 2"),
        ("Xbox Series X|S", "Xbox Series X|S"),
        ("SNES", "Super Nintendo Entertainment System"),
        ("  Sharp   X68000 ", "Sharp X68000"),
        ("", ""),
    ],
)
def test_a_platform_has_one_name_however_it_is_written(written: str, name: str) -> None:
    assert called(written) == name


def test_several_are_named_once_each_in_their_order() -> None:
    assert called_all(["PS2", "", "Windows", "PlayStation 2"]) == ("PlayStation 2", "PC")
