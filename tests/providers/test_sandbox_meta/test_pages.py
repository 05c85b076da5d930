"""The sandbox's pages: subscriptions, conversations, messages and profiles."""

import json
from urllib.parse import parse_qs


def test_a_subscription_is_replaced_read_back_and_removed(stage):
    token = stage.connected()
    path = f"/{stage.page}/subscribed_apps"

    stage.graph("POST", path, token, subscribed_fields="messages,message_echoes")
    listed = stage.graph("GET", path, token).json()["data"]
    removed = stage.graph("DELETE", path, token).json()

    assert listed[0]["id"] == stage.app_id
    assert listed[0]["subscribed_fields"] == ["message_echoes", "messages"]
    assert removed == {"success": True}
    assert stage.graph("GET", path, token).json() == {"data": []}


def test_an_unknown_field_is_refused_and_leaves_the_subscription_alone(stage, code_of):
    token = stage.connected()
    path = f"/{stage.page}/subscribed_apps"

    refused = stage.graph("POST", path, token, subscribed_fields="messages,telepathy")

    assert code_of(refused) == (400, 100, None)
    listed = stage.graph("GET", path, token).json()["data"]
    assert set(listed[0]["subscribed_fields"]) == set(stage.fields.split(","))


def test_a_field_is_delivered_only_when_subscribed_at_both_levels(stage):
    token = stage.connected()
    stage.inbox.answer = lambda request: (
        200,
        "text/plain",
        parse_qs(request.query).get("hub.challenge", ["ok"])[0].encode(),
    )
    query = {
        "access_token": f"{stage.app_id}|{stage.secret}",
        "object": "page",
        "callback_url": f"{stage.inbox.url}/webhooks/meta",
        "verify_token": "another",
        "fields": "message_reads",
    }
    path = f"/v26.0/{stage.app_id}/subscriptions"

    assert stage.http.post(path, data=query).json() == {"success": True}

    assert stage.says()["subscribed"] is False
    assert stage.happens("read")["statuses"] == [200]
    stage.graph("POST", f"/{stage.page}/subscribed_apps", token, subscribed_fields="messages")
    assert stage.happens("read")["statuses"] == []
    assert len(stage.webhooks()) == 1


def test_setting_the_app_webhook_runs_the_challenge_and_fails_with_it(stage, code_of):
    data = {
        "access_token": f"{stage.app_id}|{stage.secret}",
        "object": "page",
        "callback_url": f"{stage.inbox.url}/elsewhere",
        "verify_token": "meatyhamhock",
        "fields": "messages",
    }

    refused = stage.http.post(f"/v26.0/{stage.app_id}/subscriptions", data=data)

    assert code_of(refused) == (400, 2200, None)
    asked = parse_qs(stage.inbox.requests[0].query)
    assert asked["hub.mode"] == ["subscribe"]
    assert asked["hub.verify_token"] == ["meatyhamhock"]
    assert stage.look("meta/state")["app"]["callback_url"].endswith("/webhooks/meta")


def test_the_configured_callback_is_verified_on_demand(stage):
    stage.inbox.answer = lambda request: (
        200,
        "text/plain",
        parse_qs(request.query)["hub.challenge"][0].encode(),
    )

    assert stage.control("meta/verify") == {"verified": True, "problem": None}
    assert stage.look("meta/state")["app"]["verified"] is True


def test_a_page_token_reaches_its_own_page_only(stage, code_of):
    token = stage.page_token()

    refused = stage.graph("GET", f"/{stage.other_page}/subscribed_apps", token)

    assert code_of(refused) == (400, 100, 33)


def test_a_person_without_a_moderating_task_cannot_subscribe(stage, code_of):
    order = {"page_id": stage.page, "asid": stage.asid, "tasks": ["MESSAGING"]}
    stage.control("meta/pages/tasks", order)
    token = stage.page_token()

    refused = stage.graph(
        "POST", f"/{stage.page}/subscribed_apps", token, subscribed_fields="messages"
    )

    assert code_of(refused) == (403, 200, None)


