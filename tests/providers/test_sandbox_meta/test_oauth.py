"""The sandbox's login: dialog, codes, tokens and what a token is worth."""

import pytest


def test_the_dialog_returns_with_a_code_and_the_state_it_was_given(stage):
    back = stage.consent(state="a/b+c")

    assert back["state"] == "a/b+c"
    assert back["code"]


def test_a_person_who_cancels_is_sent_back_with_access_denied(stage):
    stage.control("meta/switches", {"deny_dialog": True})

    back = stage.consent()

    assert back == {
        "error": "access_denied",
        "error_code": "200",
        "error_description": "Permissions error",
        "error_reason": "user_denied",
        "state": "st",
    }


def test_one_declined_permission_denies_a_business_login_but_not_a_classic_one(stage):
    stage.control("meta/switches", {"declined_permissions": ["pages_messaging"]})

    assert stage.consent()["error"] == "access_denied"
    token = stage.user_token(config_id="", scope="pages_show_list,pages_messaging")
    listed = stage.graph("GET", "/me/permissions", token).json()["data"]
    assert {"permission": "pages_messaging", "status": "declined"} in listed
    assert {"permission": "pages_show_list", "status": "granted"} in listed


def test_the_dialog_consents_as_the_person_named_in_as_user(stage):
    stage.control("meta/seed", {"people": [{"asid": "77", "name": "Second Person"}]})

    token = stage.user_token(as_user="77")

    assert stage.graph("GET", "/me", token, fields="id,name").json() == {
        "id": "77",
        "name": "Second Person",
    }


def test_a_code_is_exchanged_once(stage, code_of):
    code = stage.consent()["code"]

    first, second = stage.exchange(code), stage.exchange(code)

    assert first.json()["token_type"] == "bearer"
    assert first.json()["expires_in"] > 0
    assert code_of(second) == (400, 100, 36009)


def test_a_code_is_bound_to_the_redirect_uri_byte_for_byte(stage, code_of):
    code = stage.consent()["code"]

    refused = stage.exchange(code, redirect_uri=stage.redirect + "/")

    assert code_of(refused) == (400, 100, 36008)


def test_a_code_expires(stage, code_of):
    code = stage.consent()["code"]
    stage.control("clock", {"advance_seconds": 601})

    assert code_of(stage.exchange(code)) == (400, 100, 36007)


def test_a_wrong_client_secret_is_refused_and_does_not_use_the_code_up(stage, code_of):
    code = stage.consent()["code"]

    refused = stage.exchange(code, client_secret="guess")

    assert code_of(refused) == (400, 1, None)
    assert stage.exchange(code).status_code == 200


def test_the_documented_get_form_of_the_exchange_works_too(stage):
    query = {
        "client_id": stage.app_id,
        "client_secret": stage.secret,
        "redirect_uri": stage.redirect,
        "code": stage.consent()["code"],
    }

    answer = stage.http.get("/v26.0/oauth/access_token", params=query)

    assert answer.json()["access_token"].startswith("EAAG")


def test_page_tokens_of_a_prolonged_user_token_have_no_end(stage):
    short = stage.user_token()
    form = {"grant_type": "fb_exchange_token", "fb_exchange_token": short}
    long = stage.exchange("unused", **form).json()

    ends = []
    for token in (short, long["access_token"]):
        account = stage.graph("GET", "/me/accounts", token).json()["data"][0]
        query = {
            "input_token": account["access_token"],
            "access_token": f"{stage.app_id}|{stage.secret}",
        }
        ends.append(stage.http.get("/v26.0/debug_token", params=query).json()["data"]["expires_at"])

    assert long["expires_in"] == 5183944
    assert ends[0] > 0
    assert ends[1] == 0


def test_debug_token_describes_a_page_token(stage):
    app = f"{stage.app_id}|{stage.secret}"
    query = {"input_token": stage.page_token(), "access_token": app}

    data = stage.http.get("/v26.0/debug_token", params=query).json()["data"]

    assert data["is_valid"] is True
    assert data["type"] == "PAGE"
    assert data["app_id"] == stage.app_id
    assert data["user_id"] == stage.asid
    assert data["profile_id"] == stage.page
    assert "pages_messaging" in data["scopes"]
    granular = {item["scope"]: item.get("target_ids") for item in data["granular_scopes"]}
    assert granular["pages_messaging"] == [stage.page, stage.other_page]


