"""The page of what needs a second person, and what it asks the centre to do."""

from __future__ import annotations

import re

import pytest

from console.requests import MOST_LETTERS, request_view
from core import audit
from core.errors import RefusedError
from core.scope import EVERYTHING, Grant
from core.stores import requests
from core.stores.requests import LIFE, Asked, RequestState

NOW = 1_795_300_000_000_000_000
GRANT = Asked("users.grant", b'{"name":"moi","role":"administrator","unit":"th"}', "thay người")
MADE = (
    "'quantri', who asked for it, has made, granted to or reset your account within 30 days: "
    "it takes an approver whom another administrator or this machine's account has made"
)


@pytest.fixture
def put(state):
    """Keeps a request of this user; returns its number."""

    def putting(actor="quantri", asked=GRANT, at=NOW):
        with state.begin() as connection:
            return requests.put(connection, at, actor, asked)

    return putting


def forms(page):
    return re.findall(r'action="(/requests/[^"]+)"', page)


def test_an_approver_sees_what_waits_and_is_led_there(approver, put):
    put()
    page = approver.get("/requests").text
    assert "Giao vai trò cho tài khoản" in page
    assert "Tên: moi" in page
    assert "Đơn vị: th" in page
    assert "Lý do: thay người" in page
    assert forms(page) == ["/requests/1/approve", "/requests/1/refuse"]
    assert '<a href="/requests" aria-current="page">' in page


def test_others_see_their_own_alone_and_may_take_it_back(administrator, put):
    put()
    put("khac")
    page = administrator.get("/requests").text
    assert forms(page) == ["/requests/1/withdraw"]
    assert "request-2" not in page
    assert '<a href="/requests"' not in page
    assert "Không có đề nghị nào" not in page


def test_an_approver_of_a_unit_sees_what_lies_within_it_and_his_own(approver, centre, put):
    centre.set_grants("duyet", Grant("approver", "hnoi"))
    for units in (("hnoi",), ("dnang",), ("hnoi", "dnang"), ("",)):
        put(asked=GRANT._replace(units=units))
    put("duyet", GRANT._replace(units=("dnang",)))
    found = ["/requests/5/withdraw", "/requests/1/approve", "/requests/1/refuse"]
    assert forms(approver.get("/requests").text) == found


def test_one_whose_values_cannot_be_read_is_shown_without_them(approver, put):
    put(asked=GRANT._replace(body=b"no values"))
    page = approver.get("/requests").text
    assert forms(page) == ["/requests/1/approve", "/requests/1/refuse"]
    assert "Lý do: thay người" in page


def test_one_whose_account_was_changed_meanwhile_has_lapsed(approver, state, put):
    put(asked=GRANT._replace(subject="user/moi"))
    with state.begin() as connection:
        audit.append(connection, NOW, "quantri", "user.reset", "user/moi")
    page = approver.get("/requests").text
    assert (forms(page), "Hết hạn" in page) == ([], True)


def test_who_asked_does_not_decide(approver, centre, put):
    centre.set_grants("duyet", Grant("approver"), Grant("viewer"))
    put("duyet")
    assert forms(approver.get("/requests").text) == ["/requests/1/withdraw"]


def test_an_approval_goes_to_the_centre(approver, centre, put):
    put()
    answer = approver.post("/requests/1/approve")
    assert (answer.status_code, answer.headers["location"]) == (303, "/requests")
    assert centre.calls[-1] == ("requests.approve", "duyet", {"id": 1, "text": ""})


def test_a_refusal_needs_a_reason(approver, centre, put):
    put()
    before = len(centre.calls)
    answer = approver.post("/requests/1/refuse", {"text": "  "})
    assert (answer.status_code, len(centre.calls)) == (422, before)
    assert "Đề nghị số 1: hãy ghi lý do từ chối." in answer.text
    assert approver.post("/requests/1/refuse", {"text": " chưa cần "}).status_code == 303
    assert centre.calls[-1] == ("requests.refuse", "duyet", {"id": 1, "text": "chưa cần"})


def test_one_takes_back_what_one_asked_for(administrator, centre, put):
    put()
    assert administrator.post("/requests/1/withdraw").status_code == 303
    assert centre.calls[-1] == ("requests.withdraw", "quantri", {"id": 1, "text": ""})


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("request 1 is no longer open", "đề nghị số 1 không còn chờ duyệt"),
        ("this concerns units that are not yours to decide on", "việc này thuộc đơn vị không do bạn quyết định"),
        ("'quantri', who asked for it, may no longer do this", "&#39;quantri&#39;, người đề nghị, không còn quyền"),
        (
            "the account was changed after request 1 was made: it has lapsed, ask anew",
            "tài khoản đã thay đổi sau khi có đề nghị số 1",
        ),
        (
            MADE,
            "&#39;quantri&#39;, người đề nghị, đã tạo, giao quyền hoặc cấp lại tài khoản của bạn",
        ),
        (
            "request 1 is of another version of the platform: refuse it, have it asked anew",
            "đề nghị số 1 thuộc phiên bản khác của hệ thống",
        ),
    ],
)
def test_what_the_centre_refuses_is_told_in_the_readers_language(approver, centre, put, reason, told):
    put()
    token = approver.token()
    centre.error = RefusedError(reason)
    values = {"_csrf_token": token, "text": "không <được>"}
    answer = approver.client.post("/requests/1/refuse", data=values, follow_redirects=False)
    assert answer.status_code == 409
    assert told in answer.text
    assert 'value="không &lt;được&gt;"' in answer.text


@pytest.mark.parametrize("action", ["approve", "refuse"])
def test_who_is_no_approver_decides_nothing(administrator, centre, put, action):
    put("khac")
    before = len(centre.calls)
    assert administrator.post(f"/requests/1/{action}", {"text": "x"}).status_code == 403
    assert len(centre.calls) == before


def test_a_request_that_lapsed_or_was_decided_has_no_form(approver, state, put):
    put(at=NOW - LIFE - 1)
    number = put()
    with state.begin() as connection:
        found = requests.read(connection, number)
        requests.decide(connection, NOW, "duyet2", found, RequestState.REFUSED, "chưa cần")
    page = approver.get("/requests").text
    assert forms(page) == []
    for text in ("Hết hạn", "Đã từ chối hoặc rút lại", "duyet2", "chưa cần"):
        assert text in page


def test_nothing_to_decide_is_said_in_both_languages(approver):
    assert "Không có đề nghị nào." in approver.get("/requests").text
    approver.client.cookies.set("haidang_language", "en")
    assert "There are no requests." in approver.get("/requests").text


def test_what_was_asked_for_hides_nothing_and_has_a_bound(put, state):
    put(asked=Asked("users.grant", b'{"name":"a\\u202eb","role":""}', ""))
    put(asked=Asked("inventory.delete", b'{"rows":["%s"]}' % (b"x" * 5_000), ""))
    with state.connect() as connection:
        long, odd = [request_view(one, "an", NOW) for one in requests.list_requests(connection, EVERYTHING)]
    assert odd.values == (("name", "a‹U+202E›b"),)
    assert len(long.values[0][1]) == MOST_LETTERS + 1


def test_what_is_to_be_deleted_is_told_record_by_record(approver, put):
    put(asked=Asked("inventory.delete", b'{"keys":[["devices","rt-tha"],["sites","th <1>"]]}', "hỏng"))
    assert "Bản ghi: 2: devices rt-tha; sites th &lt;1&gt;" in approver.get("/requests").text