def test_a_deleted_page_is_gone_for_its_token_and_its_owner(stage, code_of):
    user = stage.user_token()
    token = stage.graph("GET", "/me/accounts", user).json()["data"][0]["access_token"]
    stage.control("meta/pages/delete", {"page_id": stage.page})

    listed = stage.graph("GET", "/me/accounts", user, fields="id").json()["data"]
    refused = stage.graph("GET", f"/{stage.page}/conversations", token)

    assert listed == [{"id": stage.other_page}]
    assert code_of(refused) == (400, 100, 33)


def test_conversations_are_walked_by_cursor_newest_first(stage):
    stage.control("meta/seed", {"history": 2})
    token = stage.page_token()
    asked = {"fields": "id,updated_time,participants,can_reply", "limit": 4}

    threads, after = [], {}
    while True:
        path = f"/{stage.page}/conversations"
        body = stage.graph("GET", path, token, platform="messenger", **asked, **after).json()
        threads += body["data"]
        if "next" not in body["paging"]:
            break
        after = {"after": body["paging"]["cursors"]["after"]}

    assert len({thread["id"] for thread in threads}) == len(threads) == 10
    times = [thread["updated_time"] for thread in threads]
    assert times == sorted(times, reverse=True)
    assert times[0].endswith("+0000")
    people = {thread["participants"]["data"][0]["name"] for thread in threads}
    assert "Łukasz Nowak" in people
    assert not any(thread["can_reply"] for thread in threads)


def test_conversations_are_told_apart_by_folder_and_by_customer(stage):
    lines = [{"text": "buy now", "ago_seconds": 60}]
    order = {"threads": [{"psid": stage.psid, "folder": "spam", "lines": lines}]}
    stage.control("meta/seed", order)
    stage.says(psid="24000000000000002")
    token = stage.page_token()
    path = f"/{stage.page}/conversations"

    inbox = stage.graph("GET", path, token, fields="participants").json()["data"]
    spam = stage.graph("GET", path, token, fields="participants", folder="SPAM").json()["data"]
    other = stage.graph("GET", path, token, user_id=stage.psid).json()

    assert [item["participants"]["data"][0]["id"] for item in inbox] == ["24000000000000002"]
    assert [item["participants"]["data"][0]["id"] for item in spam] == [stage.psid]
    assert other == {"data": []}


def test_conversations_need_all_three_permissions(stage, code_of):
    scope = "pages_show_list,pages_messaging,pages_manage_metadata"
    token = stage.page_token(config_id="", scope=scope)

    assert code_of(stage.graph("GET", f"/{stage.page}/conversations", token)) == (403, 200, None)


def test_an_unknown_field_of_a_conversation_is_refused(stage, code_of):
    token = stage.page_token()

    refused = stage.graph("GET", f"/{stage.page}/conversations", token, fields="id,mood")

    assert code_of(refused) == (400, 100, None)


def test_only_the_twenty_newest_messages_of_a_thread_can_be_read(stage, code_of):
    stage.control("meta/seed", {"history": 25})
    token = stage.page_token()
    path = f"/{stage.page}/conversations"
    thread = stage.graph("GET", path, token, user_id=stage.psid).json()["data"][0]["id"]
    asked = {"fields": "id,created_time,from,to,message", "limit": 50}

    first = stage.graph("GET", f"/{thread}/messages", token, **asked).json()
    after = first["paging"]["cursors"]["after"]
    beyond = stage.graph("GET", f"/{thread}/messages", token, after=after, **asked)
    ids = stage.graph("GET", f"/{thread}/messages", token, fields="id", limit=50).json()["data"]
    oldest = stage.graph("GET", f"/{ids[-1]['id']}", token, fields="message")

    assert [item["message"] for item in first["data"]] == [
        f"old message {n} of 25" for n in range(25, 5, -1)
    ]
    assert "next" in first["paging"]
    assert code_of(beyond) == (400, 9000001, None)
    assert len(ids) == 25
    assert code_of(oldest) == (400, 9000001, None)


