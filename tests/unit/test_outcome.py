"""What an attempt means for its job."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.core.errors import (
    Ambiguous,
    Malformed,
    NotConfigured,
    Permanent,
    RateLimited,
    Reauthorize,
    Refused,
    Rejected,
    Tampered,
    Transient,
    Unavailable,
)
from workers.jobqueue.outcome import (
    BACKOFF_BASE,
    BACKOFF_CAP,
    LONGEST_REQUESTED_DELAY,
    Dead,
    Parked,
    Retry,
    after_failure,
)


def decided(error, *, attempt=1, max_attempts=10, jitter=0.0):
    return after_failure(error, attempt=attempt, max_attempts=max_attempts, jitter=lambda: jitter)


fractions = st.floats(0, 1, exclude_max=True)


@given(attempt=st.integers(1, 99), jitter=fractions)
def test_delays_are_at_least_the_base_and_at_most_the_cap(attempt, jitter):
    outcome = decided(Transient("x"), attempt=attempt, max_attempts=100, jitter=jitter)

    assert isinstance(outcome, Retry)
    assert BACKOFF_BASE <= outcome.delay <= BACKOFF_CAP


@given(attempt=st.integers(1, 98), jitter=fractions)
def test_a_later_attempt_never_waits_less_for_the_same_throw(attempt, jitter):
    sooner, later = (
        decided(Transient("x"), attempt=n, max_attempts=100, jitter=jitter)
        for n in (attempt, attempt + 1)
    )

    assert sooner.delay <= later.delay


@given(asked=st.timedeltas(timedelta(), timedelta(days=3)), jitter=fractions)
def test_a_rate_limited_job_never_returns_earlier_than_asked_up_to_a_day(asked, jitter):
    outcome = decided(RateLimited("slow down", retry_after=asked), jitter=jitter)

    assert outcome.delay >= min(asked, LONGEST_REQUESTED_DELAY)
    assert outcome.delay <= max(BACKOFF_CAP, LONGEST_REQUESTED_DELAY + BACKOFF_BASE)


def test_a_negative_retry_after_is_an_ordinary_delay():
    outcome = decided(RateLimited("x", retry_after=timedelta(seconds=-5)))

    assert outcome.delay >= BACKOFF_BASE


def test_jitter_spreads_over_the_whole_range():
    lowest = decided(Transient("x"), attempt=5, jitter=0)
    highest = decided(Transient("x"), attempt=5, jitter=0.999_999)

    assert lowest.delay == BACKOFF_BASE
    assert highest.delay > BACKOFF_BASE * 31


@pytest.mark.parametrize(
    "error",
    [
        Permanent("x"),
        Rejected("x"),
        Malformed("x"),
        Refused("x"),
        Tampered("x"),
        Ambiguous("the message may have been sent"),
    ],
)
def test_what_cannot_work_dies_at_the_first_attempt(error):
    assert isinstance(decided(error), Dead)


@pytest.mark.parametrize("error", [Transient("x"), Unavailable("x"), KeyError("x")])
def test_the_last_attempt_is_the_last(error):
    assert isinstance(decided(error, attempt=9), Retry)
    assert isinstance(decided(error, attempt=10), Dead)


@pytest.mark.parametrize("error", [Reauthorize("token dead"), NotConfigured("X", "is not set")])
def test_waiting_for_a_person_burns_no_attempts(error):
    outcome = decided(error, attempt=10)

    assert isinstance(outcome, Parked)
    assert outcome.delay > timedelta()


def test_the_reason_of_our_errors_is_their_message():
    assert decided(Rejected("Meta said no")).reason == "Rejected: Meta said no"


def test_the_reason_of_a_bug_is_its_type_and_place_but_not_its_text():
    try:
        int("+1 514 555 0123 owes money")
    except ValueError as error:
        reason = decided(error).reason

    assert reason.startswith("ValueError at ")
    assert "test_outcome.py" in reason
    assert "owes" not in reason
