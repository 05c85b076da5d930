"""In which order the processes of a run take the files, so that no processor waits for a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

# Their tests wait for other processes most of the time; e2e is one long test.
WAITING = ("tests/e2e/", "tests/process/", "tests/browser/")
SHORT = ("tests/providers/", "tests/unit/")  # what is left when the others come to their end


def in_turn(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Spread the files that wait evenly among those that compute; end with short ones."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    places = _places(list(files), {name: len(tests) for name, tests in files.items()})
    return [item for name in sorted(files, key=places.__getitem__) for item in files[name]]


def _places(names: list[str], tests: dict[str, int]) -> dict[str, tuple[float, str]]:
    """Give each file a place between 0 and 1 among its kind, those with most tests first."""
    waiting = [name for name in names if name.startswith(WAITING)]
    short = [name for name in names if name.startswith(SHORT)]
    busy = [name for name in names if name not in {*waiting, *short}]
    waiting.sort(key=lambda name: (not name.startswith(WAITING[0]), -tests[name], name))
    places = {name: (place / len(waiting), name) for place, name in enumerate(waiting)}
    for first, kind in ((0.0, busy), (1.0, short)):
        kind.sort(key=lambda name: (-tests[name], name))
        places |= {name: (first + n / len(kind), name) for n, name in enumerate(kind)}
    return places
