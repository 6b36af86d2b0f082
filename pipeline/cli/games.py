"""Commands on games: `games show` tells how often campaigns come and when a reward was last on offer."""

from datetime import timedelta
from typing import Annotated

import msgspec
import typer

from pipeline.cli.output import JsonFlag, console, print_json, print_rows, show
from pipeline.cli.running import open_command
from pipeline.store.memory import find_game, game_history, offers

games = typer.Typer(help="What is known of games.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(games, name="games")


@games.callback()
def _games() -> None:
    """What is known of games."""


@games.command("show")
def show_game(
    name: Annotated[str, typer.Argument(help="The game's name.")],
    as_json: JsonFlag = False,
    limit: Annotated[int, typer.Option(min=1, help="How many rewards at most, those offered last.")] = 20,
) -> None:
    """Tell how often a game has campaigns, how long they last, and when each reward was last on offer."""
    with open_command().engine.connect() as connection:
        game_id = find_game(connection, name)
        history = game_history(connection, game_id)
        given = offers(connection, game_id, limit)
    if as_json:
        # Durations as seconds: ISO 8601 durations are read by few programs.
        seconds = {"lasts": _seconds(history.lasts), "every": _seconds(history.every)}
        print_json(msgspec.structs.asdict(history) | seconds | {"rewards": given})
        return
    console.print(f"{show(history.name)} ({', '.join(history.services)})", markup=False, style="bold")
    console.print(
        f"{history.campaigns} campaigns, {history.open} open; they come every {_words(history.every)} "
        f"and last {_words(history.lasts)} (medians)"
    )
    console.print(f"from {show(history.first_start_at)} to {show(history.last_end_at)} UTC\n")
    rows = [msgspec.structs.asdict(offer) for offer in given]
    print_rows(rows, as_json=False, columns=("reward", "service", "campaigns", "until", "last_campaign"), empty="")


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _words(duration: timedelta | None) -> str:
    if duration is None:
        return "(once so far)"
    hours = round(duration.total_seconds() / 3600)
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} days"
