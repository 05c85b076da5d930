"""What the documentation says is compared with what it is about."""

import os
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from cli import audit, exporting, journal, signing, support
from cli.reference import commands
from workers.core import settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SKIPPED = {"node_modules", "build", "dist", "__pycache__"}

RAISED = re.compile(r"errcode\s*=\s*'(CX\d{3})'", re.IGNORECASE)
DOCUMENTED = re.compile(r"^\| (CX\d{3}) \|", re.MULTILINE)
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:")
TARGET = re.compile(r"^([a-z][a-z0-9-]*):(?!=)", re.MULTILINE)
# In code only: "they make rows" is no target.
# What a page tells people to type: in a fence from the start of a line, or in code.
TYPED = re.compile(r"(?:^ *(?:\$ )?|`)connext ([a-z][^`\n]*)", re.MULTILINE)
ABSENT = re.compile(r"^Not here yet:.*$", re.MULTILINE)
COMMAND = re.compile(r"^[a-z][a-z-]*$")
CALLED = re.compile(r"(?:`|^)make ([a-z][a-z0-9-]*)", re.MULTILINE)


def pages():
    for where, inside, names in os.walk(ROOT):
        inside[:] = [n for n in inside if n not in SKIPPED and not n.startswith(".")]
        yield from (Path(where, name) for name in sorted(names) if name.endswith(".md"))


def links(text):
    return [link for link in LINK.findall(FENCE.sub("", text)) if not ELSEWHERE.match(link)]


def anchors(text):
    """The anchors that a page's headings get, as code hosts make them."""
    titles = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}


def dead_links(page, text):
    dead = []
    for link in links(text):
        name, _, anchor = link.partition("#")
        goal = (page.parent / name).resolve() if name else page
        there = goal.is_relative_to(ROOT) and goal.exists()
        if not there or (anchor and anchor not in anchors(goal.read_text())):
            dead.append(link)
    return dead


def variables(classes):
    """The environment variables of settings classes."""
    for role in classes:
        prefix = role.model_config.get("env_prefix") or ""
        for name, field in role.model_fields.items():
            alias = field.validation_alias
            yield alias if isinstance(alias, str) else f"{prefix}{name}".upper()


def settings_classes():
    return [
        value
        for value in vars(settings).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value is not BaseSettings
    ]


def test_every_code_the_migrations_raise_is_documented_and_no_other():
    migrations = sorted((ROOT / "supabase" / "migrations").glob("*.sql"))
    raised = {code for path in migrations for code in RAISED.findall(path.read_text())}
    documented = DOCUMENTED.findall((DOCS / "errors.md").read_text())

    assert raised
    assert sorted(documented) == sorted(raised)


def test_every_code_a_comment_promises_is_documented():
    migrations = (ROOT / "supabase" / "migrations").glob("*.sql")
    promised = {code for path in migrations for code in re.findall(r"CX\d{3}", path.read_text())}
    documented = set(DOCUMENTED.findall((DOCS / "errors.md").read_text()))

    assert promised - documented == set()


@pytest.mark.parametrize("page", list(pages()), ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    assert dead_links(page, page.read_text()) == []


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("see [the way](docs/nowhere.md)", ["docs/nowhere.md"]),
        ("see [the way](../elsewhere.md)", ["../elsewhere.md"]),
        ("see [the way](docs/errors.md#nothing-of-the-kind)", ["docs/errors.md#nothing-of-the-kind"]),
        ("see [the way](docs/errors.md#codes-on-a-message)", []),
        ("see [the way](https://example.com/nowhere.md)", []),
        ("```\n[no](link.md)\n```", []),
    ],
)  # fmt: skip
def test_a_dead_link_is_told_from_a_living_one(text, dead):
    assert dead_links(ROOT / "README.md", text) == dead


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/operations.md"])
def test_every_make_target_that_a_page_names_exists(page):
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    targets |= {f"bench-{path.stem}" for path in (ROOT / "bench").glob("[a-z]*.py")}
    named = set(CALLED.findall((ROOT / page).read_text()))

    assert named
    assert named - targets == set()


KNOWN = dict(commands())


