"""The book of the demo: what a step shows, and what a failure does."""

from __future__ import annotations

import pytest

from cli.errors import Failed
from cli.story import run
from cli.story.book import Book, NotProven, prove
from cli.story.stage import wait_for


def test_a_step_that_ends_is_proven_and_one_that_raises_is_not():
    told = []
    book = Book(tell=told.append)

    with book.step("water is wet") as step:
        step.seen = "3 drops"
    with pytest.raises(NotProven), book.step("pigs fly"):
        prove(fact=False, otherwise="0 pigs in the air")

    first, second = book.rows()
    assert (first["step"], first["proven"], first["seen"]) == (1, True, "3 drops")
    assert (second["step"], second["proven"]) == (2, False)
    assert second["seen"] == "NotProven: 0 pigs in the air"
    assert told[1].startswith("FAILED pigs fly")


def test_a_failed_step_makes_the_demo_fail_and_is_named(monkeypatch, capsys):
    def tell(book, folder, *, keep):
        folder.rmdir()
        try:
            with book.step("the sky is green"):
                prove(fact=False, otherwise="it is blue")
        except NotProven as problem:
            return problem
        return None

    monkeypatch.setattr(run, "_tell", tell)

    with pytest.raises(Failed, match="step 1 did not prove itself: the sky is green"):
        run.demo(as_json=True)

    assert '"proven": false' in capsys.readouterr().out


def test_waiting_gives_up_with_what_was_awaited():
    with pytest.raises(NotProven, match="the bus: not within 0 s"):
        wait_for("the bus", lambda: None, seconds=0)
