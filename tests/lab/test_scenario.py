import pytest

from core.clock import SECOND
from core.errors import ContentError
from lab import scenario as scenarios
from lab.scenario import load_scenario, plan
from lab.sector import SCENARIOS

HEAD = "title: {vi: Thử, en: Trial}\nsteps:\n"


@pytest.fixture
def read(tmp_path):
    def write_and_read(text):
        path = tmp_path / "trial.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_scenario(path)

    return write_and_read


def test_steps_become_lines_in_the_order_of_their_time(read, sector):
    scenario = read(
        HEAD + "- {at: 5, device: sv-tha, lines: ['a: late']}\n"
        "- {at: 1, device: sv-hn, repeat: 3, every: 2.5, lines: ['b: {n} one', 'b: {n} two']}\n"
    )
    lines = plan(scenario, sector)
    assert [(line.at, line.text) for line in lines] == [
        (1, "b: 1 one"),
        (1, "b: 1 two"),
        (3.5, "b: 2 one"),
        (3.5, "b: 2 two"),
        (5, "a: late"),
        (6, "b: 3 one"),
        (6, "b: 3 two"),
    ]


def test_a_line_may_name_its_device_and_address_and_keeps_other_braces(read, sector):
    scenario = read(HEAD + "- {at: 0, device: sv-tha, lines: ['x[{n}]: {device} at {address} {\"a\": {}}']}\n")
    (line,) = plan(scenario, sector)
    assert line.text == 'x[1]: sv-tha at 127.1.6.10 {"a": {}}'
    assert line.source_address == "127.1.6.10"


def test_a_site_s_step_is_sent_by_its_device_of_that_role(read, sector):
    scenario = read(
        HEAD + "- {at: 0, site: hp, lines: ['%A-1-B: x']}\n"
        "- {at: 1, site: hp, role: server, transport: tcp, lines: ['x: y']}\n"
    )
    lines = plan(scenario, sector)
    assert [(line.device.name, line.transport) for line in lines] == [("rt-hp", "udp"), ("sv-hp", "tcp")]


def test_the_payload_is_made_when_it_is_sent(read, sector):
    (line,) = plan(read(HEAD + "- {at: 0, site: hp, lines: ['%A-1-B: x']}\n"), sector)
    assert line.payload(1_795_303_800 * SECOND, 7) == b"<185>7: *Nov 22 06:30:00.000: %A-1-B: x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected a mapping with title"),
        ("title: {vi: a, en: b}\n", r"expected a mapping with title"),
        ("title: {vi: a, en: b}\nsteps: 5\n", r"expected a mapping with title"),
        (HEAD + "[]\nmore: 1\n", r"not YAML in UTF-8"),
        ("title: [\n", r"not YAML in UTF-8"),
        (b"title: \xff\n", r"not YAML in UTF-8"),
        ("[" * 100_000, r"not YAML in UTF-8"),
        ("title: {vi: a}\nsteps: []\n", r"title: .*`en`.*expected vi, en"),
        (HEAD + "- {at: 1, device: sv-hn, lines: ['a: b']}\n- 7\n", r"step 2: .*expected at, lines"),
        (HEAD + "- {at: soon, device: sv-hn, lines: ['a: b']}\n", r"step 1: Expected `float`"),
        (HEAD + "- {at: -1, device: sv-hn, lines: ['a: b']}\n", r"step 1: Expected `float` >= 0"),
        (HEAD + "- {at: .nan, device: sv-hn, lines: ['a: b']}\n", r"step 1: "),
        (HEAD + "- {at: 1, device: sv-hn, lines: []}\n", r"step 1: .*length >= 1"),
        (HEAD + '- {at: 1, device: sv-hn, lines: ["a: b\\nc: d"]}\n', r"step 1: .*regex"),
        (HEAD + "- {at: 1, device: sv-hn, line: ['a: b']}\n", r"step 1: .*`line`|step 1: .*`lines`"),
        (HEAD + "- {at: 1, device: sv-hn, lines: ['a: b'], transport: relp}\n", r"step 1: Invalid enum value 'relp'"),
        (HEAD + "- {at: 1, device: sv-hn, lines: ['a: b'], repeat: 0}\n", r"step 1: Expected `int` >= 1"),
        (HEAD + "- {at: 1, lines: ['a: b']}\n", r"step 1: expected either device or site"),
        (HEAD + "- {at: 1, device: sv-hn, site: hn, lines: ['a: b']}\n", r"step 1: expected either device or site"),
        (HEAD + "- {at: 1, device: sv-xx, lines: ['a: b']}\n", r"step 1: no device 'sv-xx'"),
        (HEAD + "- {at: 1, site: hn, role: ups, lines: ['a: b']}\n", r"step 1: no ups at site 'hn'"),
        (HEAD + "- {at: 1, device: sv-hn, lines: ['a: {who}']}\n", r"step 1: unknown placeholder \{who\}"),
        (HEAD + "- {at: 1, device: rt-hn, lines: ['a: b']}\n", r"step 1: expected a Cisco line"),
        (HEAD + "- {at: 1, device: sv-hn, lines: ['a: b', 'a: c'], repeat: 100000}\n" * 6, r"more than 1000000 lines"),
    ],
)
def test_a_wrong_scenario_is_refused_with_file_step_and_what_was_expected(read, sector, text, message):
    with pytest.raises(ContentError, match=message) as caught:
        plan(read(text), sector)
    assert "trial.yml" in str(caught.value)
    assert "expected" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_scenario_is_refused_by_name(tmp_path):
    with pytest.raises(ContentError, match=r"absent\.yml: cannot be read"):
        load_scenario(tmp_path / "absent.yml")


def test_a_scenario_over_the_bound_is_refused(read, monkeypatch):
    monkeypatch.setattr(scenarios, "MAX_BYTES", 10)
    with pytest.raises(ContentError, match="larger than 10 bytes"):
        read(HEAD)


@pytest.fixture
def first_night(sector):
    return plan(load_scenario(SCENARIOS / "first_night.yml"), sector)


def test_the_first_night_guesses_a_password_before_anything_else_happens(first_night):
    attack = [line for line in first_night if line.at <= 5 and line.text.startswith("sshd")]
    failed = [line for line in attack if "Failed password for root from 203.0.113.45 port " in line.text]
    accepted = [line for line in attack if "Accepted password for root from 203.0.113.45 port " in line.text]
    assert (len(failed), len(accepted)) == (12, 1)
    assert max(line.at for line in failed) < accepted[0].at == 5
    assert {line.device.name for line in attack} == {"sv-tha"}
    assert all(line in attack for line in first_night if line.at <= 5)


def test_the_first_night_then_makes_an_account_and_troubles_four_more_sites(first_night):
    def first(text):
        return next((line.device.site, line.at) for line in first_night if text in line.text)

    found = [
        first("new user: name=support2"),
        first("changed state to down"),
        first('cfgpath="firewall.policy"'),
        first("%SYS-5-CONFIG_I"),
        first("%SYS-5-RESTART"),
    ]
    assert found[0][0] == "tha"
    assert len({site for site, _ in found}) == 5
    assert [at for _, at in found] == sorted(at for _, at in found)
    assert max(line.at for line in first_night) < 20


def test_every_shipped_scenario_can_be_played(sector):
    for path in SCENARIOS.glob("*.yml"):
        assert plan(load_scenario(path), sector), path.name
