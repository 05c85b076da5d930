"""`python -m bench [NAME …] [--quick]`: run benchmarks, write bench/results.json.

A benchmark is a module of this package with `run(*, quick: bool) -> list[Row]`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from bench import results

FRAME = {"__init__", "__main__", "cluster", "results", "systems"}


def names() -> list[str]:
    """List the benchmarks there are."""
    here = Path(__file__).parent
    modules = sorted(path.stem for path in here.glob("*.py") if path.stem not in FRAME)
    return [m for m in modules if hasattr(importlib.import_module(f"bench.{m}"), "run")]


def main() -> int:
    """Run what was asked for; exit 1 when a goal was missed."""
    known = names()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(known)}; all without one")
    parser.add_argument("--quick", action="store_true", help="short rounds, small backlogs")
    asked = parser.parse_args()
    if unknown := set(asked.name) - set(known):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    missed = False
    for name in asked.name or known:
        rows = importlib.import_module(f"bench.{name}").run(quick=asked.quick)
        results.write(name, rows)
        sys.stdout.write(f"{name}\n{results.table(rows)}\n")
        missed = missed or not all(row.reached for row in rows)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
