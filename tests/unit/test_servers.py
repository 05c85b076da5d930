"""`CONNEXT_TEST_DB` chooses the server of the tests; what cannot be had is said."""

from __future__ import annotations

import pytest

from cli.embedded.cluster import SETTINGS, VOLATILE, Cluster
from tests.servers import IMAGE, Container, Existing, NoServer, chosen, command

LOCAL = "postgresql://postgres:x@127.0.0.1:5433/postgres"


@pytest.mark.parametrize("asked", [{}, {"CONNEXT_TEST_DB": ""}, {"CONNEXT_TEST_DB": "embedded"}])
def test_the_embedded_server_is_the_default(tmp_path, asked):
    made = chosen(asked, tmp_path, "word")

    assert isinstance(made, Cluster)
    assert (made.password, made.durable) == ("word", False)


def test_a_container_is_of_the_image_that_is_asked_for(tmp_path):
    made = chosen({"CONNEXT_TEST_DB": "container"}, tmp_path, "word")
    other = chosen(
        {"CONNEXT_TEST_DB": "container", "CONNEXT_TEST_IMAGE": "postgres:17-alpine"}, tmp_path, "w"
    )

    assert isinstance(made, Container)
    assert (made.image, other.image) == (IMAGE, "postgres:17-alpine")


def test_a_container_without_testcontainers_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "testcontainers.core.container", None)

    with pytest.raises(NoServer, match="container"):
        chosen({"CONNEXT_TEST_DB": "container"}, tmp_path, "word").start()


def test_a_container_keeps_its_own_places_and_takes_our_settings():
    words = command(SETTINGS | VOLATILE)

    assert words[0] == "postgres"
    assert "fsync=off" in words
    assert not [word for word in words if word.startswith(("listen_addresses=", "unix_socket"))]


def test_an_address_names_a_server_of_this_machine(tmp_path):
    made = chosen({"CONNEXT_TEST_DB": LOCAL}, tmp_path, "word")

    assert isinstance(made, Existing)
    assert made.port == 5433


@pytest.mark.parametrize(
    "asked",
    ["postgresql://postgres@db.example.com/postgres", "postgresql://postgres@10.0.0.7/x", "docker"],
)
def test_what_is_elsewhere_or_unknown_is_refused(tmp_path, asked):
    with pytest.raises(NoServer):
        chosen({"CONNEXT_TEST_DB": asked}, tmp_path, "word")
