"""The rules' pages: list, filters, one rule, and switching it on and off."""

from __future__ import annotations

import re
from html import unescape

import pytest

from console import paging
from console.rule_views import Asked
from core.clock import HOUR
from core.errors import NotFoundError, UnavailableError
from core.records import Logsource, Severity
from core.scope import Grant
from core.stores.catalogue import CatalogueRule, RuleState, count_hits, put_catalogue
from core.stores.rules import switch_off

ID = "43b774dd-fe57-4c3e-b194-1c299f864c6d"
OTHER = "2b89676c-cbed-49db-ab83-6a389143c7f8"
NOW = 1_795_300_000_000_000_000
YAML = b"title: <b>One</b>\nid: x # https://example.org\n\x1b[2J\n"


def rule(identity=ID, **changed):
    values = {
        "id": identity,
        "file": f"detections/rules/identity/{identity}.yml",
        "title": {"vi": "Đăng nhập SSH thất bại", "en": "SSH login failed"},
        "guide": {"vi": ("Xem <địa chỉ>", "Chặn"), "en": ("See it", "Block it")},
        "state": RuleState.ENABLED,
        "description": "Wrong <password>",
        "level": Severity.HIGH,
        "logsource": Logsource(product="linux", service="sshd"),
        "techniques": ("T1110.001",),
    }
    return CatalogueRule(**(values | changed))


@pytest.fixture
def put(state):
    """Makes these rules the catalogue."""

    def putting(*entries):
        with state.begin() as connection:
            put_catalogue(connection, entries, {one.file: YAML for one in entries})

    return putting


def titles(page):
    return [unescape(title) for title in re.findall(r'<a href="/rules/[0-9a-f-]{36}(?:\?[^"]+)?">([^<]+)</a>', page)]


def test_a_row_tells_level_state_hits_source_and_where_it_is_kept(analyst, put, state):
    put(rule())
    with state.begin() as connection:
        count_hits(connection, [ID] * 3, NOW - 2 * HOUR)
        count_hits(connection, [ID] * 4, NOW - 48 * HOUR)
    page = analyst.get("/rules").text
    for text in ("Cao", "Đăng nhập SSH thất bại", "Đang bật", "linux · sshd", "T1110.001", "detections/rules/identity"):
        assert text in page
    assert re.findall(r'class="figure" data-label="[^"]+">(\d+)<', page) == ["3", "7"]
    assert "22/11/2026 03:26:40" in page
    assert "Quy tắc 1 đến 1 trong 1" in page


def test_what_hits_most_stands_first(analyst, put, state):
    put(rule(), rule(OTHER, title={"vi": "Hai", "en": "Two"}, level=Severity.LOW))
    with state.begin() as connection:
        count_hits(connection, [OTHER], NOW)
    assert titles(analyst.get("/rules").text) == ["Hai", "Đăng nhập SSH thất bại"]


def test_to_who_sees_a_part_of_the_incidents_the_order_tells_nothing_of_hits(browser, centre, put, state):
    put(rule(), rule(OTHER, title={"vi": "Hai", "en": "Two"}, level=Severity.LOW))
    with state.begin() as connection:
        count_hits(connection, [OTHER], NOW)
    centre.set_grants("xem", Grant("viewer", "hnoi"))
    browser.sign_in("xem")
    assert titles(browser.get("/rules").text) == ["Đăng nhập SSH thất bại", "Hai"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=dang+nhap", 1),
        ("q=đang", 0),
        ("q=hai", 1),
        ("level=low", 1),
        ("state=disabled", 1),
        ("state=refused", 0),
        ("product=linux", 2),
        ("product=linux&level=critical", 0),
        ("product=zzz", 2),
        ("page=nonsense", 2),
        ("state=nonsense&level=nonsense", 2),
        ("page=99", 2),
        ("page=-5", 2),
    ],
)
def test_each_filter_shows_its_own(analyst, put, query, found):
    low = rule(OTHER, title={"vi": "Hai", "en": "Two"}, level=Severity.LOW, state=RuleState.DISABLED)
    put(rule(), low)
    page = analyst.get(f"/rules?{query}").text
    assert len(titles(page)) == found
    assert ("Không có quy tắc nào như vậy" in page) == (not found)


