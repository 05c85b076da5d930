"""What the check for card numbers takes for one, and what not."""

import json

import pytest

from cli.policy_checks.cards import cards_in

CARD = "4242424242424242"


@pytest.mark.parametrize("text", [CARD, "4242 4242 4242 4242", json.dumps({"memo": CARD})])
def test_a_card_number_is_found(text):
    assert cards_in(text) == 1


def test_the_digest_of_rows_in_a_plan_is_none_but_what_stands_beside_it_is():
    plan = [{"table": "public.notes", "delete": 1, "digest": CARD}]

    assert cards_in(json.dumps(plan)) == 0
    assert cards_in(json.dumps([*plan, {"retention": CARD}])) == 1


def test_digits_that_fail_the_check_or_belong_to_an_id_are_none():
    assert cards_in("4242424242424241") == 0
    assert cards_in(f"id-{CARD}") == 0
