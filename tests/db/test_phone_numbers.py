"""Phone numbers: what the database makes of them, against phonenumbers."""

from __future__ import annotations

import phonenumbers
import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from tests.shop import refused, value

# What one rolled-back transaction answers does not depend on what it answered before.
quick = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

NORMALIZE = "select private.normalize_phone(%s, %s)"
LENGTHS = {"CA": 10, "US": 10, "FR": 9, "GB": 10}


def numbers(country: str) -> st.SearchStrategy[str]:
    """National numbers of a country, as many of them plausible as not."""
    known = [
        str(phonenumbers.example_number_for_type(country, kind).national_number)
        for kind in (0, 1, 3)
    ]
    length = LENGTHS[country]
    return st.one_of(
        st.builds(
            lambda number, end: number[: -len(end)] + end,
            st.sampled_from(known),
            st.text("0123456789", min_size=1, max_size=7),
        ),
        st.text("0123456789", min_size=length, max_size=length),
    )


def normalized(db: psycopg.Connection, text: str, country: str) -> str | None:
    """Return what the database makes of *text*, None when it refuses with CX006."""
    try:
        with db.transaction():
            return value(db, NORMALIZE, [text, country])
    except psycopg.Error as error:
        if error.sqlstate != "CX006":
            raise
        return None


@pytest.mark.parametrize("country", LENGTHS)
def test_a_valid_number_in_any_usual_writing_becomes_the_e164_of_phonenumbers(db, country):
    @quick
    @given(number=numbers(country), form=st.sampled_from([0, 1, 2, 3]))
    def check(number, form):
        try:
            parsed = phonenumbers.parse(number, country)
        except phonenumbers.NumberParseException:
            reject()
        assume(phonenumbers.is_valid_number(parsed))
        # phonenumbers lets Dominican exchanges begin with 0 and 1; the numbering plan does not.
        assume(parsed.country_code != 1 or str(parsed.national_number)[3] not in "01")
        written = (
            number
            if form == 3
            else phonenumbers.format_number(
                parsed,
                (
                    PhoneNumberFormat.E164,
                    PhoneNumberFormat.INTERNATIONAL,
                    PhoneNumberFormat.NATIONAL,
                )[form],
            )
        )
        e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        assert normalized(db, written, country) == e164

    check()


@pytest.mark.parametrize("country", LENGTHS)
def test_whatever_is_accepted_is_what_phonenumbers_reads(db, country):
    @quick
    @given(
        st.one_of(
            numbers(country),
            st.builds(str.__add__, st.sampled_from(["+", "00", "011", "0", "1"]), numbers(country)),
            st.text("+0123456789 -()./\u00a0\uff11", max_size=20),
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        )
    )
    def check(text):
        accepted = normalized(db, text, country)
        if accepted is not None:
            read = phonenumbers.parse(text, country)
            assert phonenumbers.format_number(read, PhoneNumberFormat.E164) == accepted
            assert phonenumbers.is_possible_number(read)

    check()


@pytest.mark.parametrize(
    "text",
    ["555-0123", "911", "514-055-0123", "114-555-0123", "211-555-0123", "514-555-0123 x12",
     "1-800-FLOWERS", "+999 123 456 789", "+1 514 555 012", "+", "", None],
)  # fmt: skip
def test_an_incomplete_or_ambiguous_number_is_refused_without_repeating_it(db, text):
    error = refused(db, "CX006", NORMALIZE, [text, "CA"])

    assert len(text or "") < 3 or text not in str(error)