def test_a_filter_keeps_the_others_and_says_how_many_there_are(analyst, put):
    put(rule(), rule(OTHER, state=RuleState.DISABLED))
    page = unescape(analyst.get("/rules?q=ssh&level=high").text)
    assert 'href="/rules?q=ssh&state=disabled&level=high">Đã tắt 1</a>' in page
    assert 'value="ssh"' in page
    assert '<option value="high" selected>' in page


def test_a_long_list_comes_in_pages(analyst, put, monkeypatch):
    monkeypatch.setattr(paging, "PAGE_ROWS", 2)
    monkeypatch.setattr("console.rules.PAGE_ROWS", 2)
    put(*(rule(f"{number:08x}-0000-0000-0000-000000000000", title={"vi": f"Q{number}"}) for number in range(5)))
    shown = [titles(analyst.get(f"/rules?q=q&page={page}").text) for page in (1, 2, 3)]
    assert shown == [["Q0", "Q1"], ["Q2", "Q3"], ["Q4"]]
    page = unescape(analyst.get("/rules?q=q&page=2").text)
    assert page.count('href="/rules?q=q" rel="prev"') == 2
    assert page.count('href="/rules?q=q&page=3" rel="next"') == 2
    assert page.index('rel="next"') < page.index("<table") < page.rindex('rel="next"')
    assert re.search(r'aria-current="page"><span class="unseen">Trang</span> 2</b>', page)


@pytest.mark.parametrize(
    ("page", "total", "numbers"),
    [
        (1, 100, [1]),
        (1, 1000, [1, 2, 3, None, 10]),
        (6, 1000, [1, None, 4, 5, 6, 7, 8, None, 10]),
        (10, 1000, [1, None, 8, 9, 10]),
        (3, 500, [1, 2, 3, 4, 5]),
    ],
)
def test_the_first_the_last_and_the_pages_about_are_offered_by_number(page, total, numbers):
    links = paging.pager(Asked().address, page, total).links
    assert [link and link.number for link in links] == numbers


def test_tabs_count_what_the_search_would_show(analyst, put):
    put(rule(), rule(OTHER, title={"vi": "Hai"}, state=RuleState.DISABLED))
    tabs = re.compile(r'<a href="/rules[^"]*"(?: aria-current="true")?>(\D+ \d+)</a>')
    assert tabs.findall(analyst.get("/rules").text) == ["Tất cả 2", "Đang bật 1", "Đã tắt 1", "Bị từ chối 0"]
    searched = analyst.get("/rules?q=hai&state=enabled").text
    assert tabs.findall(searched) == ["Tất cả 1", "Đang bật 0", "Đã tắt 1", "Bị từ chối 0"]


def test_an_unknown_value_in_the_address_asks_for_nothing_and_is_not_kept(analyst, put):
    put(rule())
    page = analyst.get("/rules?state=zzz&level=zzz&product=zzz").text
    assert "zzz" not in page.replace('name="back" value="/rules?state=zzz&amp;level=zzz&amp;product=zzz"', "")
    assert '<a href="/rules" aria-current="true">Tất cả 1</a>' in page


def test_a_rule_leads_back_to_the_part_of_the_list_one_came_from(engineer, put, monkeypatch):
    monkeypatch.setattr(paging, "PAGE_ROWS", 1)
    monkeypatch.setattr("console.rules.PAGE_ROWS", 1)
    put(rule(), rule(OTHER, title={"vi": "SSH khác"}, level=Severity.LOW))
    link = f"/rules/{OTHER}?q=ssh&state=enabled&page=2"
    assert f'href="{link}"' in unescape(engineer.get("/rules?q=ssh&state=enabled&page=2").text)
    page = unescape(engineer.get(link).text)
    assert '<a href="/rules?q=ssh&state=enabled&page=2">← Danh sách quy tắc</a>' in page
    switch = f"/rules/{OTHER}/disable?q=ssh&state=enabled&page=2"
    assert f'action="{switch}"' in page
    assert engineer.post(switch, {"text": "ồn"}).headers["location"] == link


def test_a_refused_rule_says_why_in_the_readers_language(analyst, put):
    known = rule(state=RuleState.REFUSED, reason="needs values of the site for %x%")
    put(known, rule("", file="packs/hq/b.yml", state=RuleState.REFUSED, reason="not <valid>"))
    page = analyst.get("/rules?state=refused").text
    assert "cần giá trị riêng của đơn vị cho %x%" in page
    assert "not &lt;valid&gt;" in page
    assert "<b>Đăng nhập SSH thất bại</b>" in page


