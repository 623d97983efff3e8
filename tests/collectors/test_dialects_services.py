"""What auditd, web servers, proxies, name servers, mail, databases and hypervisors say."""

from __future__ import annotations

import time

import pytest
from speakers import message, said

from collectors.logs.dialects import understand
from collectors.logs.dialects.linux import PROGRAMS
from collectors.logs.dialects.web import decoded, url_fields
from core.records import Fields, Logsource

LONGEST = 64 * 1024
MOST_SECONDS = 0.05
AUDIT = "msg=audit(1795303992.123:77): "


def record(kind: str, body: str) -> Fields:
    logsource, fields = understand(message(f"type={kind} {AUDIT}{body}", "audisp-syslog"))
    assert logsource == Logsource(product="linux", service="auditd")
    return {name: value for name, value in fields.items() if name not in ("type", "auditd.log.sequence")}


def test_a_record_of_a_call_has_its_parts_under_their_names():
    body = (
        "arch=c000003e syscall=59 success=yes exit=0 a0=55d1c2a0 a1=7ffe items=2 ppid=811 pid=812 auid=1000 uid=33 "
        'euid=0 tty=pts0 ses=3 comm="bash" exe="/usr/bin/bash" subj=unconfined key="run"\x1dARCH=x86_64 '
        'SYSCALL=execve AUID="van_a" UID="www-data" EUID="root"'
    )
    assert record("SYSCALL", body) == {
        "arch": "c000003e",
        "syscall": "59",
        "SYSCALL": "execve",
        "exit": "0",
        "a0": "55d1c2a0",
        "a1": "7ffe",
        "items": "2",
        "tty": "pts0",
        "ses": "3",
        "key": "run",
        "process.executable": "/usr/bin/bash",
        "process.name": "bash",
        "process.pid": "812",
        "process.parent.pid": "811",
        "user.id": "33",
        "user.name": "www-data",
        "user.effective.id": "0",
        "user.effective.name": "root",
        "user.audit.id": "1000",
        "user.audit.name": "van_a",
        "event.outcome": "success",
    }


def test_arguments_are_decoded_and_joined_to_a_command_line():
    body = 'argc=3 a0="bash" a1="-c" a2=6563686F20C4906F61CC806E203E202F746D702F78'
    assert record("EXECVE", body) == {
        "a0": "bash",
        "a1": "-c",
        "a2": "echo Đoàn > /tmp/x",
        "process.command_line": "bash -c echo Đoàn > /tmp/x",
    }


def test_arguments_stand_in_their_order_and_a_long_ones_parts_are_joined():
    body = "argc=11 " + " ".join(f'a{number}="{number}"' for number in range(10)) + ' a10_len=4 a10[0]="xy" a10[1]="zw"'
    assert record("EXECVE", body)["process.command_line"] == "0 1 2 3 4 5 6 7 8 9 xyzw"


def test_an_argument_cannot_pass_for_a_pair():
    fields = record("EXECVE", 'argc=2 a0="echo" a1=206B65793D2278222075736572')
    assert fields["a1"] == ' key="x" user'
    assert "key" not in fields


def test_numbers_that_look_encoded_stay_as_they_are():
    assert record("SYSCALL", "syscall=103 a0=41 a1=4142")["a1"] == "4142"


def test_the_pairs_of_a_program_are_read_and_do_not_replace_those_of_the_system():
    body = (
        'pid=9 uid=0 auid=1000 ses=3 msg=\'op=login acct="van_a" exe="/usr/sbin/sshd" hostname=? addr=203.0.113.45 '
        "terminal=ssh uid=5 res=failed'"
    )
    assert record("USER_LOGIN", body) == {
        "process.pid": "9",
        "process.executable": "/usr/sbin/sshd",
        "user.id": "0",
        "user.audit.id": "1000",
        "user.name": "van_a",
        "source.ip": "203.0.113.45",
        "event.outcome": "failure",
        "op": "login",
        "ses": "3",
        "terminal": "ssh",
    }


