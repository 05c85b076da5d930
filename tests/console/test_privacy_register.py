"""`connext privacy incident` and `retention`: the register, and what is past its time."""

import json

OPENED = (
    "privacy", "incident", "open", "--information", "e-mail addresses", "--circumstances", "wrong list",
    "--occurred", "2026-05-03T09:00:00", "--persons", "12", "--json",
)  # fmt: skip


def test_an_incident_is_opened_assessed_closed_and_exported(operated):
    made = operated(*OPENED).json
    assert operated("privacy", "incident", "close", made["id"], "--measures", "m").code == 1
    told = (
        "--authority-notified",
        "2026-05-04T09:00:00",
        "--persons-notified",
        "2026-05-04T10:00:00",
    )
    assert (
        operated(
            "privacy",
            "incident",
            "assess",
            made["id"],
            "--serious",
            "--reasons",
            "bank data",
            *told,
        ).code
        == 0
    )
    assert operated("privacy", "incident", "close", made["id"], "--measures", "m").code == 0

    (listed,) = operated("privacy", "incident", "list", "--json").json
    (exported,) = json.loads(operated("privacy", "incident", "export").out)
    assert (listed["standing"], exported["persons"]) == ("closed", 12)


def test_an_overdue_notice_makes_the_list_fail(operated):
    operated(*OPENED, "--aware", "2026-05-03T09:00:00")

    assert operated("privacy", "incident", "list").code == 1


def test_an_unknown_incident_is_not_found(operated):
    assert (
        operated(
            "privacy",
            "incident",
            "close",
            "0" * 8 + "-0000-0000-0000-" + "0" * 12,
            "--measures",
            "m",
        ).code
        == 1
    )


def test_nothing_past_its_time_is_nothing_to_do_and_a_dry_run_changes_nothing(operated):
    assert operated("privacy", "retention", "run", "--dry-run").code == 0
    assert operated("privacy", "retention", "run", "--yes").code == 3
    assert operated("privacy", "retention", "run").code == 4
