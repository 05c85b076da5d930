"""Meta's webhooks: proof over raw bytes, and what is kept of what they say."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.core.errors import Malformed
from workers.providers.meta import webhook

SECRET = "app-secret"
PAGE, PERSON, NOW = "111", "222", 1_763_894_400_000


def sign(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def element(**kind):
    return {"sender": {"id": PERSON}, "recipient": {"id": PAGE}, "timestamp": NOW, **kind}


def delivered(*elements, where="messaging"):
    return json.dumps(
        {"object": "page", "entry": [{"id": PAGE, "time": NOW, where: list(elements)}]}
    ).encode()


def one(item, **options):
    parsed = webhook.parse(delivered(item, **options))
    assert parsed.unreadable == ()
    (event,) = parsed.events
    return event


def proves(raw, header):
    signature = webhook.Signature(SECRET)
    # Twice, because what was begun with the secret is used again.
    given = header if header is None else header.encode()
    answers = {signature.proves(raw, given), signature.proves(raw, given)}
    assert len(answers) == 1
    return answers.pop()


def test_the_right_signature_is_taken():
    raw = b'{"text":"\\u00e9"}'

    assert proves(raw, sign(raw))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        sign(b"{}")[:-1],
        sign(b"{}").removeprefix("sha256="),
        sign(b"{}").replace("sha256", "sha1"),
        sign(b"{}").upper(),
        sign(b"{}", "another-secret"),
        sign(b"{} "),
        "sha256=" + "é" * 64,
        sign(b"{}") + "," + sign(b"{}"),
    ],
)
def test_any_other_signature_is_refused(header):
    assert not proves(b"{}", header)


def test_a_message_keeps_only_the_fields_we_use():
    said = {
        "mid": "m_1",
        "text": "hello",
        "quick_reply": {"payload": "X"},
        "reply_to": {"mid": "m_0", "is_self_reply": False},
        "nlp": {"entities": {}},
    }

    event = one(element(message=said))

    assert event == webhook.Event(
        key="page:111:msg:m_1",
        account=PAGE,
        contact=PERSON,
        kind="message",
        occurred_at=NOW,
        body={"mid": "m_1", "text": "hello", "attachments": [], "reply_to": "m_0"},
    )


def test_attachments_are_read_in_all_the_places_meta_puts_them():
    said = {
        "mid": "m_1",
        "attachments": [
            {"type": "image", "payload": {"url": "https://cdn/i", "sticker_id": 1}},
            {"type": "fallback", "payload": None, "url": "https://x", "title": "Example"},
            {"type": "fallback"},
            {"type": "reel", "payload": {"url": "https://r", "title": "R"}},
        ],
    }

    event = one(element(message=said))

    assert event["body"]["attachments"] == [
        {"type": "image", "url": "https://cdn/i", "title": None},
        {"type": "fallback", "url": "https://x", "title": "Example"},
        {"type": "fallback", "url": None, "title": None},
        {"type": "reel", "url": "https://r", "title": "R"},
    ]
    assert event["body"]["text"] is None


def echo(**more):
    said = {"is_echo": True, "mid": "m_2", "text": "hi", **more}
    return {
        "sender": {"id": PAGE},
        "recipient": {"id": PERSON},
        "timestamp": NOW,
        "message": said,
    }


def test_an_echo_is_about_the_person_and_carries_what_we_sent_along():
    event = one(echo(app_id=1517776481860111, metadata="our-id"))

    assert (event["kind"], event["contact"], event["key"]) == ("echo", PERSON, "page:111:msg:m_2")
    assert event["body"]["metadata"] == "our-id"
    assert event["body"]["app_id"] == "1517776481860111"


def test_a_message_from_the_page_is_an_echo_even_if_it_does_not_say_so():
    assert one(echo(is_echo=False))["kind"] == "echo"


def test_standby_is_read_like_messaging():
    event = one(element(message={"mid": "m_1", "text": "x"}), where="standby")

    assert event["kind"] == "message"


@pytest.mark.parametrize(
    ("item", "kind", "key", "body"),
    [
        (
            {"delivery": {"mids": ["m_1"], "watermark": NOW}},
            "delivery",
            f"page:111:delivery:222:{NOW}",
            {"mids": ["m_1"], "watermark": NOW},
        ),
        (
            {"delivery": {"watermark": NOW}},
            "delivery",
            f"page:111:delivery:222:{NOW}",
            {"mids": [], "watermark": NOW},
        ),
        ({"read": {"watermark": NOW}}, "read", f"page:111:read:222:{NOW}", {"watermark": NOW}),
        (
            {"postback": {"mid": "m_3", "title": "Start", "payload": "GO", "referral": {}}},
            "postback",
            "page:111:pb:m_3",
            {"mid": "m_3", "title": "Start", "payload": "GO"},
        ),
        (
            {"reaction": {"mid": "m_1", "action": "react", "emoji": "\u2764", "reaction": "love"}},
            "reaction",
            f"page:111:rx:m_1:222:react:{NOW}",
            {"mid": "m_1", "action": "react", "emoji": "\u2764", "reaction": "love"},
        ),
        (
            {"message_edit": {"mid": "m_1", "text": "new", "num_edit": "2"}},
            "edit",
            "page:111:edit:m_1:2",
            {"mid": "m_1", "text": "new", "num_edit": 2},
        ),
    ],
)
def test_every_other_kind_has_its_key_and_its_fields(item, kind, key, body):
    event = one(element(**item))

    assert (event["kind"], event["key"], event["body"], event["contact"]) == (
        kind,
        key,
        body,
        PERSON,
    )


def test_a_postback_without_an_id_is_known_by_its_content():
    first = one(element(postback={"title": "Start"}))
    again = one(element(postback={"title": "Start"}))
    other = one(element(postback={"title": "Stop"}))

    assert first["key"] == again["key"] != other["key"]


def test_one_rotten_element_does_not_lose_the_others():
    good = element(message={"mid": "m_1", "text": "kept"})
    rotten = [
        element(message={"text": "no mid"}),
        element(message={"mid": "x" * 600}),
        {"sender": {"id": PERSON}, "recipient": {"id": PAGE}, "message": {"mid": "no time"}},
        {**element(message={"mid": "late"}), "timestamp": 99_999_999_999_999},
        {**element(message={"mid": "m"}), "recipient": {"id": "999"}},
        {**element(message={"mid": "m"}), "sender": {}},
        element(delivery={}),
        "text",
        None,
    ]

    parsed = webhook.parse(delivered(*rotten, good))

    assert [event["body"]["text"] for event in parsed.events] == ["kept"]
    assert len(parsed.unreadable) == len(rotten)
    assert parsed.ignored == 0


def test_what_is_kept_of_something_rotten_says_nothing_of_its_content():
    secret = "a very private sentence"

    parsed = webhook.parse(delivered(element(message={"mid": 1, "text": [secret]})))

    (shape,) = parsed.unreadable
    assert secret not in repr(shape)
    assert shape.reason == "wrong fields: text"
    assert len(shape.digest) == 64
    assert shape.size > len(secret)


def test_kinds_without_use_and_visitors_without_id_are_counted():
    unused = [
        element(optin={"ref": "x"}),
        element(app_roles={"1": ["primary_receiver"]}),
        {**element(message={"mid": "m"}), "sender": {"user_ref": "plugin"}},
    ]

    parsed = webhook.parse(delivered(*unused))

    assert (parsed.events, parsed.unreadable, parsed.ignored) == ((), (), 3)


@pytest.mark.parametrize("kind", ["read", "reaction", "message_edit", "postback", "delivery"])
def test_what_the_page_itself_did_is_not_taken_for_the_person(kind):
    own = {"sender": {"id": PAGE}, "recipient": {"id": PERSON}, "timestamp": NOW, kind: {}}

    assert webhook.parse(delivered(own)) == webhook.Parsed(ignored=1)


def test_changes_are_counted_and_an_entry_may_hold_nothing():
    raw = b'{"object":"page","entry":[{"id":"111","changes":[{"field":"feed"}]},{"id":"1"}]}'

    assert webhook.parse(raw) == webhook.Parsed(ignored=1)


def test_rotten_entries_do_not_lose_the_others():
    good = {"id": PAGE, "messaging": [element(message={"mid": "m_1"})]}
    rotten = [None, 7, {}, {"id": 5}, {"id": PAGE, "messaging": {"a": 1}}]

    parsed = webhook.parse(json.dumps({"object": "page", "entry": [*rotten, good]}).encode())

    assert len(parsed.events) == 1
    assert len(parsed.unreadable) == 5


def test_another_object_is_known_as_such():
    assert webhook.parse(b'{"object":"instagram","entry":[]}') == webhook.Parsed(known=False)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"page"',
        b"{}",
        b'{"object":1}',
        b'{"object":"page"}',
        b'{"object":"page","entry":{}}',
        b'{"object":"page","entry":[NaN]}',
        b'{"object":"page","entry":[' + b"1" * 5000 + b"]}",
        b"[" * 100_000,
        b'{"object":' + b"[" * 100_000,
    ],
)
def test_what_is_not_the_documented_envelope_is_malformed_without_quoting_it(raw):
    with pytest.raises(Malformed) as caught:
        webhook.parse(raw)

    assert caught.value.__cause__ is None
    assert len(str(caught.value)) < 80


def test_nesting_that_can_be_read_but_not_walked_is_rotten_or_malformed_but_never_a_crash():
    deep = '{"object":"page","entry":[' + "[" * 900 + "]" * 900 + "]}"

    try:
        parsed = webhook.parse(deep.encode())
    except Malformed:
        return
    assert len(parsed.unreadable) == 1


def test_text_that_postgres_cannot_store_is_repaired():
    raw = delivered(element(message={"mid": "m_1", "text": "a\x00b\ud83dc\U0001f600"}))

    (event,) = webhook.parse(raw).events

    assert event["body"]["text"] == "ab?c\U0001f600"
    json.dumps(event["body"], ensure_ascii=False).encode()


def test_a_key_never_outgrows_its_index():
    long = "m" * 512

    event = one(element(reaction={"mid": long, "action": "react"}))

    assert len(event["key"]) <= 512
    assert event["key"].startswith("page:111:reaction:")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text", ["plain", "a\\u0000b", "a\\ud83db", "a\\uD83Db", "\\ud83d\\ude00", "é", "\\/"]
)
def test_whatever_the_encoding_no_text_that_postgres_refuses_gets_through(text, encoding):
    raw = (
        '{"object": "page", "entry": [{"id": "1", "messaging": [{"sender": {"id": "2"},'
        ' "recipient": {"id": "1"}, "timestamp": 5, "message": {"mid": "m", "text": "%s"}}]}]}'
    )

    (event,) = webhook.parse((raw % text).encode(encoding)).events

    assert "\x00" not in event["body"]["text"]
    assert event["body"]["text"].encode()


DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    document=DOCUMENTS, ascii_only=st.booleans(), cut=st.integers(0, 4), dirt=st.binary(max_size=2)
)
def test_a_document_is_read_as_the_standard_library_reads_it(document, ascii_only, cut, dirt):
    raw = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "replace")
    for given_bytes in (raw, raw[: len(raw) - cut] + dirt, dirt + raw):
        try:
            wanted = webhook._storable(json.loads(given_bytes))
        except ValueError:
            wanted = Malformed
        try:
            read = webhook._decode(given_bytes)
        except Malformed:
            read = Malformed
        assert read == wanted


def test_a_document_that_nests_deeper_than_the_fast_reader_goes_is_read_too():
    raw = b"[" * 300 + b"]" * 300

    assert webhook._decode(raw) == json.loads(raw)