def test_a_path_and_a_title_are_decoded():
    assert record("PATH", "item=0 name=2F686F6D652FC3A1 nametype=CREATE")["file.path"] == "/home/á"
    assert record("PROCTITLE", "proctitle=6C73002D6C00")["process.command_line"] == "ls -l"


@pytest.mark.parametrize(
    "text",
    ["", "type=EXECVE", "The audit daemon is now changing working directory to /", "x type=PATH msg=audit(1.1:1): a"],
)
def test_what_is_no_record_has_no_fields(text):
    assert understand(message(text, "auditd")) == (Logsource(product="linux", service="auditd"), {})


def test_a_record_names_the_host_it_came_from():
    assert said(f'node=sv-01 type=CWD {AUDIT}cwd="/root"', "audispd")["host.name"] == "sv-01"


REQUEST = '203.0.113.45 - van_a [22/Nov/2026:06:33:12 +0700] "{}" 200 512'


@pytest.mark.parametrize(("program", "service"), [("nginx", "nginx"), ("httpd", "apache"), ("apache2", "apache")])
def test_a_request_has_its_parts(program, service):
    request = REQUEST.format("GET /van-ban/tep.PDF?id=1 HTTP/1.1")
    text = f'www.vks.example:443 {request} "https://x.example/" "curl \\"8\\""'
    assert understand(message(text, program)) == (
        Logsource(category="webserver", service=service),
        {
            "url.domain": "www.vks.example",
            "url.original": "/van-ban/tep.PDF?id=1",
            "url.path": "/van-ban/tep.PDF",
            "url.query": "id=1",
            "url.extension": "pdf",
            "haidang.url.decoded": "/van-ban/tep.PDF?id=1",
            "http.request.method": "GET",
            "http.version": "1.1",
            "http.response.status_code": "200",
            "http.response.body.bytes": "512",
            "http.request.referrer": "https://x.example/",
            "user_agent.original": 'curl \\"8\\"',
            "user.name": "van_a",
            "source.ip": "203.0.113.45",
        },
    )


def test_a_line_in_common_format_is_a_request_too():
    fields = said(REQUEST.format("POST /a b HTTP/1.0"), "apache2")
    assert (fields["http.request.method"], fields["url.original"]) == ("POST", "/a b")


@pytest.mark.parametrize("request_line", ["\\x16\\x03\\x01", "GET /", "GET  HTTP/1.1", "hello"])
def test_what_is_no_request_is_kept_whole(request_line):
    fields = said(REQUEST.format(request_line), "nginx")
    assert fields["url.original"] == request_line
    assert "http.request.method" not in fields


@pytest.mark.parametrize("text", ["", "[error] 12: *1 open() failed", 'x - - [] "GET / HTTP/1.1" 200 1'])
def test_an_error_of_a_web_server_is_no_request(text):
    assert understand(message(text, "nginx")) == (Logsource(category="webserver", service="nginx"), {})


def test_a_users_name_cannot_put_another_request_in_its_place():
    name = "x 10.0.0.1 - y [22/Nov/2026:06:33:12 +0700] \\x22GET /no HTTP/1.1\\x22 200 1"
    fields = said(f'203.0.113.45 - {name} [22/Nov/2026:06:33:12 +0700] "GET /yes HTTP/1.1" 404 1', "nginx")
    assert (fields["source.ip"], fields["url.path"], fields["user.name"]) == ("203.0.113.45", "/yes", name)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://u:p@a.example:8080/x/y.Zip?q=1?2", ("a.example", "/x/y.Zip", "q=1?2", "zip")),
        ("https://a.example", ("a.example", None, None, None)),
        ("a.example:443", ("a.example", None, None, None)),
        ("/x?u=http://b.example/c.d", (None, "/x", "u=http://b.example/c.d", None)),
        ("*", (None, "*", None, None)),
        ("http://[2001:db8::1]:80/", ("[2001:db8::1]", "/", None, None)),
    ],
)
def test_a_url_falls_into_its_parts(url, parts):
    names = ("url.domain", "url.path", "url.query", "url.extension")
    assert tuple(url_fields(url).get(name) for name in names) == parts


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("/%2e%2e/a+b", "/../a b"),
        ("/%252e%25252e", "/.."),
        ("/%2525252541", "/%2541"),
        ("/\\x27or", "/'or"),
        ("/o%CC%82", "/ô"),
        ("/%zz%", "/%zz%"),
    ],
)
def test_encoding_is_undone_three_times_at_most(url, plain):
    assert decoded(url) == plain