def test_debug_token_says_why_a_token_died(stage):
    token = stage.page_token()
    stage.control("meta/tokens/kill", {"subcode": 460, "page_id": stage.page})
    query = {"input_token": token, "access_token": f"{stage.app_id}|{stage.secret}"}

    data = stage.http.get("/v26.0/debug_token", params=query).json()["data"]

    assert (data["is_valid"], data["scopes"]) == (False, [])
    assert (data["error"]["code"], data["error"]["subcode"]) == (190, 460)


def test_debug_token_is_for_the_app_only(stage, code_of):
    token = stage.user_token()

    assert code_of(stage.graph("GET", "/debug_token", token, input_token=token)) == (400, 100, None)


def test_a_call_without_proof_or_with_a_wrong_one_is_refused(stage, code_of):
    token = stage.user_token()

    missing = stage.http.get("/v26.0/me", params={"access_token": token})
    wrong = stage.graph("GET", "/me", token, appsecret_proof=stage.proof("another"))

    assert code_of(missing) == (400, 100, None)
    assert "appsecret_proof" in missing.json()["error"]["message"]
    assert code_of(wrong) == (400, 100, None)
    message = "Invalid appsecret_proof provided in the API argument"
    assert wrong.json()["error"]["message"] == message


def test_a_token_may_come_as_a_bearer_header(stage):
    token = stage.user_token()

    answer = stage.http.get(
        "/v26.0/me",
        params={"appsecret_proof": stage.proof(token)},
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.json()["id"] == stage.asid


def test_accounts_are_paged_without_loss_or_repetition(stage):
    pages = [{"id": str(900 + n), "name": f"Page {n}"} for n in range(7)]
    stage.control("meta/seed", {"pages": pages})
    token = stage.user_token()

    seen, after = [], {}
    while True:
        body = stage.graph("GET", "/me/accounts", token, limit=2, fields="id", **after).json()
        seen += [item["id"] for item in body["data"]]
        if "next" not in body["paging"]:
            break
        assert body["paging"]["next"].startswith(f"{stage.url}/v26.0/me/accounts?")
        after = {"after": body["paging"]["cursors"]["after"]}

    assert seen == [*(str(900 + n) for n in range(7)), stage.page, stage.other_page]


def test_a_permission_taken_back_stops_the_calls_that_need_it(stage, code_of):
    user = stage.user_token()
    page = stage.graph("GET", "/me/accounts", user).json()["data"][0]["access_token"]
    assert stage.graph("DELETE", f"/{stage.asid}/permissions/pages_messaging", user).json() == {
        "success": True
    }

    refused = stage.graph("GET", f"/{stage.page}/conversations", page)

    assert code_of(refused) == (403, 200, None)


def test_revoking_everything_kills_every_token_of_the_person(stage, code_of):
    user = stage.user_token()
    page = stage.graph("GET", "/me/accounts", user).json()["data"][0]["access_token"]

    assert stage.graph("DELETE", "/me/permissions", user).json() == {"success": True}

    for path, token in (("/me", user), (f"/{stage.page}/conversations", page)):
        assert code_of(stage.graph("GET", path, token)) == (401, 190, 458)


@pytest.mark.parametrize("subcode", [458, 459, 460, 463, 464, 467, 492])
def test_a_killed_token_fails_with_the_chosen_subcode(stage, code_of, subcode):
    token = stage.user_token()
    stage.control("meta/tokens/kill", {"subcode": subcode, "asid": stage.asid})

    assert code_of(stage.graph("GET", "/me", token)) == (401, 190, subcode)


def test_a_token_expires_when_the_clock_has_moved_on(stage, code_of):
    token = stage.user_token()
    stage.control("clock", {"advance_seconds": 5401})

    assert code_of(stage.graph("GET", "/me", token)) == (401, 190, 463)


def test_a_person_who_lost_the_role_can_no_longer_act_for_the_page(stage, code_of):
    token = stage.page_token()
    order = {"page_id": stage.page, "asid": stage.asid, "tasks": []}
    stage.control("meta/pages/tasks", order)

    assert code_of(stage.graph("GET", f"/{stage.page}/conversations", token)) == (401, 190, 492)


def test_unknown_tokens_paths_and_versions_are_graph_errors(stage, code_of):
    token = stage.user_token()

    assert code_of(stage.graph("GET", "/me", "EAAGnever")) == (400, 190, None)
    assert code_of(stage.graph("GET", "/me/friends/of/mine", token)) == (400, 2500, None)
    assert code_of(stage.http.get("/v99.0/me")) == (400, 2500, None)
    assert code_of(stage.http.get("/v26.0/me")) == (400, 104, None)