def unknown_words(line):
    """What of a command line the console does not know: a command's name, or an option."""
    words, called = line.split(), "connext"
    while words and hasattr(KNOWN[called], "commands") and COMMAND.match(words[0]):
        called = f"{called} {words.pop(0)}"
        if called not in KNOWN:
            return [called]
    options = {
        name for option in KNOWN[called].params for name in option.opts + option.secondary_opts
    }
    named = [re.split(r"[=.,;:)]", word)[0] for word in words if word.startswith("--")]
    return [word for word in named if word not in options | {"--help"}]


@pytest.mark.parametrize("page", list(pages()), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists_with_its_options(page):
    # What runs after "&&" or "|", and what a comment or a second column says, is not the call.
    lines = [
        re.split(r"\s{3,}|\s(?:\||&&|#|<)\s?", line)[0]
        for line in TYPED.findall(ABSENT.sub("", page.read_text()))
    ]

    assert {line: unknown_words(line) for line in lines if unknown_words(line)} == {}


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("demo --report FILE", []),
        ("privacy request list --overdue", []),
        ("up --data DIR --port 1", []),
        ("policy render --lang fr --colour", ["--colour"]),
        ("privacy request dance", ["connext privacy request dance"]),
        ("dance", ["connext dance"]),
    ],
)
def test_a_command_that_does_not_exist_is_found(line, unknown):
    assert unknown_words(line) == unknown


def test_the_readme_names_the_two_commands():
    assert {"demo", "test"} <= set(CALLED.findall((ROOT / "README.md").read_text()))


def test_every_setting_is_documented_and_every_documented_one_exists():
    console = {"CONNEXT_DATA", journal.VARIABLE, support.TOKEN, exporting.FOLDER}
    console |= {signing.VARIABLE, audit.ANCHOR}  # the worker's too
    documented = re.findall(
        r"^\| `((?:CONNEXT|META|STRIPE|GOOGLE)_[A-Z_]+)` \|",
        (DOCS / "operations.md").read_text(),
        re.MULTILINE,
    )
    known = set(variables(settings_classes()))

    assert len(known) > 10
    assert set(documented) == known | console


def test_every_default_of_a_setting_is_the_documented_one():
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| [^|]+ \| `?([^|`]+?)`? \|", (DOCS / "operations.md").read_text(), re.MULTILINE
    )  # fmt: skip
    documented = dict(rows)
    for role in settings_classes():
        for field, name in zip(role.model_fields.values(), variables([role]), strict=True):
            default = None if field.is_required() else field.default
            if default is None:
                assert documented[name].startswith("none"), name
            else:
                assert documented[name] == str(default), name


def test_every_decision_is_listed_dated_and_whole():
    decisions = sorted((DOCS / "adr").glob("0*.md"))
    listed = (DOCS / "adr" / "README.md").read_text()

    assert [path.name[:4] for path in decisions] == [
        f"{n:04d}" for n in range(1, len(decisions) + 1)
    ]
    for path in decisions:
        text = path.read_text()
        assert f"({path.name})" in listed
        assert re.search(r"^Date: \d{4}-\d{2}-\d{2}$", text, re.MULTILINE), path.name
        wanted = ["Status", "Context", "Decision", "Consequences"]
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == wanted, path.name


def test_the_drawn_layers_are_those_that_are_checked():
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    drawn = (DOCS / "architecture.md").read_text().split("```mermaid")[1]
    names = dict(re.findall(r'^ *(\w+)\["([^"]+)"\]', drawn, re.MULTILINE))
    chain = re.search(r"^ *(main(?: --> \w+)+)$", drawn, re.MULTILINE).group(1).split(" --> ")

    assert [names[one].split(":")[0].removeprefix("workers.") for one in chain] == layers


def test_the_page_names_every_role_that_a_process_logs_in_as():
    from cli.embedded.project import WORKER_ROLES

    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "architecture.md").read_text(), re.MULTILINE)

    assert set(WORKER_ROLES) <= set(rows)


def test_every_test_that_the_security_page_names_exists():
    text = (DOCS / "security.md").read_text()
    named = set(re.findall(r"`(?:tests/)?((?:\w+/)*\w+\.(?:py|toml|txt))`", text))
    there = {path.name for path in (ROOT / "tests").rglob("*") if path.is_file()}

    assert len(named) > 10
    assert {Path(name).name for name in named} - there == set()