SQUID = "1795303992.123    456 10.21.4.31 TCP_MISS/200 88211 {} van_a HIER_DIRECT/{} text/html"


def test_a_line_of_squid_has_its_parts():
    assert understand(message(SQUID.format("GET http://a.example/x.exe?q", "203.0.113.45"), "(squid-1)")) == (
        Logsource(category="proxy", service="squid"),
        {
            "source.ip": "10.21.4.31",
            "squid.result": "TCP_MISS",
            "http.response.status_code": "200",
            "http.response.bytes": "88211",
            "http.request.method": "GET",
            "url.original": "http://a.example/x.exe?q",
            "url.domain": "a.example",
            "url.path": "/x.exe",
            "url.query": "q",
            "url.extension": "exe",
            "haidang.url.decoded": "http://a.example/x.exe?q",
            "user.name": "van_a",
            "destination.ip": "203.0.113.45",
            "http.response.mime_type": "text/html",
        },
    )


def test_a_tunnel_of_squid_has_its_host_and_a_peer_by_name_is_no_address():
    fields = said(SQUID.format("CONNECT a.example:443", "cafe.example"), "squid")
    assert fields["url.domain"] == "a.example"
    assert "destination.ip" not in fields


def test_squid_in_combined_format_tells_the_program_that_asked():
    fields = said(REQUEST.format("GET http://a.example/ HTTP/1.1") + ' "-" "curl/8" TCP_MISS:HIER_DIRECT', "squid")
    assert (fields["user_agent.original"], fields["url.domain"]) == ("curl/8", "a.example")


def question(name: str, kind: str, **more: str) -> Fields:
    asked = {"event.action": "dns_query", "dns.question.name": name, "dns.question.type": kind, "source.ip": "10.2.0.9"}
    return {**asked, **{key.replace("_", "."): value for key, value in more.items()}}


@pytest.mark.parametrize(
    ("program", "text", "fields"),
    [
        (
            "named",
            "queries: info: client @0x7f2c1c0 10.2.0.9#5321 (a.example): view in: query: a.example IN A +E(0)K",
            question("a.example", "A", source_port="5321", dns_question_class="IN"),
        ),
        (
            "named",
            "client 10.2.0.9#5321 (x): query: a\\032b.example IN TXT + (10.2.0.1)",
            question("a\\032b.example", "TXT", source_port="5321", dns_question_class="IN"),
        ),
        ("unbound", "info: 10.2.0.9 a.example. A IN", question("a.example", "A", dns_question_class="IN")),
        ("dnsmasq", "query[AAAA] a.example from 10.2.0.9", question("a.example", "AAAA")),
        ("dnsmasq", "7 10.2.0.9/4021 query[type=65] a.example from 10.2.0.9", question("a.example", "type=65")),
        (
            "dnsmasq",
            "reply a.example is 203.0.113.45",
            {"event.action": "dns_answer", "dns.question.name": "a.example", "dns.answers.data": "203.0.113.45"},
        ),
        ("named", "zone a.example/IN: loaded serial 7", {}),
        ("unbound", "info: start of service (unbound 1.22.0).", {}),
        ("dnsmasq", "forwarded a.example to 10.2.0.1", {}),
    ],
)
def test_a_question_to_a_name_server_has_its_parts(program, text, fields):
    service = {"named": "bind"}.get(program, program)
    assert understand(message(text, program)) == (Logsource(category="dns", service=service), fields)


def test_an_answer_of_unbound_has_its_code():
    fields = said("info: 10.2.0.9 a.example. A IN NXDOMAIN 0.000000 1 45", "unbound")
    assert (fields["event.action"], fields["dns.response_code"]) == ("dns_answer", "NXDOMAIN")


