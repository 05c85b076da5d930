"""Files on their way to Meta: handed over as a form, then sent by their id."""

import pytest
from pydantic import SecretStr

from tests.providers.test_meta_client import BASE, TOKEN, failure, graph_error, run
from workers.providers.meta.content import Content


def upload(graph):
    return graph.upload(
        "111", token=SecretStr(TOKEN), kind="image", content=b"bytes", mime_type="image/png"
    )


def test_a_file_is_handed_over_as_a_form_and_neither_token_nor_name_is_in_the_address():
    taken, (request,) = run(upload, {"attachment_id": "1857777774821032"})

    assert taken == "1857777774821032"
    assert str(request.url) == f"{BASE}/v26.0/111/message_attachments"
    body = request.content
    assert b'{"attachment": {"type": "image", "payload": {"is_reusable": true}}}' in body
    assert b'filename="file.png"\r\nContent-Type: image/png\r\n\r\nbytes' in body
    assert TOKEN.encode() in body


def test_a_file_that_meta_cannot_take_is_refused():
    assert failure(graph_error(100, 2018047), upload).code == "attachment_refused"


@pytest.mark.parametrize(
    ("content", "message", "purpose"),
    [
        (Content(text="hi"), {"text": "hi"}, {"messaging_type": "RESPONSE"}),
        (
            Content(kind="image", attachment_id="77"),
            {"attachment": {"type": "image", "payload": {"attachment_id": "77"}}},
            {"messaging_type": "RESPONSE"},
        ),
        (
            Content(text="hi", human_agent=True),
            {"text": "hi"},
            {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"},
        ),
    ],
)
def test_what_a_reply_carries_and_why_it_may_go(content, message, purpose):
    assert content.message() == message
    assert content.purpose() == purpose
