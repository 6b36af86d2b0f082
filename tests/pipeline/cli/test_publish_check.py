"""`lootwire publish --check`: an operator's own look is tried before readers see it."""

from tests.pipeline.cli.operator import Operator


def test_publish_check_names_what_is_broken_and_writes_nothing(operator: Operator) -> None:
    own = operator.folder / "data/pages"

    assert "pages have the house's look" in operator.run("publish", "--check").out

    own.mkdir(parents=True)
    (own / "game.html.j2").write_text("<h1>\n{{ nothing_such }}</h1>")
    broken = operator.run("publish", "--check")
    assert broken.code == 3
    assert "game.html.j2, line 2: 'nothing_such' is undefined" in broken.errors

    (own / "game.html.j2").write_text('{% extends "house/game.html.j2" %}')
    mended = operator.run("publish", "--check")
    assert (mended.code, mended.out.strip()) == (0, "game.html.j2: every kind of page can be made with them")
    assert not (operator.folder / "data/public/index.html").exists()