def test_a_refusal_keeps_the_loaders_words_beside_ours(analyst, put):
    put(
        rule(state=RuleState.REFUSED, reason="the rule has no id; give it a random UUID"),
        rule(OTHER, file="x/two.yml", state=RuleState.REFUSED, reason="words <of> tomorrow"),
    )
    page = analyst.get(f"/rules/{ID}").text
    assert "Lý do từ chối: quy tắc không có mã" in page
    assert '<span class="small" lang="en">the rule has no id; give it a random UUID</span>' in page
    unknown = analyst.get(f"/rules/{OTHER}").text
    assert "Lý do từ chối: quy tắc này không dùng được" in unknown
    assert '<span class="small" lang="en">words &lt;of&gt; tomorrow</span>' in unknown
    analyst.client.cookies.set("haidang_language", "en")
    assert analyst.get(f"/rules/{ID}").text.count("the rule has no id") == 1


@pytest.mark.parametrize("title", ["", '""', " "])
def test_a_rule_without_id_or_title_is_told_by_its_file(analyst, put, title):
    put(rule("", file="packs/hq/a/b.yml", title={"vi": title, "en": title}, state=RuleState.REFUSED))
    page = analyst.get("/rules").text
    assert "<b>b.yml</b>" in page
    assert '<span class="object">packs/hq/a/b.yml</span>' in page


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("detections/rules/identity/x.yml", "identity"),
        ("packs/hq/rules/windows/x.yml", "hq"),
        ("site/own/x.yml", "site/<wbr>own"),
        ("detections/rules/x.yml", "detections/<wbr>rules"),
    ],
)
def test_where_a_rule_is_kept_is_short_and_breaks_between_folders(analyst, put, file, told):
    put(rule(file=file))
    assert f'class="c-origin" title="{file.removesuffix("/x.yml")}">{told}</td>' in analyst.get("/rules").text


def test_a_description_says_that_it_is_english(analyst, put):
    put(rule())
    page = analyst.get(f"/rules/{ID}").text
    assert '<span class="tag">tiếng Anh</span></h2>\n    <p class="prose" lang="en">Wrong' in page


def test_a_guide_is_a_list_without_boxes_that_nobody_would_keep(analyst, put):
    put(rule())
    assert 'type="checkbox"' not in analyst.get(f"/rules/{ID}").text


def test_a_signal_rule_says_why_it_has_no_alerts(analyst, put):
    put(rule(signal=True), rule(OTHER))
    assert "tự nó không tạo cảnh báo" in analyst.get(f"/rules/{ID}").text
    assert "Chưa có cảnh báo nào." in analyst.get(f"/rules/{OTHER}").text


def test_a_rules_page_shows_all_that_is_known_of_it(analyst, put, store, make_alert):
    correlation = rule(OTHER, title={"vi": "Dò mật khẩu", "en": "Guessing"}, kind="correlation", references=(ID,))
    put(rule(), correlation)
    store(make_alert(rule=ID))
    page = analyst.get(f"/rules/{ID}").text
    for text in ("Wrong &lt;password&gt;", "Xem &lt;địa chỉ&gt;", "T1110.001", ID, "không thuộc gói nào"):
        assert text in page
    assert 'href="/incidents/1">Sự cố 1: Dò mật khẩu SSH</a>' in page
    assert f'<a href="/rules/{OTHER}">Dò mật khẩu</a>' in page
    assert "title: &lt;b&gt;One&lt;/b&gt;\nid: x # https://example.org\n‹ESC›[2J" in page
    assert f'<a href="/rules/{ID}">Đăng nhập SSH thất bại</a>' in analyst.get(f"/rules/{OTHER}").text
    assert "Lấy kết quả của các quy tắc" in analyst.get(f"/rules/{OTHER}").text


def test_a_reference_that_is_gone_is_left_out(analyst, put):
    put(rule(kind="correlation", references=(OTHER,)))
    assert analyst.get(f"/rules/{ID}").status_code == 200


def test_a_rule_that_is_not_there_says_so(analyst, put):
    put(rule())
    answer = analyst.get(f"/rules/{OTHER}")
    assert answer.status_code == 404
    assert f"Không có quy tắc '{OTHER}'" in unescape(answer.text)


