"""How long the console takes to say what it can do, beside the smallest Typer program."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.results import Row, at_most, below

ROOT = Path(__file__).resolve().parents[1]
FULL, QUICK = 20, 5  # pairs
HELLO = """
import typer

app = typer.Typer(rich_markup_mode=None)


@app.command()
def hello(name: str) -> None:
    print(name)


app()
"""


def run(*, quick: bool) -> list[Row]:
    """Run both in turns, so that a busy machine slows both; the medians count."""
    pairs = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="connext-bench-") as folder:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO)
        ours = [sys.executable, "-m", "cli", "--help"]
        theirs = [sys.executable, str(hello), "--help"]
        for command in (ours, theirs):
            _seconds(command)
        turns = [(_seconds(ours), _seconds(theirs)) for _ in range(pairs)]
    mine = statistics.median(our for our, _ in turns) * 1000
    ratio = statistics.median(our / their for our, their in turns)
    return [
        below("connext --help", mine, 300, "ms"),
        at_most("connext --help to the smallest Typer program", mine, mine / ratio, 1.5, "ms"),
    ]


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - began
