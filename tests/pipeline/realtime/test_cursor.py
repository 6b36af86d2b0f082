"""Cursors are words that only we make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import UsageError
from pipeline.realtime.cursor import Cursor, read_cursor

CURSORS = st.builds(
    Cursor,
    st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=1, max_size=32),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**63 - 1),
)


@given(CURSORS)
def test_a_cursor_comes_back_from_its_word(cursor: Cursor) -> None:
    assert read_cursor(str(cursor)) == cursor


@pytest.mark.parametrize(
    "word", ["", "a-1", "a-1-1-1", "A-1-1", "a--1-1", "a-1-x", f"a-{2**64}-1", f"a-1-{2**63}", "a-1-١", "a-1-1\n"]
)
def test_what_is_no_cursor_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="no cursor"):
        read_cursor(word)
