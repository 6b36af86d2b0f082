"""Titles that somebody might give a video to harm whoever keeps its sound."""

import random
from collections.abc import Iterator


def hostile_titles() -> Iterator[str]:
    """1,000 titles: path tricks, markup, control and format characters, halves of pairs, and much too long ones."""
    dice = random.Random(16)  # noqa: S311 - the same ones each time
    pieces = [
        *(
            "../",
            "..\\",
            "/etc/passwd",
            "C:\\",
            "con",
            "nul.",
            "%(title)s",
            "%00",
            "$(id)",
            "`id`",
            ";rm -rf ~",
            "--exec",
            "-",
        ),
        *(
            "<script>alert(1)</script>",
            "]]>",
            "<!--",
            "&lt;b&gt;",
            "&#0;",
            "&#xD800;",
            "'",
            '"',
            "\\",
            "|",
            "#",
            "]]&gt;",
        ),
        *(
            "\0",
            "\r\n",
            "\n\n",
            "\t",
            "\x1b[2J",
            "\x07",
            "\x7f",
            "\x85",
            "\u2028",
            "\u202e",
            "\u200d",
            "\ufeff",
            "\ufffe",
        ),
        *(
            "\ud800",
            "\udfff",
            "\U0001f468\u200d\U0001f469",
            "e\u0301",
            "ﷺ",
            "Ω",
            "𝕏",
            "あ",
            "a" * 3000,
            " ",
            ".",
            "[ChapterS]\n",
        ),
    ]
    for _ in range(1000):
        yield "".join(dice.choices(pieces, k=dice.randint(1, 6)))
