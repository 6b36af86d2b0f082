"""Runs a command line: says in one line what went wrong and what to do, never in a traceback."""

import os
import sys

import typer

from models.errors import UsageError
from pipeline.cli import INTERRUPTED
from pipeline.cli.commands import add_commands, make_group
from pipeline.cli.opening import MISUSED, at_the_end
from pipeline.runtime.output import errors

FAILED = 1

app = make_group(
    help="Watches drop campaigns, streams and releases, and tells you by feed, mail and chat.", add_completion=True
)
add_commands(app)


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code."""
    try:
        with at_the_end:
            return _run(arguments)
    except UnicodeEncodeError:
        if not (broken := [argument for argument in arguments if not _is_text(argument)]):
            raise
        errors.print(f"lootwire: {broken[0]!a} is no text in UTF-8", markup=False, soft_wrap=True)
        return MISUSED
    except Exception as error:
        # Imported late: it loads the errors of every part.
        from pipeline.runtime.problems import explain

        if (message := explain(error)) is None:
            raise
        errors.print(f"lootwire: {message}", markup=False, soft_wrap=True)
        return MISUSED if isinstance(error, UsageError) else FAILED


def _is_text(argument: str) -> bool:
    """Return whether an argument is text; Python keeps bytes that are none as lone surrogates."""
    return not any("\ud800" <= c <= "\udfff" for c in argument)


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments or ["--help"], standalone_mode=False, prog_name="lootwire")
        sys.stdout.flush()
    except typer.TyperException as error:
        return _misused(error)
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        # Click and rich both turn a broken pipe into SystemExit(1).
        if not isinstance(error, BrokenPipeError) and not isinstance(error.__context__, BrokenPipeError):
            raise
        # The reader (`head`, say) has seen enough; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if code == INTERRUPTED:
        errors.print("stopped")
    return code if isinstance(code, int) else 0


def _misused(error: typer.TyperException) -> int:
    """Print in one line what is wrong with a command line; Typer itself prints several."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "lootwire"
    message = error.format_message().replace("Value error, ", "").rstrip(".")
    if message.startswith("Usage: "):
        # A group was called without a command: Typer answers with its help.
        errors.print(message, markup=False, soft_wrap=True)
        return error.exit_code
    errors.print(f"lootwire: {message}; see `{command} --help`", markup=False, soft_wrap=True)
    return error.exit_code
