"""The pictures of README and docs, taken of a real run: `make pictures`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chromium import launched
from tests.stacks import connext

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LARGEST = 300_000  # bytes of one picture in the repository
WIDTH, HEIGHT = 1200, 1000


def main() -> int:
    """Run the demo, keep its stack for the privacy page, and photograph both."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="connext-pictures-") as folder:
        report = Path(folder) / "report.html"
        told = connext("demo", "--keep", "--json", "--report", str(report))
        data = told.stderr.rpartition("--data ")[2].split()[:1]
        try:
            if told.returncode != 0:
                sys.stderr.write(told.stderr)
                return 1
            site = json.loads(connext("status", "--json", "--data", *data).stdout)["receiver_url"]
            with launched() as browser:
                shoot(browser, report.as_uri(), "demo-report.png")
                shoot(
                    browser,
                    report.as_uri(),
                    "demo-claims.png",
                    at="h2:has-text('sentence by sentence')",
                )
                shoot(browser, f"{site}/privacy/en", "privacy-page.png")
                shoot(browser, f"{site}/privacy/fr", "privacy-page-phone.png", width=390)
        finally:
            if data:
                connext("down", "--data", *data)
    return 0


def shoot(
    browser: Browser, url: str, name: str, *, at: str | None = None, width: int = WIDTH
) -> None:
    """Take one picture of what a person sees first, or of where *at* is on top."""
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme="light")
    page.goto(url)
    if at is not None:
        page.locator(at).evaluate("e => e.scrollIntoView()")
    path = IMAGES / name
    page.screenshot(path=path)
    page.close()
    size = path.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{name} has {size:,} bytes; at most {LARGEST:,} belong in the repository")
    sys.stdout.write(f"{path.name}: {size:,} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
