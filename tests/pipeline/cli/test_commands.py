"""The list of commands, which the help reads without loading the commands, and what all commands share."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest

from pipeline.cli.commands import COMMANDS, load_command
from tests.pipeline.cli.operator import Operator

NOUNS = (
    *("channels", "deliveries", "drops", "events", "feeds", "games", "games lists", "igdb"),
    *("journal", "library", "library platforms"),
    *("quarantine", "sources", "subscriptions", "targets", "templates"),
)


def words_of_commands(command: Any, *before: str) -> Iterator[tuple[str, ...]]:
    """Return the words of a command and of all below it."""
    words = (*before, command.name)
    yield words
    for below in getattr(command, "commands", {}).values():
        yield from words_of_commands(below, *words)


EVERY = [" ".join(words) for name in COMMANDS for words in words_of_commands(load_command(name))]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_sentence_of_its_own_help(name: str) -> None:
    command = load_command(name)
    assert command.name == name
    assert COMMANDS[name].help == command.help.strip().splitlines()[0]


@pytest.mark.parametrize("words", EVERY)
def test_a_command_shows_its_own_help_in_each_way_that_people_ask_for_it(operator: Operator, words: str) -> None:
    result = operator.run(*words.split(), "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: lootwire {words} ")
    assert operator.run(*words.split(), "-h") == result
    assert operator.run("help", *words.split()) == result


@pytest.mark.parametrize("words", ["", *EVERY])
def test_a_help_cuts_no_description(operator: Operator, words: str) -> None:
    _usage, *lines = operator.run(*words.split(), "--help").out.splitlines()
    assert [line for line in lines if line.endswith(("...", "…"))] == []


@pytest.mark.parametrize("words", EVERY)
def test_an_option_that_no_command_has_is_wrong_usage(operator: Operator, words: str) -> None:
    result = operator.run(*words.split(), "--no-such-option")
    assert (result.code, result.out, result.errors.count("\n")) == (2, "", 1)
    assert "No such option: --no-such-option" in result.errors


def test_the_list_of_commands_has_groups_and_whole_sentences(operator: Operator) -> None:
    lines = operator.run("--help").out
    assert operator.run("-h").out == operator.run("help").out == operator.run().out == lines
    assert {listed.panel for listed in COMMANDS.values()} <= {line.rstrip(":") for line in lines.splitlines()}
    text = " ".join(lines.split())
    assert [name for name, listed in COMMANDS.items() if listed.help not in text] == []


def test_the_version_is_that_of_the_installed_package(operator: Operator) -> None:
    result = operator.run("--version")
    assert (result.code, result.out) == (0, f"lootwire {version('lootwire')}\n")


def test_a_command_that_does_not_exist_has_no_help(operator: Operator) -> None:
    result = operator.run("help", "target")
    assert (result.code, "No such command 'target'. Did you mean 'targets'?" in result.errors) == (2, True)


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_alone_lists_and_so_does_the_word_list_after_it(operator: Operator, noun: str) -> None:
    alone = operator.run(*noun.split())
    assert (alone.code, alone.errors) == (0, "")
    assert operator.run(*noun.split(), "list") == alone
    assert operator.run(*noun.split(), "list", "--json").out == operator.run(*noun.split(), "--json").out


@pytest.mark.parametrize("noun", ["sources", "games"])
def test_a_wish_for_json_before_the_word_list_is_heard(operator: Operator, noun: str) -> None:
    assert operator.run(noun, "--json", "list") == operator.run(noun, "list", "--json")
    assert operator.run(noun, "--json", "link" if noun == "games" else "logout").code == 2


@pytest.mark.parametrize(("typed", "offered"), [("lootwire targ", "targets"), ("lootwire targets pau", "pause")])
def test_a_shell_completes_commands(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, typed: str, offered: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_LOOTWIRE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    with pytest.raises(SystemExit) as ended:
        operator.run()
    assert (ended.value.code, capsys.readouterr().out.split()) == (0, [offered])
