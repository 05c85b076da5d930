"""How much of our allowance is used, from headers that may hold anything."""

import json
from datetime import timedelta

import httpx
import pytest

from workers.providers.meta.usage import Usage, usage


def test_usage_is_the_strictest_of_all_headers():
    headers = httpx.Headers(
        {
            "X-App-Usage": '{"call_count":28,"total_time":25,"total_cputime":85.5}',
            "X-Business-Use-Case-Usage": json.dumps(
                {
                    "1": [{"type": "pages", "call_count": 12}],
                    "2": [{"type": "messenger", "estimated_time_to_regain_access": 3}],
                }
            ),
        }
    )

    used = usage(headers)

    assert used == Usage(percent=85.5, pause=timedelta(minutes=3), of_app=85.5)
    assert used.is_high
    assert used.is_exhausted


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x-app-usage", "rubbish"),
        ("x-app-usage", '{"call_count":"many"}'),
        ("x-page-usage", '{"call_count":NaN}'),
        ("x-business-use-case-usage", "[1]"),
        ("x-unrelated", "1"),
    ],
)
def test_rubbish_in_usage_headers_is_no_usage(name, text):
    assert usage({name: text}) is None


def test_a_wild_pause_is_bounded():
    text = '{"1":[{"estimated_time_to_regain_access":1e300}]}'

    assert usage({"x-business-use-case-usage": text}).pause == timedelta(days=1)
