"""One incident: everything on its page, and what people do with it."""

from __future__ import annotations

import dataclasses
import html
import re

import pytest

from core.errors import NotFoundError, RefusedError, UnavailableError
from core.incident import State, TimelineEntry, Verdict
from core.records import Severity
from core.scope import Grant
from core.stores.catalogue import CatalogueRule, RuleState, put_catalogue
from core.stores.incidents import commit

HTMX = {"HX-Request": "true"}


def test_the_page_shows_all_that_belongs_to_the_incident(analyst, store, make_alert):
    store(make_alert(lines=3, count=8), units=("VKS-HN",), devices=("fw-hn-01",), channel="telephone")
    page = analyst.get("/incidents/1").text
    for text in (
        "Sự cố số 1",
        "TLP:AMBER",
        "VKS-HN",
        "fw-hn-01",
        "Điện thoại",
        "T1110.001",
        "opened by its first alert",
    ):
        assert text in page
    assert "5 sự kiện ở giữa" in page
    assert "Mở sự cố" in page


def test_every_raw_line_is_there(analyst, store, make_alert):
    store(make_alert(raw=b"a unique line", lines=100))
    assert analyst.get("/incidents/1").text.count("<code>a unique line</code>") == 100


def test_a_raw_line_is_never_markup(analyst, store, make_alert):
    store(make_alert(raw=b"GET /<script>alert(1)</script>\x1b[31m\xff\" onload='x"))
    for path in ("/incidents/1", "/incidents/1/part"):
        page = analyst.get(path).text
        assert "<script>alert" not in page
        assert "<code>GET /&lt;script&gt;alert(1)&lt;/script&gt;‹ESC›[31m\ufffd&#34; onload=&#39;x</code>" in page


def test_a_closed_incident_shows_its_verdict_and_no_button_to_close_it_again(analyst, store):
    store(state=State.CLOSED, verdict=Verdict.FALSE_POSITIVE)
    page = analyst.get("/incidents/1").text
    assert "Cảnh báo sai" in page
    assert 'data-opens="close"' not in page


def test_an_incident_that_is_not_there_is_not_found(analyst):
    answer = analyst.get("/incidents/404")
    assert answer.status_code == 404
    assert "Không tìm thấy" in answer.text


@pytest.mark.parametrize(
    ("path", "typed", "call"),
    [
        ("acknowledge", {}, ("incidents.acknowledge", {})),
        ("assign", {"owner": "binh"}, ("incidents.assign", {"owner": "binh"})),
        ("note", {"text": " đã gọi điểm cầu "}, ("incidents.note", {"text": "đã gọi điểm cầu"})),
        ("note", {"text": "123"}, ("incidents.note", {"text": "123"})),
        (
            "close",
            {"verdict": "benign", "close_text": "kiểm tra xong"},
            ("incidents.close", {"verdict": "benign", "text": "kiểm tra xong"}),
        ),
    ],
)
def test_each_form_becomes_one_call_in_the_users_name(analyst, store, centre, path, typed, call):
    store()
    answer = analyst.post(f"/incidents/1/{path}", typed)
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents/1")
    assert centre.calls[-1] == (call[0], "an", {"id": 1, **call[1]})


def test_a_part_that_did_something_has_the_page_refreshed(analyst, store):
    store()
    answer = analyst.post("/incidents/1/acknowledge", {}, **HTMX)
    assert (answer.status_code, answer.text, answer.headers["HX-Trigger"]) == (200, "", "refresh")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (RefusedError("incident 1 was changed <meanwhile>"), 409, "Không thực hiện được: incident 1 was changed"),
        (NotFoundError("gone"), 404, "Không tìm thấy"),
        (UnavailableError("down"), 503, "Trung tâm xử lý chưa trả lời"),
    ],
)
def test_a_refusal_is_one_line_and_keeps_what_was_typed(analyst, store, centre, error, status, line):
    store()
    centre.error = error
    answer = analyst.post("/incidents/1/note", {"text": "dài & <b>quý</b>"})
    assert answer.status_code == status
    assert line in answer.text
    assert "<meanwhile>" not in answer.text
    assert "dài &amp; &lt;b&gt;quý&lt;/b&gt;</textarea>" in answer.text
    part = analyst.post("/incidents/1/note", {"text": "dài"}, **HTMX)
    assert part.status_code == status
    assert part.text.startswith(line)
    assert "<" not in part.text