def test_pages_of_rules_are_there_in_english(analyst, put):
    put(rule())
    analyst.client.cookies.set("haidang_language", "en")
    assert titles(analyst.get("/rules").text) == ["SSH login failed"]
    page = analyst.get(f"/rules/{ID}").text
    assert "Block it" in page
    assert "Triage guide" in page


def test_only_who_may_sees_the_switch_and_may_use_it(analyst, put, centre):
    put(rule())
    assert "<textarea" not in analyst.get(f"/rules/{ID}").text
    before = len(centre.calls)
    assert analyst.post(f"/rules/{ID}/disable", {"text": "ồn"}).status_code == 403
    assert len(centre.calls) == before


def test_a_rule_is_disabled_for_a_reason_and_enabled_again(engineer, put, centre, state):
    put(rule())
    answer = engineer.post(f"/rules/{ID}/disable", {"text": " ồn "})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rules/{ID}")
    assert centre.calls[-1] == ("rules.disable", "kysu", {"rules": [ID], "text": "ồn"})
    put(rule(state=RuleState.DISABLED))
    with state.begin() as connection:
        switch_off(connection, NOW, "binh", [ID], "quá ồn")
    page = engineer.get(f"/rules/{ID}").text
    for text in ("binh", "quá ồn", "Bật quy tắc"):
        assert text in page
    assert engineer.post(f"/rules/{ID}/enable").status_code == 303
    assert centre.calls[-1] == ("rules.enable", "kysu", {"rules": [ID], "text": ""})


def test_a_rule_is_not_disabled_without_a_reason(engineer, put, centre):
    put(rule())
    before = len(centre.calls)
    answer = engineer.post(f"/rules/{ID}/disable", {"text": "  "})
    assert answer.status_code == 422
    assert "Hãy ghi lý do tắt quy tắc." in answer.text
    assert len(centre.calls) == before


@pytest.mark.parametrize("switch", ["enable", "disable"])
def test_a_reason_that_is_too_long_is_refused_in_plain_words(engineer, put, centre, switch):
    put(rule())
    before = len(centre.calls)
    answer = engineer.post(f"/rules/{ID}/{switch}", {"text": "x" * 1001})
    assert answer.status_code == 422
    assert "Lý do có tối đa 1000 ký tự" in answer.text
    assert "x" * 1001 in answer.text
    assert len(centre.calls) == before


def test_the_end_of_a_line_counts_as_one_character(engineer, put, centre):
    put(rule())
    assert engineer.post(f"/rules/{ID}/disable", {"text": "x\r\n" * 500}).status_code == 303
    assert centre.calls[-1][2]["text"] == ("x\n" * 500).strip()


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (NotFoundError(f"there is no rule '{ID}'"), 404, f"không có quy tắc '{ID}'"),
        (UnavailableError("the centre does not answer"), 503, "chưa trả lời"),
    ],
)
def test_a_refusal_is_told_and_what_was_typed_is_kept(engineer, put, centre, error, status, line):
    put(rule())
    centre.error = error
    answer = engineer.post(f"/rules/{ID}/disable", {"text": "quá ồn"})
    assert answer.status_code == status
    assert line in unescape(answer.text)
    assert ">quá ồn</textarea>" in answer.text


def test_what_goes_with_a_switch_is_said_beside_it(engineer, put):
    put(
        rule(file="x/two.yml"),
        rule("11111111-0000-0000-0000-000000000000", file="x/two.yml"),
        rule(OTHER, kind="correlation", references=(ID,)),
    )
    page = engineer.get(f"/rules/{ID}").text
    assert "Tệp này có 2 quy tắc, được bật và tắt cùng nhau." in page
    assert "các quy tắc tương quan cần nó cũng ngừng" in page


def test_the_list_is_reached_from_every_page(analyst):
    assert '<a href="/rules" data-key="r">' in analyst.get("/").text
    assert '<a href="/rules" data-key="r" aria-current="page">' in analyst.get("/rules").text


def test_a_rules_page_lies_under_the_list_in_the_menu(analyst, put):
    put(rule())
    assert '<a href="/rules" data-key="r" aria-current="true">' in analyst.get(f"/rules/{ID}").text
