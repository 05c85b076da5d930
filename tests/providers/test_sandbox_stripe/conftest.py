"""A served stand-in and a receiver of its webhooks."""

import pytest

from sandbox.embedded import receiving
from tests.teller import open_till


@pytest.fixture(scope="module")
def served():
    with receiving() as inbox, open_till(f"{inbox.url}/webhooks/stripe") as till:
        yield till, inbox


@pytest.fixture
def till(served):
    served[0].reset()
    served[1].clear()
    return served[0]


@pytest.fixture
def inbox(served):
    return served[1]
