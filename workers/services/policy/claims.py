"""Loading the claims and the findings, and refusing files that would let something go unproven."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workers.core.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

Language = Literal["en", "fr"]
Words = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
Dotted = Annotated[str, Field(pattern=r"^[a-z][a-z_]*\.[a-z][a-z_]*$")]


class ClaimsWrong(Malformed):
    """The files of the claims contradict themselves or leave something unproven."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Section(_Record):
    """A heading of the page."""

    id: Name
    en: Words
    fr: Words

    def title(self, language: Language) -> str:
        """Return the heading in a language."""
        return self.en if language == "en" else self.fr


class Claim(_Record):
    """One sentence, in our own words, with the names of the checks that prove it.

    `on_page` is false where only the law or a provider expects the sentence to be true.
    """

    id: Dotted
    section: Name
    en: Words
    fr: Words
    on_page: bool = True
    checks: tuple[Dotted, ...]
    unprovable: Words | None = None

    @model_validator(mode="after")
    def _has_proof_or_reason(self) -> Claim:
        if bool(self.checks) == (self.unprovable is not None):
            raise ValueError("has either checks, or says under `unprovable` why there are none")
        if len(set(self.checks)) != len(self.checks):
            raise ValueError("names a check twice")
        if self.id.partition(".")[0] != self.section:
            raise ValueError("has an id that does not begin with its section")
        return self

    def text(self, language: Language) -> str:
        """Return the sentence in a language."""
        return self.en if language == "en" else self.fr


class Finding(_Record):
    """What has to be reworded or added, why, and the words that are proposed.

    The words may hold `{title}`, `{contact}` and `{deletion_page}`, for whoever writes the page.
    `replaces` says that they stand in for the sentence of the one claim that is named.
    """

    number: int = Field(gt=0)
    id: Name
    section: Name
    claims: tuple[Dotted, ...]
    replaces: bool = False
    source: Words
    finding: Words
    en: Words
    fr: Words

    @model_validator(mode="after")
    def _replaces_one(self) -> Finding:
        if self.replaces and len(self.claims) != 1:
            raise ValueError("replaces the sentence of exactly one claim, or of none")
        return self

    def proposed(self, language: Language) -> str:
        """Return the proposed words in a language."""
        return self.en if language == "en" else self.fr


class Claims(_Record):
    """Everything the page says, in its order; `version` is the published page that is meant."""

    version: Words
    sections: tuple[Section, ...]
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> Claims:
        sections = [section.id for section in self.sections]
        claims = [claim.id for claim in self.claims]
        for what, names in (
            ("section", sections),
            ("claim", claims),
            ("finding", [finding.id for finding in self.findings]),
        ):
            if twice := [name for name, count in Counter(names).items() if count > 1]:
                raise ValueError(f"{what} {twice[0]} is there twice")
        if [finding.number for finding in self.findings] != [*range(1, len(self.findings) + 1)]:
            raise ValueError("findings are numbered from one, without a gap")
        _known("section", {claim.section for claim in self.claims}, sections)
        _known("section", {finding.section for finding in self.findings}, sections)
        _known("claim", {name for finding in self.findings for name in finding.claims}, claims)
        return self

    def find(self, claim_id: str) -> Claim | None:
        """Find a claim by its id."""
        return next((claim for claim in self.claims if claim.id == claim_id), None)

    def of(self, section_id: str) -> list[Claim]:
        """List the claims of a section, in the page's order."""
        return [claim for claim in self.claims if claim.section == section_id]

    def findings_of(self, claim_id: str) -> list[Finding]:
        """List what has been found about a claim's sentence."""
        return [finding for finding in self.findings if claim_id in finding.claims]

    def checks(self) -> set[str]:
        """Name every check that some claim rests on."""
        return {check for claim in self.claims for check in claim.checks}


def _known(what: str, named: Iterable[str], there: Iterable[str]) -> None:
    if missing := sorted(set(named) - set(there)):
        raise ValueError(f"{what} {missing[0]} is named and not there")


def parse_claims(claims: str, findings: str) -> Claims:
    """Read both files' text; raises ClaimsWrong with the place and the rule that is broken."""
    try:
        return Claims.model_validate(tomllib.loads(claims) | tomllib.loads(findings))
    except tomllib.TOMLDecodeError as error:
        raise ClaimsWrong(f"the claims are not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the files"
        raise ClaimsWrong(f"the claims are wrong at {place}: {first['msg']}") from error


@cache
def load_claims() -> Claims:
    """Read the claims of this installation, once."""
    here = files("workers.services.policy")
    return parse_claims(
        (here / "claims.toml").read_text(encoding="utf-8"),
        (here / "findings.toml").read_text(encoding="utf-8"),
    )
