"""Run all benches, or those that are named, and print one table of what they measured.

    uv run --frozen python -m bench [--tiny] [NAME ...]

Goes on after one that fails. The exit code is 1 where one crashed or, at full size, missed its goal. With `--tiny`
each takes seconds and asserts that it does what it says; `make check` runs them so.
"""

import argparse
import sys

from bench.running import load_benches, run_full, run_tiny


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="seconds of work each, with made-up data")
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them by default")
    arguments = parser.parse_args()
    benches = load_benches()
    names = arguments.names or list(benches)
    if unknown := sorted(set(names) - benches.keys()):
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(benches)}")
    failed = run_tiny({name: benches[name] for name in names}) if arguments.tiny else run_full(names)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