def test_closing_keeps_verdict_and_words_when_it_is_refused(analyst, store, centre):
    store()
    centre.error = RefusedError("no")
    page = analyst.post("/incidents/1/close", {"verdict": "duplicate", "close_text": "như sự cố 7"}).text
    assert re.search(r'value="duplicate" required checked', page)
    assert "như sự cố 7</textarea>" in page


@pytest.mark.parametrize(
    ("path", "typed", "line"),
    [
        ("note", {"text": "   "}, "Ghi chú còn trống"),
        ("assign", {"owner": ""}, "Hãy chọn người xử lý"),
        ("close", {"close_text": "x"}, "Hãy chọn kết luận"),
        ("close", {"verdict": "whatever"}, "Hãy chọn kết luận"),
    ],
)
def test_an_incomplete_form_is_not_sent_on(analyst, store, centre, path, typed, line):
    store()
    before = len(centre.calls)
    answer = analyst.post(f"/incidents/1/{path}", typed)
    assert answer.status_code == 422
    assert line in answer.text
    assert len(centre.calls) == before


def test_only_those_who_may_work_on_it_can_be_chosen(analyst, store, centre):
    centre.set_user("binh", disabled=1)
    store()
    page = analyst.get("/incidents/1").text
    assert re.findall(r"<option>(\w+)</option>", page) == ["an"]


def test_a_viewer_may_look_and_not_touch(browser, store, centre):
    store()
    browser.sign_in("xem")
    page = browser.get("/incidents/1")
    assert page.status_code == 200
    assert 'action="/incidents' not in page.text
    before = len(centre.calls)
    for path in ("acknowledge", "assign", "note", "close"):
        assert (
            browser.post(f"/incidents/1/{path}", {"text": "x", "owner": "xem", "verdict": "benign"}).status_code == 403
        )
    assert browser.post("/incidents/new", {"title": "x"}).status_code == 403
    assert len(centre.calls) == before


NEW = {"title": "Mất mạng", "severity": "high", "site": "hn", "channel": "telephone", "text": "Ông B. gọi lúc 3 giờ"}


