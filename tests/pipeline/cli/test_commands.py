"""The list of commands, which the help reads without loading the commands."""

import pytest

from pipeline.cli.commands import COMMANDS, load_command
from tests.pipeline.cli.operator import Operator


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_sentence_of_its_own_help(name: str) -> None:
    command = load_command(name)
    assert command.name == name
    assert COMMANDS[name].help == command.help.strip().splitlines()[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_shows_its_own_help(operator: Operator, name: str) -> None:
    result = operator.run(name, "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: lootwire {name} ")
