"""Formats that any program may write: CEF, LEEF, databases' JSON; what they leave out and what they bear."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from speakers import message, said

from collectors.files.jsonl import decode_json
from collectors.logs.dialects import understand
from core.logsources import deciding, terms_of
from core.names import names_of
from core.records import Logsource

UNKNOWN = (Logsource(product="", service="syslog"), {})
LONGEST = 64 * 1024
MOST_SECONDS = 0.05
HEAD = "CEF:0|Vendor|Box|1|7|Name|5|"


def cef(extension: str) -> dict[str, object]:
    fields = said(HEAD + extension)
    return {name: value for name, value in fields.items() if not name.startswith(("observer.", "rule.", "event.co"))}


@pytest.mark.parametrize(
    ("extension", "fields"),
    [
        ("", {}),
        ("src=192.0.2.1", {"source.ip": "192.0.2.1"}),
        ("src=192.0.2.1 src=192.0.2.2", {"source.ip": "192.0.2.1"}),
        ("msg=a b  c d=e\\=f", {"event.message": "a b  c"}),
        ("msg=a src\\=192.0.2.9 b", {"event.message": "a src=192.0.2.9 b"}),
        ("msg=one\\ntwo\\\\n\\r", {"event.message": "one\ntwo\\n\r"}),
        (
            "outcome=Successful act=PERMIT",
            {"event.outcome": "success", "event.action": "PERMIT", "event.type": "allowed"},
        ),
        ("outcome=maybe act=seen", {"event.action": "seen"}),
        ("duser=b suser=a", {"user.name": "a", "user.target.name": "b"}),
        ("fileHash=12", {}),
        ("cs1=x cs2Label=Luật số cs2=7", {"cef.luật_số": "7"}),
        ("cs1Label= cs1=x", {}),
        ("fname=báo cáo.doc fsize=12", {"file.name": "báo cáo.doc", "file.size": "12"}),
    ],
)
def test_an_extension_is_read_as_its_escapes_say(extension, fields):
    assert {name: value for name, value in cef(extension).items() if name != "event.severity"} == fields


@pytest.mark.parametrize(
    "text",
    ["CEF:0|a|b|c|d|e", "CEF:x|a|b|c|d|e|f|", "cef:0|a|b|c|d|e|f|", " CEF:0|a|b|c|d|e|f|", "LEEF:1.0|a|b|c|d", "LEEF:"],
)
def test_what_has_no_whole_head_is_of_no_format(text):
    assert understand(message(text)) == UNKNOWN


@pytest.mark.parametrize("program", ["", "CEF", "connector"])
def test_a_whole_line_of_a_file_is_read_whatever_program_the_file_is_of(program):
    assert said("CEF:0|a|b|c|d|e|5|src=192.0.2.1", program)["source.ip"] == "192.0.2.1"


@pytest.mark.parametrize("tab", ["\t", "#011", "<009>", "\\0x09", "\\t"])
def test_a_tab_of_leef_is_known_however_a_relay_writes_it(tab):
    fields = said(f"LEEF:1.0|a|b|c|d|src=192.0.2.1{tab}usrName=nguyen van a{tab}msg=x=y z")
    assert (fields["source.ip"], fields["user.name"], fields["event.message"]) == ("192.0.2.1", "nguyen van a", "x=y z")


@pytest.mark.parametrize("separator", ["^", "x5E", "0x5E", "0x5e"])
def test_a_separator_of_leef_may_be_written_or_given_by_its_code(separator):
    fields = said(f"LEEF:2.0|a|b|c|d|{separator}|src=192.0.2.1^dst=192.0.2.2")
    assert (fields["source.ip"], fields["destination.ip"]) == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    "text",
    [
        '{"atype":"x","result":0} x',
        'x {"atype":"x","result":0}',
        '[{"atype":"x","result":0}]',
        '{"atype":"x"}',
        "{" * LONGEST,
        '{"atype":' * 9000,
        '{"atype":1e999,"result":0',
    ],
)
def test_what_is_not_one_known_object_whole_is_of_no_database(text):
    assert understand(message(text)) == UNKNOWN


def test_values_of_strange_kinds_are_no_fields():
    text = '{"atype":["x"],"result":null,"users":[[]],"param":7,"remote":{"ip":{}}}'
    assert understand(message(text)) == (Logsource(product="mongodb", category="database", service="audit"), {})


AUDITS = [
    (document, sample["logsource"])
    for sample in map(msgspec.json.decode, (Path(__file__).parent / "dialects/audits.jsonl").read_bytes().splitlines())
    for document in [sample["line"][sample["line"].index("{") :].encode()]
]


@pytest.mark.parametrize(("document", "source"), AUDITS)
def test_an_object_in_a_file_says_what_it_does_in_a_message(document, source):
    event = decode_json(document, "file/x/0")
    assert event.logsource == Logsource(**source)
    values = [event.fields.get(field) for field in deciding(event.logsource.product)]
    names = names_of(terms_of(event.logsource, values))
    assert {*names["user.name"], "param.user"} & event.fields.keys()
    assert understand(message(document.decode()))[1].items() <= event.fields.items()


@pytest.mark.parametrize(
    "start", [HEAD, "LEEF:2.0|a|b|c|d||", "LEEF:2.0|a|b|c|d|^|", "LEEF:1.0|a|b|c|d|", "CEF:0|", "{"]
)
@pytest.mark.parametrize(
    "repeated", [" a=", "a=b ", "\\", "|", "\\|", "^", "\t", "=", "cs1Label=x cs1=", '{"a":', "#011"]
)
def test_no_message_of_a_format_of_64_kilobytes_takes_long(start, repeated):
    hostile = message(start + repeated * (LONGEST // len(repeated)))
    begun = time.process_time()
    understand(hostile)
    assert time.process_time() - begun < MOST_SECONDS


def test_a_name_with_commas_cannot_make_a_failed_login_to_mariadb_a_success():
    line = "db-02,x,192.0.2.1,4,0,CONNECT,a,,0,203.0.113.45,6,0,FAILED_CONNECT,,,1045"
    assert said(line, "mysql-server_auditing") == {
        "event.action": "database_login",
        "event.outcome": "failure",
        "event.code": "1045",
    }


def test_the_name_that_a_mail_client_gives_itself_is_no_address():
    line = "plain authenticator failed for ([192.0.2.9]) [203.0.113.45]:1: 535 Incorrect authentication data (set_id=x)"
    assert said(line, "exim")["source.ip"] == "203.0.113.45"


def test_an_error_of_nginx_with_two_clients_names_neither():
    line = '[error] 1#1: *1 open() "/a, client: 192.0.2.9, server: b" failed, client: 203.0.113.45, server: c'
    fields = said(line, "nginx")
    assert fields["event.action"] == "web_error"
    assert "source.ip" not in fields
