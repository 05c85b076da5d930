"""Elements of Meta's webhooks in the shape Meta documents them (Messenger Platform, March to June 2026).

Ids and texts are made up; names, nesting, types and units are the recorded ones. `PAGE` stands for the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PAGE, PSID, AT = "PAGE", "7340000000000001", 1763894400000
PERSON_TO_PAGE = {"sender": {"id": PSID}, "recipient": {"id": PAGE}, "timestamp": AT}
PAGE_TO_PERSON = {"sender": {"id": PAGE}, "recipient": {"id": PSID}, "timestamp": AT}
REFERRAL = {
    "ref": "summer-sale",
    "ad_id": "6045246247433",
    "source": "ADS",
    "type": "OPEN_THREAD",
    "ads_context_data": {
        "ad_title": "Summer sale",
        "photo_url": "https://scontent.xx.fbcdn.net/ad.jpg",
        "post_id": "1_2",
        "product_id": "3",
    },
}


@dataclass(frozen=True)
class Recorded:
    """One element, the kind of event it becomes (None: ignored), and what the inbox shows of it.

    *text* is what the message says; *files* how many attachments are fetched; *message* whether
    the conversation has one at all.
    """

    element: dict[str, Any]
    kind: str | None = "message"
    message: bool = True
    text: str | None = None
    files: int = 0
    standby: bool = False


def said(mid: str, **message: Any) -> dict[str, Any]:
    """A message of a person."""
    return {**PERSON_TO_PAGE, "message": {"mid": mid, **message}}


def ignored(**what: Any) -> Recorded:
    """Something of which nothing is kept."""
    return Recorded({**PERSON_TO_PAGE, **what}, kind=None, message=False)


def attached(mid: str, *attachments: dict[str, Any], files: int = 0, **message: Any) -> Recorded:
    """A message with attachments."""
    return Recorded(said(mid, attachments=list(attachments), **message), files=files)


RECORDED: dict[str, Recorded] = {
    "text": Recorded(said("m_text", text="hello, world!"), text="hello, world!"),
    "quick reply": Recorded(
        said("m_quick", text="Red", quick_reply={"payload": "PICKED_RED"}), text="Red"
    ),
    "reply to another message": Recorded(
        said("m_reply", text="yes", reply_to={"mid": "m_1fTq8oLum", "is_self_reply": False}),
        text="yes",
    ),
    "image": attached(
        "m_image",
        {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/v/a.jpg"}},
        files=1,
    ),
    "file": attached(
        "m_file",
        {"type": "file", "payload": {"url": "https://cdn.fbsbx.com/v/invoice.pdf"}},
        files=1,
    ),
    "sticker": attached(
        "m_sticker",
        {
            "type": "sticker",
            "payload": {
                "url": "https://scontent.xx.fbcdn.net/s.png",
                "sticker_id": 369239263222822,
            },
        },
        files=1,
    ),
    "sticker as image, as before August 2026": attached(
        "m_thumb",
        {
            "type": "image",
            "payload": {
                "url": "https://scontent.xx.fbcdn.net/t.png",
                "sticker_id": 369239263222822,
            },
        },
        files=1,
    ),
    "reel": attached(
        "m_reel",
        {
            "type": "reel",
            "payload": {
                "url": "https://www.facebook.com/reel/1",
                "title": "Look",
                "reel_video_id": 123,
            },
        },
    ),
    "shared post": attached(
        "m_post", {"type": "post", "payload": {"url": "https://www.facebook.com/1/posts/2"}}
    ),
    "appointment": attached("m_appointment", {"type": "appointment_booking", "payload": {}}),
    "template": attached(
        "m_template", {"type": "template", "payload": {"template_type": "generic", "elements": []}}
    ),
    "fallback with an address": attached(
        "m_fallback",
        {"type": "fallback", "payload": {"url": "https://example.com", "title": "Example"}},
    ),
    "fallback without payload": attached("m_bare", {"type": "fallback"}),
    "fallback beside a null payload": attached(
        "m_null",
        {"type": "fallback", "title": "Example", "url": "https://example.com", "payload": None},
    ),
    "attachment of a type nobody knows yet": attached(
        "m_new", {"type": "hologram", "payload": {"depth": 3}}
    ),
    "neither text nor attachment": Recorded(said("m_empty")),
    "message from an ad": Recorded(
        said("m_ad", text="Is it still there?", referral=REFERRAL), text="Is it still there?"
    ),
    "message with commands": Recorded(
        said("m_command", text="/help", commands=[{"name": "help"}]), text="/help"
    ),
    "message with fields nobody knows yet": Recorded(
        {**said("m_field", text="hi", mood={"warm": True}), "priority": 1}, text="hi"
    ),
    "time in seconds": Recorded(
        {**said("m_seconds", text="hi"), "timestamp": AT // 1000}, text="hi"
    ),
    "echo of the page's inbox": Recorded(
        {
            **PAGE_TO_PERSON,
            "message": {"is_echo": True, "app_id": 26390203743090, "mid": "m_inbox", "text": "hi"},
        },
        kind="echo",
        text="hi",
    ),
    "echo without an app": Recorded(
        {**PAGE_TO_PERSON, "message": {"is_echo": True, "mid": "m_own", "text": "hi"}},
        kind="echo",
        text="hi",
    ),
    "standby message": Recorded(said("m_standby", text="anybody?"), text="anybody?", standby=True),
    "standby postback without payload": Recorded(
        {**PERSON_TO_PAGE, "postback": {"mid": "m_button", "title": "Get Started"}},
        kind="postback",
        text="Get Started",
        standby=True,
    ),
    "postback with a referral": Recorded(
        {
            **PERSON_TO_PAGE,
            "postback": {"mid": "m_start", "title": "Start", "payload": "GO", "referral": REFERRAL},
        },
        kind="postback",
        text="Start",
    ),
    "edit whose count is a text": Recorded(
        {**PERSON_TO_PAGE, "message_edit": {"mid": "m_edit", "text": "better", "num_edit": "1"}},
        kind="edit",
        text="better",
    ),
    "delivery without ids": Recorded(
        {**PERSON_TO_PAGE, "delivery": {"watermark": AT}}, kind="delivery", message=False
    ),
    "delivery with ids": Recorded(
        {**PERSON_TO_PAGE, "delivery": {"mids": ["m_x"], "watermark": AT}},
        kind="delivery",
        message=False,
    ),
    "read": Recorded({**PERSON_TO_PAGE, "read": {"watermark": AT}}, kind="read", message=False),
    "reaction": Recorded(
        {
            **PERSON_TO_PAGE,
            "reaction": {"reaction": "love", "emoji": "\u2764", "action": "react", "mid": "m_x"},
        },
        kind="reaction",
        message=False,
    ),
    "reaction taken back": Recorded(
        {**PERSON_TO_PAGE, "reaction": {"action": "unreact", "mid": "m_x"}},
        kind="reaction",
        message=False,
    ),
    "referral by a link": ignored(
        referral={"ref": "shop", "source": "SHORTLINK", "type": "OPEN_THREAD"}
    ),
    "opt-in of a plugin's visitor": Recorded(
        {
            "sender": {"user_ref": "visitor-17"},
            "recipient": {"id": PAGE},
            "timestamp": AT,
            "optin": {"ref": "box", "user_ref": "visitor-17"},
        },
        kind=None,
        message=False,
    ),
    "message of a plugin's visitor": Recorded(
        {
            "sender": {"user_ref": "visitor-17"},
            "recipient": {"id": PAGE},
            "timestamp": AT,
            "message": {"mid": "m_visitor", "text": "hi"},
        },
        kind=None,
        message=False,
    ),
    "thread passed on": ignored(
        pass_thread_control={
            "previous_owner_app_id": "1",
            "new_owner_app_id": "26390203743090",
            "metadata": "",
        }
    ),
    "thread taken": ignored(
        take_thread_control={"previous_owner_app_id": "1", "new_owner_app_id": "2", "metadata": ""}
    ),
    "thread asked for": ignored(
        request_thread_control={"requested_owner_app_id": "2", "metadata": "please"}
    ),
    "roles of apps": ignored(app_roles={"4711": ["primary_receiver"]}),
    "a kind nobody knows yet": ignored(hologram={"depth": 3}),
    "policy warning": Recorded(
        {
            "recipient": {"id": PAGE},
            "timestamp": AT,
            "policy_enforcement": {"action": "warning", "reason": "The page sent spam."},
        },
        kind="policy",
        message=False,
    ),
}


def element_for(recorded: Recorded, page: str) -> dict[str, Any]:
    """The element with the page's id in it."""
    element = dict(recorded.element)
    for side in ("sender", "recipient"):
        if element.get(side) == {"id": PAGE}:
            element[side] = {"id": page}
    return element
