"""`python -m tests.hygiene.secrets`: no file that is committed may hold a secret.

Two nets: the shapes that vendors give their keys, and quoted values that look random behind a name
that says secret. What is found and harmless is a line of `allowed_secrets.txt`, with its reason.
"""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = Path(__file__).with_name("allowed_secrets.txt")
LARGEST = 2_000_000  # bytes; nothing we write is larger
RANDOM = 3.5  # bits a character: words stay below, keys above
VERY_RANDOM = 4.3

SHAPES = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----\s*\S{20,}",
    "Stripe key": r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "Stripe webhook secret": r"\bwhsec_[A-Za-z0-9+/=]{24,}",
    "Meta token": r"\bEAA[A-Za-z0-9]{40,}",
    "Telnyx key": r"\bKEY[0-9A-F]{16,}_[A-Za-z0-9]{16,}",
    "Google key": r"\bAIza[A-Za-z0-9_-]{35}",
    "Supabase key": r"\bsb_secret_[A-Za-z0-9_-]{20,}|\bsbp_[a-f0-9]{40}",
    "signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    "AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub token": r"\bgh[opsur]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{50,}",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{20,}",
    "password in an address": r"\b[a-z][a-z0-9+]*://[^\s:/@'\"{}$<]+:(?P<value>[^\s:/@'\"{}$<]{6,})@[\w.-]+",
    "SCRAM verifier": r"SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]{16,}",
}
NAMED = re.compile(
    r"""(?i)(?:secret|token|passw(?:or)?d|api_?key|private_?key|credential)[\w-]*["']?\s*[:=]\s*"""
    r"""["']?(?P<value>[A-Za-z0-9+/_=.~!@#$%^&*-]{20,})["']?"""
)
# Looking for a word first is many times faster than trying a pattern everywhere.
HINTS = {
    "private key": ["-----BEGIN"],
    "Stripe key": ["k_live_", "k_test_"],
    "Stripe webhook secret": ["whsec_"],
    "Meta token": ["EAA"],
    "Telnyx key": ["KEY"],
    "Google key": ["AIza"],
    "Supabase key": ["sb_secret_", "sbp_"],
    "signed token": [".eyJ"],
    "AWS key": ["AKIA", "ASIA"],
    "GitHub token": ["gh", "github_pat_"],
    "Slack token": ["xox"],
    "password in an address": ["://"],
    "SCRAM verifier": ["SCRAM-SHA-256$"],
}
PATTERNS = [(name, HINTS[name], re.compile(shape)) for name, shape in SHAPES.items()]


@dataclass(frozen=True, slots=True)
class Found:
    """Something that looks like a secret; its value is never shown, only a mark of it."""

    path: str
    line: int
    kind: str
    mark: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: looks like a {self.kind} ({self.path} {self.mark})"


def entropy(text: str) -> float:
    """Measure how random a text is, in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def scan(path: str, text: str) -> list[Found]:
    """Find what looks like a secret in one file."""
    seen = {}
    for kind, hints, pattern in PATTERNS:
        for match in pattern.finditer(text) if any(hint in text for hint in hints) else ():
            seen.setdefault(match.start(), (kind, match.groupdict().get("value") or match[0]))
    for match in NAMED.finditer(text):
        value = match["value"]
        varied = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
        words = "." in value or "_" in value.strip("_")  # names of code: they are less random
        if varied and entropy(value) > (VERY_RANDOM if words else RANDOM):
            seen.setdefault(match.start("value"), ("secret by its name", value))
    return [
        Found(path, text.count("\n", 0, at) + 1, kind, mark(value))
        for at, (kind, value) in sorted(seen.items())
    ]


def mark(value: str) -> str:
    """Name a value without telling it."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def tree(root: Path = ROOT) -> list[str]:
    """List what git would commit: tracked files, and new ones that it does not ignore."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True,
    )  # fmt: skip
    return sorted(set(done.stdout.decode().split("\0")) - {""})


def allowed(text: str) -> dict[tuple[str, str], str]:
    """Read the list of what is harmless: a path, a mark and the reason."""
    lines = [line.split(None, 2) for line in text.splitlines() if line and line[0] != "#"]
    if short := [line for line in lines if len(line) < 3]:
        raise SystemExit(f"allowed_secrets.txt: no reason for {' '.join(short[0])}")
    return {(path, value): reason for path, value, reason in lines}


def look(root: Path = ROOT, listed: Path = ALLOWED) -> list[str]:
    """List what is found and not allowed, and what is allowed and no longer there."""
    harmless = allowed(listed.read_text())
    found = []
    for path in tree(root):
        file = root / path
        if file.is_file() and file.stat().st_size < LARGEST:
            found += scan(path, file.read_text(errors="replace"))
    unused = harmless.keys() - {(one.path, one.mark) for one in found}
    flaws = [str(one) for one in found if (one.path, one.mark) not in harmless]
    return flaws + [f"{path} {value}: is allowed and not there" for path, value in sorted(unused)]


def main() -> int:
    """Say what is wrong; exit 1 when something is."""
    flaws = look()
    for flaw in flaws:
        sys.stderr.write(f"{flaw}\n")
    if flaws:
        sys.stderr.write(
            "Take a real secret out and replace it at its vendor: history keeps it. What is"
            f" harmless is a line '<path> <mark> <reason>' in {ALLOWED.relative_to(ROOT)}.\n"
        )
    return int(bool(flaws))


if __name__ == "__main__":
    sys.exit(main())
