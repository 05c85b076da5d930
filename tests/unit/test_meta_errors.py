"""What Meta's error codes mean: for good, for a while, or until a person connects again."""

import pytest

from workers.core.errors import Reauthorize
from workers.providers.meta import errors
from workers.providers.meta.models import GraphError


def meant(code, subcode=None, **more):
    said = {"code": code, "error_subcode": subcode, **more}
    return errors.meaning(GraphError.model_validate(said), action="send", pause=None)


@pytest.mark.parametrize(
    ("code", "subcode", "name"),
    [
        (10, 2018278, "window_closed"),
        (10, 2534022, "window_closed"),
        (10, 2018065, "not_allowed"),
        (10, 2018108, "recipient_unavailable"),
        (10, 1893063, "page_restricted"),
        (10, 2018300, "thread_owned_elsewhere"),
        (10, None, "not_allowed"),
        (200, 1545041, "recipient_unavailable"),
        (200, 2018028, "app_not_approved"),
        (551, None, "recipient_unavailable"),
        (551, 1545041, "recipient_unavailable"),
        (100, None, "invalid_request"),
        (100, 33, "recipient_unknown"),
        (100, 2018001, "recipient_unknown"),
        (100, 2018008, "attachment_refused"),
        (100, 36009, "code_refused"),
        (100, 2018218, "profile_unavailable"),
        (9000001, None, "message_deleted"),
        (368, None, "policy_block"),
        (613, 2018338, "abuse_warning"),
        (424242, None, "refused"),
    ],
)
def test_refusals_for_good_are_told_by_code(code, subcode, name):
    error = meant(code, subcode)

    assert isinstance(error, errors.Declined)
    assert error.code == name
    assert error.explanation == errors.EXPLANATIONS[name]


@pytest.mark.parametrize("subcode", [None, 458, 459, 460, 463, 467, 492])
@pytest.mark.parametrize("code", [190, 102])
def test_a_dead_token_asks_for_a_new_connection(code, subcode):
    assert isinstance(meant(code, subcode), Reauthorize)


def test_a_missing_permission_asks_for_a_new_connection():
    assert isinstance(meant(200), Reauthorize)
    assert isinstance(meant(299), Reauthorize)
    assert isinstance(meant(200, 999), errors.Declined)


@pytest.mark.parametrize("code", [1, 2, 99])
def test_metas_own_trouble_passes(code):
    assert isinstance(meant(code), errors.Hiccup)


def test_an_unknown_error_that_says_it_passes_is_believed():
    assert isinstance(meant(1200, is_transient=True), errors.Hiccup)