def test_a_message_of_a_webhook_has_the_same_id_in_its_conversation(stage):
    token = stage.connected()
    picture = {"type": "image", "payload": {"url": "https://cdn.example/x.jpg"}}
    mid = stage.says("look", attachments=[picture])["mids"][0]

    asked = "id,from,to,message,attachments"
    node = stage.graph("GET", f"/{mid}", token, fields=asked).json()

    assert node["id"] == mid == stage.webhooks()[0]["entry"][0]["messaging"][0]["message"]["mid"]
    assert node["from"]["id"] == stage.psid
    assert node["to"]["data"][0]["id"] == stage.page
    assert node["attachments"]["data"][0]["image_data"]["url"] == "https://cdn.example/x.jpg"


def test_nested_fields_carry_the_newest_messages_of_each_conversation(stage):
    stage.control("meta/seed", {"history": 3})
    token = stage.page_token()

    body = stage.graph(
        "GET",
        f"/{stage.page}/conversations",
        token,
        fields="id,messages.limit(2){message,from}",
        user_id=stage.psid,
    ).json()

    listed = body["data"][0]["messages"]["data"]
    assert [item["message"] for item in listed] == ["old message 3 of 3", "old message 2 of 3"]
    assert [item["from"]["id"] for item in listed] == [stage.psid, stage.page]


def test_a_message_that_was_taken_back_cannot_be_read(stage, code_of):
    token = stage.connected()
    mid = stage.says()["mids"][0]
    stage.happens("unsend", mid=mid)

    assert code_of(stage.graph("GET", f"/{mid}", token)) == (400, 9000001, None)


def test_a_profile_is_full_bare_or_refused(stage, code_of):
    order = {"page_id": stage.page, "first_name": "Shy"}
    customers = [
        {**order, "psid": "801", "profile": "id_only"},
        {**order, "psid": "802", "profile": "refused"},
    ]
    stage.control("meta/seed", {"customers": customers})
    token = stage.page_token()
    asked = {"fields": "first_name,last_name,profile_pic"}

    full = stage.graph("GET", f"/{stage.psid}", token, **asked).json()
    bare = stage.graph("GET", "/801", token, **asked).json()
    refused = stage.graph("GET", "/802", token, **asked)

    assert (full["first_name"], full["last_name"], full["id"]) == ("Ann", "Marsh", stage.psid)
    assert bare == {"id": "801"}
    assert code_of(refused) == (400, 100, 2018218)


def test_a_profile_belongs_to_the_page_that_was_written_to(stage, code_of):
    token = stage.page_token(stage.other_page)

    assert code_of(stage.graph("GET", f"/{stage.psid}", token)) == (400, 100, 33)


def test_every_answer_tells_its_usage(stage):
    token = stage.page_token()
    stage.control("meta/switches", {"call_count": 28, "page_call_count": 95})

    answer = stage.graph("GET", f"/{stage.page}/conversations", token)

    app = json.loads(answer.headers["x-app-usage"])
    assert app == {"call_count": 28, "total_cputime": 28, "total_time": 28}
    page = json.loads(answer.headers["x-business-use-case-usage"])[stage.page][0]
    assert page["type"] == "pages"
    assert (page["call_count"], page["estimated_time_to_regain_access"]) == (95, 0)


def test_calls_are_counted_by_method_and_template(stage):
    token = stage.user_token()
    for _ in range(3):
        stage.graph("GET", "/me/accounts", token)

    calls = stage.look("meta/state")["calls"]

    assert calls["GET /me/accounts"] == 3
    assert calls["POST /oauth/access_token"] == 1
    assert token not in json.dumps(stage.look("meta/calls"))
