"""Is there a card number anywhere? Columns by their names, values by the Luhn check."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cli.policy_checks.place import OURS
from cli.policy_checks.registry import check, judged
from cli.policy_checks.scan import scan

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

PREFILTER = "[2-6][0-9]{3}[ -]?[0-9]{4,6}[ -]?[0-9]{4,5}"
# An issuer's range, 13 to 19 digits, perhaps with blanks or dashes; not part of a longer word or id.
LOOKS = re.compile(
    r"(?<![\w.-])(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|3[47]\d{2}|6(?:011|4[4-9]\d|5\d{2}))"
    r"(?:[ -]?\d){9,15}(?![\w-])"
)
# The digest of rows in an erasure's plan: 64 random bits, which now and then look like a card.
DIGEST = re.compile(r'"digest": "-?\d{1,20}"')
# Ids at providers are digits too, and what people write to each other is theirs: neither is searched,
# except in everything of billing.
LEFT_OUT = """
    select c.table_name || '.' || c.column_name
    from privacy.catalog as c
    join privacy.catalog_tables as t on t.table_name = c.table_name
    where t.domain <> 'billing' and c.json_key = '' and (
        c.category in ('content', 'contact')
        or c.column_name ~ '(_id|_key|subject|topic)$'
        or c.table_name in ('queue.webhook_events', 'queue.unreadable_webhooks')
    )
"""


def passes_luhn(digits: str) -> bool:
    """Say whether the check digit fits (ISO/IEC 7812-1)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004


def cards_in(text: str) -> int:
    """Count what could be card numbers."""
    found = (re.sub(r"\D", "", match) for match in LOOKS.findall(DIGEST.sub("", text)))
    return sum(passes_luhn(digits) for digits in found)


@check("cards.columns")
def columns(place: Place) -> Verdict:
    """No column is made for a card: neither number, nor its last digits, code or expiry."""
    flaws = place.values(
        "select c.oid::regclass::text || '.' || a.attname from pg_attribute as a"
        " join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = any(%(ours)s) and a.attnum > 0 and c.relkind in ('r', 'p')"
        " and a.attname ~ '(^|_)(card|pan|cvc|cvv|last4|exp_month|exp_year)($|_)'",
        ours=OURS,
    )
    return judged("0 columns for cards", flaws)


@check("cards.numbers")
def numbers(place: Place) -> Verdict:
    """No stored text is a card number."""
    skip = frozenset(place.values(LEFT_OUT))
    found = scan(place, PREFILTER, skip=skip)
    flaws = sorted(
        {f"{table}.{column} holds one" for table, column, value in found.hits if cards_in(value)}
    )
    return judged(
        f"{found.said()}, 0 numbers that pass the check; {len(skip)} columns left out: ids at"
        " providers, and what people write to each other",
        flaws,
    )
