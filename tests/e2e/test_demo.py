"""`connext demo`: the whole story on real parts, as README tells people to run it."""

from __future__ import annotations

import json

from tests.stacks import connext


def test_every_step_of_the_story_proves_itself():
    told = connext("demo", "--json")

    assert told.returncode == 0, told.stderr[-3000:]
    story = json.loads(told.stdout)
    assert story["proven"] is True
    assert [step["step"] for step in story["steps"]] == list(range(1, len(story["steps"]) + 1))
    assert len(story["steps"]) >= 15
    assert all(step["proven"] and step["seen"] for step in story["steps"])
