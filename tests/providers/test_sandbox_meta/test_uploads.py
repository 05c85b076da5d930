"""The sandbox's Attachment Upload API: a file first, its message afterwards."""

import hashlib
import json

import pytest

from tests.providers.test_sandbox_meta.conftest import error_of

PNG = b"\x89PNG" + bytes(range(256))


def upload(stage, token, **how):
    payload = {"is_reusable": how.get("reusable", True)}
    attachment = {"attachment": {"type": how.get("kind", "image"), "payload": payload}}
    return stage.http.post(
        f"/v26.0/{how.get('page', stage.page)}/message_attachments",
        data={
            "message": json.dumps(attachment),
            "access_token": token,
            "appsecret_proof": stage.proof(token),
        },
        files={"filedata": ("file.png", how.get("content", PNG), how.get("mime", "image/png"))},
    )


def by_id(attachment_id, kind="image"):
    return {"attachment": {"type": kind, "payload": {"attachment_id": attachment_id}}}


def test_a_file_is_taken_and_sent_by_its_id(stage):
    token = stage.connected()
    stage.says()
    taken = upload(stage, token).json()["attachment_id"]

    answer = stage.send(token, message=by_id(taken))

    assert answer.status_code == 200
    (sent,) = stage.look("meta/sent")["messages"]
    assert sent["upload"]["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (sent["upload"]["size"], sent["upload"]["mime_type"]) == (len(PNG), "image/png")
    stage.control("meta/settle")
    echo = stage.webhooks()[-1]["entry"][0]["messaging"][0]["message"]
    assert echo["attachments"][0]["payload"]["url"].endswith(f"/_files/{taken}.png")


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"content": b""}, (400, 100, 2018047)),
        ({"mime": "video/mp4"}, (400, 100, 2018047)),
        ({"content": bytes(25 * 1024 * 1024 + 1)}, (400, 100, 2018047)),
        ({"kind": "hologram"}, (400, 100, None)),
        ({"reusable": False}, (400, 100, None)),
        ({"page": "104000000000002"}, (400, 100, 33)),
    ],
    ids=["empty", "another type", "too large", "unknown kind", "not reusable", "another page"],
)
def test_what_meta_does_not_take_is_refused(stage, how, error):
    token = stage.connected()

    assert error_of(upload(stage, token, **how))[1:] == error[1:]


@pytest.mark.parametrize("kind", ["image", "file"])
def test_an_id_that_does_not_fit_is_refused(stage, kind):
    token = stage.connected()
    stage.says()
    taken = upload(stage, token).json()["attachment_id"] if kind == "file" else "4711"

    answer = stage.send(token, message=by_id(taken, kind))

    assert error_of(answer)[1] == 100
    assert stage.look("meta/sent")["count"] == 0