def test_a_new_incident_goes_to_the_centre_and_its_page_opens(analyst, centre):
    answer = analyst.post("/incidents/new", NEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents/7")
    assert centre.calls[-1] == ("incidents.create", "an", NEW)


@pytest.mark.parametrize(
    "fault", [{"title": " "}, {"severity": "bad"}, {"site": "nowhere"}, {"channel": "pigeon"}, {"channel": "detection"}]
)
def test_a_new_incident_that_is_incomplete_is_not_sent_on_and_keeps_what_was_typed(analyst, centre, fault):
    answer = analyst.post("/incidents/new", NEW | fault)
    assert answer.status_code == 422
    assert "Ông B. gọi lúc 3 giờ</textarea>" in answer.text
    assert [call[0] for call in centre.calls] == ["session.begin"]


def test_a_new_incident_that_is_refused_keeps_every_field(analyst, centre):
    centre.error = UnavailableError("down")
    answer = analyst.post("/incidents/new", NEW)
    assert answer.status_code == 503
    for kept in ('value="Mất mạng"', 'value="high" selected', 'value="hn" selected', 'value="telephone" selected'):
        assert kept in answer.text
    assert "Ông B. gọi lúc 3 giờ</textarea>" in answer.text


def test_the_form_for_a_new_incident_offers_the_sites_in_vietnamese_order(analyst):
    page = analyst.get("/incidents/new").text
    assert re.findall(r'<option value="(?:hn|dn)">([^<]+)<', page) == [
        "Viện KSND thành phố Đà Nẵng",
        "Viện KSND thành phố Hà Nội",
    ]


def test_a_body_beyond_all_measure_is_refused(analyst, store):
    store()
    answer = analyst.post("/incidents/1/note", {"text": "x" * 300_000})
    assert answer.status_code == 413


def test_a_live_stream_of_an_incident_that_is_not_there_is_not_found(analyst, browser, centre, store):
    store(sites=("dn",))
    assert analyst.get("/stream?incident=404").status_code == 404
    centre.set_grants("an", Grant("analyst", "hnoi"))
    assert browser.get("/stream?incident=1").status_code == 404


def test_of_a_shared_incident_strangers_and_what_was_hit_elsewhere_are_not_told(
    browser, centre, store, make_alert, state
):
    object_ = (("host.name", "rt-dn-bi-mat"), ("source.ip", "203.0.113.7"))
    stored = store(
        make_alert(site="hn"),
        make_alert(id="alert-2", site="dn", title={"vi": "Máy rt-dn-bi-mat"}, object=object_),
        sites=("dn", "hn"),
        units=("dnang", "hnoi"),
        object=object_,
        owner="binh",
        title={"vi": "Máy rt-dn-bi-mat", "en": "Host rt-dn-bi-mat"},
    )
    entries = [
        ("haidang", "evidence", "Máy rt-dn-bi-mat"),
        ("binh", "noted", "mật khẩu là hunter2"),
        ("xem", "noted", "chúng tôi đang xem"),
        ("kysu", "assigned", "binh"),
        ("local:root", "noted", "của máy chủ"),
        ("binh", "closed", "benign: như hunter2"),
    ]
    for actor, action, detail in entries:
        entry = TimelineEntry(time=stored.updated, actor=actor, action=action, detail=detail)
        with state.begin() as connection:
            stored = commit(connection, stored, stored, entry)
    centre.set_grants("xem", Grant("viewer", "hnoi"))
    centre.set_grants("binh", Grant("analyst", "dnang"))
    browser.sign_in("xem")
    told = [browser.get(path).text for path in ("/incidents/1", "/incidents/1/part", "/", "/incidents.json")]
    for text in told:
        assert "rt-dn-bi-mat" not in text
        assert "binh" not in text
        assert "hunter2" not in text
        assert "203.0.113.7" in text
    for text in ("<b>đơn vị khác</b>", "chúng tôi đang xem", "của máy chủ", "Vô hại"):
        assert text in told[0]


def guides(page: str) -> list[tuple[bool, list[str]]]:
    """Of each guide on the page: whether it is open, and its steps."""
    found = re.findall(r'<details class="guide" id="guide-\d+"( open)?>(.*?)</details>', page, re.DOTALL)
    return [(bool(is_open), re.findall(r"<li>(.*?)</li>", body)) for is_open, body in found]


def test_the_triage_guide_is_under_its_alert_in_the_pages_language(analyst, store, make_alert):
    store(make_alert())
    page = analyst.get("/incidents/1").text
    assert guides(page) == [(True, ["Xem địa chỉ nguồn", "Chặn &lt;địa chỉ&gt;"])]
    assert "<h4>Hướng dẫn xử lý</h4>" in page
    analyst.client.cookies.set("haidang_language", "en")
    page = analyst.get("/incidents/1/part").text
    assert guides(page) == [(True, ["See the source", "Block &lt;it&gt;"])]
    assert "<h4>Triage guide</h4>" in page


def test_the_gravest_alert_stands_first_and_only_its_guide_is_open(analyst, store, make_alert):
    severities = (Severity.LOW, Severity.CRITICAL, Severity.CRITICAL, Severity.HIGH)
    alerts = (make_alert(id=f"a{at}", name=f"rule_{at}", start=at, severity=one) for at, one in enumerate(severities))
    store(*alerts)
    page = analyst.get("/incidents/1").text
    assert re.findall(r"<dd>rule_(\d) <small", page) == ["1", "2", "3", "0"]
    assert [is_open for is_open, _ in guides(page)] == [True, False, False, False]


def test_an_alert_of_a_rule_without_a_guide_shows_none(analyst, store, make_alert):
    store(make_alert(rule="no-longer-there"))
    page = analyst.get("/incidents/1").text
    assert "no-longer-there" in page
    assert "Hướng dẫn xử lý" not in page


def test_a_rule_is_told_by_its_name_and_its_id_is_small(analyst, store, make_alert):
    store(make_alert(rule="r-1", name="ssh_password_guessing"), make_alert(id="nameless", rule="r-2"))
    page = analyst.get("/incidents/1").text
    assert '<dd>ssh_password_guessing <small class="faint">r-1</small></dd>' in page
    assert "<dd>r-2</dd>" in page


def test_an_alert_leads_to_its_rule_where_that_has_a_page(analyst, store, make_alert, state):
    entry = CatalogueRule(id="r-1", file="a/b.yml", title={"vi": "Dò"}, guide={}, state=RuleState.ENABLED)
    with state.begin() as connection:
        put_catalogue(connection, [entry], {"a/b.yml": b"title: T"})
    store(make_alert(rule="r-1", name="guessing"), make_alert(id="other", rule="gone"))
    page = analyst.get("/incidents/1").text
    assert '<dd><a href="/rules/r-1">guessing</a> <small class="faint">r-1</small></dd>' in page
    assert 'href="/rules/gone"' not in page


@pytest.mark.parametrize(("lines", "folded"), [(20, 0), (21, 6), (100, 85)])
def test_of_much_evidence_the_first_and_last_lines_are_open(analyst, store, make_alert, lines, folded):
    store(make_alert(raw=b"a line", lines=lines))
    page = analyst.get("/incidents/1").text
    inside = "".join(re.findall(r'<details id="folded-1">.*?</details>', page, re.DOTALL))
    assert inside.count("<code>a line</code>") == folded
    assert page.count("<code>a line</code>") == lines
    assert (f"{folded} dòng ở giữa" in inside) == bool(folded)


@pytest.mark.parametrize("number", ["99999999999999999999999", str(1 << 63), "9" * 5000, "-1"])
@pytest.mark.parametrize("path", ["", "/part"])
def test_a_number_that_no_incident_can_have_is_not_found(analyst, number, path):
    answer = analyst.get(f"/incidents/{number}{path}")
    assert answer.status_code == 404
    assert "Không tìm thấy" in answer.text


@pytest.mark.parametrize("action", ["acknowledge", "assign", "note", "close"])
def test_nothing_is_done_to_a_number_that_no_incident_can_have(analyst, centre, action):
    before = len(centre.calls)
    assert analyst.post(f"/incidents/99999999999999999999999/{action}", {"text": "x"}).status_code == 404
    assert len(centre.calls) == before


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (RefusedError("incident 1 is closed"), 409, "Không thực hiện được: sự cố số 1 đã đóng."),
        (NotFoundError("there is no user 'gone'"), 404, "Không thực hiện được: không có người dùng 'gone'."),
        (NotFoundError("there is no incident 1, or it is not yours to see"), 404, "Không tìm thấy: trang, sự cố"),
        (RefusedError("words of tomorrow"), 409, "Không thực hiện được: words of tomorrow"),
    ],
)
def test_the_centres_reason_is_told_in_the_readers_language(analyst, store, centre, error, status, line):
    store()
    centre.error = error
    part = analyst.post("/incidents/1/note", {"text": "x"}, **HTMX)
    assert part.status_code == status
    assert html.unescape(part.text).startswith(line)


def test_the_channels_are_those_given_and_one_without_a_text_is_offered_as_it_is(analyst, console):
    analyst.client.app.state["console"] = dataclasses.replace(console, channels=("telephone", "radio"))
    page = analyst.get("/incidents/new").text
    assert re.findall(r'<option value="(telephone|radio|e-mail)">(\w+[^<]*)<', page) == [
        ("telephone", "Điện thoại"),
        ("radio", "radio"),
    ]
