"""The browser that `make browser` unpacked, driven by Playwright."""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

FOLDER = Path(__file__).parent / "browser" / "node_modules"
HOME = FOLDER / ".chromium"
MACHINE = ("Linux", "x86_64")
# It shows pages of ours only, and its own sandbox is not to be had in a container or as root.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


@contextmanager
def launched() -> Iterator[Browser]:
    """Run the browser; where it cannot run, the test says why and is left out."""
    found = (platform.system(), platform.machine())
    if found != MACHINE:
        pytest.skip(f"the packed browser runs on {'/'.join(MACHINE)}; this is {'/'.join(found)}")
    if not (HOME / "chromium").exists():
        pytest.fail("the browser is missing: run 'make browser'", pytrace=False)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=HOME / "chromium",
            args=list(ARGUMENTS),
            # Its own libraries and fonts: what the machine has makes no difference.
            env={
                **os.environ,
                "LD_LIBRARY_PATH": str(HOME / "lib"),
                "FONTCONFIG_FILE": str(HOME / "fonts.conf"),
            },
        )
        yield browser
        browser.close()


def axe() -> str:
    """Return the script of the accessibility rules."""
    return (FOLDER / "axe-core" / "axe.min.js").read_text()
