"""Fuzz one parser under coverage guidance, in a process of its own: atheris never returns, and fills its memory.

    python -m tests.fuzzing.instrumented PARSER SEED RUNS FOLDER

keeps in the folder what it has found (`faults/`), the inputs that reached something new (`inputs/`), and how many it
has tried (`done`), so that another process goes on there.
"""

import logging
import os
import random
import sys
from pathlib import Path

import atheris

from tests.fuzzing.faults import Faults
from tests.fuzzing.mutation import MOST_BYTES, mutated

SAVE_EVERY = 10_000
# The rest of the time libFuzzer's own mutations, which know what comparisons the code makes.
OUR_SHARE = 0.7


def main(name: str, seed: int, runs: int, folder: Path) -> None:
    """Try inputs until there were `runs` of them in all."""
    with atheris.instrument_imports(include=["pipeline", "models", "feeds", "notifiers", "zipfile", "tarfile", "csv"]):
        from tests.fuzzing.parsers import all_parsers, fault_of

    logging.disable(logging.CRITICAL)
    parser, dice = all_parsers()[name], random.Random(seed)  # noqa: S311 - the same run for the same seed
    faults, counted = Faults(folder), folder / "done"
    done = int(counted.read_text()) if counted.exists() else 0

    def try_one(data: bytes) -> None:
        nonlocal done
        if (fault := fault_of(parser, data)) is not None:
            faults.keep(data, fault)
        done += 1
        if done % SAVE_EVERY == 0 or done >= runs:
            counted.write_text(str(done))
        if done >= runs:
            # libFuzzer's own count is another after a process that was stopped.
            os._exit(0)

    def mutate(data: bytes, size: int, dice_of_libfuzzer: int) -> bytes:
        dice.seed(dice_of_libfuzzer)
        if data and dice.random() < OUR_SHARE:
            return mutated(dice, data, parser.seeds)[:size]
        return bytes(atheris.Mutate(data, size))

    inputs = folder / "inputs"
    inputs.mkdir(exist_ok=True)
    for number, data in enumerate(parser.seeds):
        (inputs / f"real-{number}").write_bytes(data)
    options = [f"-seed={seed % 2**31 or 1}", f"-max_len={MOST_BYTES}", "-verbosity=0", "-timeout=60"]
    atheris.Setup([sys.argv[0], *options, str(inputs)], try_one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