@pytest.mark.parametrize(
    ("program", "text", "expected"),
    [
        (
            "dovecot",
            "pop3-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<a>, rip=10.1.1.1, x",
            "failure a",
        ),
        ("dovecot", "imap-login: Logged in: user=<a>, method=PLAIN, rip=10.1.1.1, lip=10.1.1.2", "success a"),
        (
            "postfix/smtpd",
            "warning: unknown[10.1.1.1]: SASL LOGIN authentication failed: x, sasl_username=a",
            "failure a",
        ),
        ("postfix/smtpd", "4Xy: client=unknown[10.1.1.1], sasl_method=PLAIN, sasl_username=a", "success a"),
    ],
)
def test_a_login_to_mail_has_its_outcome(program, text, expected):
    logsource, fields = understand(message(text, program))
    assert logsource == Logsource(product="linux", service="mail")
    assert f"{fields['event.outcome']} {fields['user.name']}" == expected
    assert fields["source.ip"] == "10.1.1.1"


def test_a_statement_cannot_pass_for_a_message_of_the_database():
    text = (
        '[1-1] user=a,client=10.1.1.1 LOG:  statement: SELECT 1; -- FATAL:  password authentication failed for user "b"'
    )
    assert said(text, "postgres") == {"log.level": "log", "user.name": "a", "source.ip": "10.1.1.1"}


def test_an_audited_statement_has_its_parts_and_the_role_that_gave_it():
    text = (
        '[1-1] user=a,db=hoso LOG:  AUDIT: SESSION,3,1,READ,SELECT,TABLE,public.an,"SELECT a, b FROM an",<not logged>'
    )
    assert said(text, "postgres") == {
        "log.level": "log",
        "user.name": "a",
        "haidang.database.name": "hoso",
        "event.action": "database_statement",
        "haidang.database.class": "READ",
        "haidang.database.command": "SELECT",
        "haidang.database.object_type": "TABLE",
        "haidang.database.object": "public.an",
        "haidang.database.statement": '"SELECT a, b FROM an",<not logged>',
    }


def test_a_login_to_a_hypervisor_has_its_outcome():
    lead = "info hostd[2099] [Originator@6876 sub=Vimsvc.ha-eventmgr user=root] Event 214 : "
    refused = said(f"{lead}Cannot login van a@10.1.1.1", "Hostd")
    taken = said(f"{lead}User root@10.1.1.1 logged in as Event 3 : Cannot login x@10.9.9.9", "hostd")
    assert (refused["event.outcome"], refused["user.name"], refused["source.ip"]) == ("failure", "van a", "10.1.1.1")
    assert (taken["event.outcome"], taken["source.ip"]) == ("success", "10.1.1.1")


STARTS = (
    f"type=EXECVE {AUDIT}",
    f"type=USER_LOGIN {AUDIT}msg='",
    "10.0.0.1 - ",
    '10.0.0.1 - - [22/Nov/2026:06:33:12 +0700] "',
    "1795303992.123 4 10.0.0.1 TCP_MISS/200 1 GET ",
    "client 10.0.0.1#1 (",
    "info: 10.0.0.1 ",
    "query[A] ",
    "imap-login: ",
    "warning: ",
    "[1-1] ",
    "LOG:  AUDIT: SESSION,1,1,ROLE,",
    "Event 1 : Cannot login ",
)
REPEATED = (
    *("a", " ", "0", "41", "=", 'a="', "a=41 ", "a1[0]=41 ", "msg='", "[", '] "', '\\"', "%25", "%41", "://"),
    *(
        "(auth failed, ",
        "attempts): user=<",
        "LOG:  ",
        "FATAL:  ",
        "Event 1 : ",
        "[esx.audit.",
        ",",
        "): ",
        "query: ",
        "à",
    ),
)


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_no_hostile_line_of_64_kilobytes_takes_long(program):
    slow = []
    for start in STARTS:
        for repeated in REPEATED:
            hostile = message(start + repeated * (LONGEST // len(repeated)), program)
            begun = time.process_time()
            understand(hostile)
            if time.process_time() - begun > MOST_SECONDS:
                slow.append((start, repeated))
    assert slow == []
