"""haidang demo: the platform over a simulated sector, ready to be looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection

from app.centre import FIRST_ADMINISTRATOR
from app.services import SERVICES
from app.supervisor import Service, Supervisor, own_service
from core.actors import PLATFORM
from core.clock import SystemClock
from core.files import make_folder, own_folder, replace_file
from core.scope import EVERYTHING, Grant
from core.settings import HOME, Settings, read_settings
from core.stores import credentials, users
from core.stores.credentials import Target
from core.stores.grants import put_grant
from core.stores.inventory import put_records, read_records
from core.stores.migrate import open_state
from core.stores.users import NewUser
from core.vault import Secret, Vault
from inventory.changes import plan
from inventory.credentials import SnmpV2c, encode_credential, kind_of
from inventory.formats.files import read_rows
from inventory.stored import decode_inventory, puts_of

SECTOR = HOME / "lab" / "data" / "sector"
SCENARIO = "first_night"
FLEET_CONTROL = "fleet.sock"
"""In the demo's folder: where ``haidang lab fault`` breaks simulated devices."""
ACCOUNTS = {
    "demo": (Grant("analyst"), Grant("leader")),
    FIRST_ADMINISTRATOR: (Grant("administrator"),),
}
"""Who watches, and who gives rights: one account cannot do both."""
_SETTINGS = """\
# Settings of the demo: the simulated sector lives on this machine's loopback addresses.
format = 1
data = "."

[lane.logs]
space = "lab"

[lane.snmp]
space = "lab"
port = 1161
period_seconds = 20
"""
_COMMUNITY = "public"
"""With which the simulated devices answer: nothing to be kept secret."""


def run_demo(folder: Path, say: Callable[[str], None]) -> bool:
    """Runs platform, lab and scenario until Ctrl-C; console address and password go to the terminal.

    Returns False if something did not start; it has said why.
    """
    file = make_folder(folder).resolve() / "haidang.toml"
    replace_file(file, _SETTINGS.encode())
    settings = read_settings(file)
    own_folder(settings.data, "platform")
    passwords = _prepare(settings)
    platform = [own_service(name, "--settings", str(file)) for name in SERVICES]
    supervisor = Supervisor([*platform, _logs_service(settings), _fleet_service(settings)], say)
    return supervisor.run(lambda: _welcome(settings, file, passwords))


def run_lab(arguments: Sequence[str]) -> int:
    """Runs the lab as a program of its own and returns its exit status."""
    return subprocess.run([sys.executable, "-m", "lab", *arguments], check=False).returncode


def _prepare(settings: Settings) -> dict[str, str]:
    """Keeps the sector as the inventory, and makes accounts; the centre does not run yet.

    Returns fresh one-time passwords by account at each start: a demo's were seldom written down.
    """
    engine = open_state(settings.state)
    now = SystemClock().now()
    with engine.begin() as connection:
        made = plan(decode_inventory(read_records(connection)), read_rows(SECTOR))
        put_records(connection, now, PLATFORM, puts_of(made))
        _put_community(connection, now, Vault(settings.secrets))
        passwords = {name: _account(connection, now, name, grants) for name, grants in ACCOUNTS.items()}
    engine.dispose()
    return passwords


def _account(connection: Connection, now: int, name: str, grants: Sequence[Grant]) -> str:
    if name not in {user.name for user in users.list_users(connection)}:
        users.add_user(connection, now, PLATFORM, NewUser(name=name))
    for grant in grants:
        put_grant(connection, now, PLATFORM, name, grant)
    return users.reset_user(connection, now, PLATFORM, name)


def _put_community(connection: Connection, now: int, vault: Vault) -> None:
    """Has all devices of the sector polled with the lab's community."""
    if not credentials.list_sets(connection, EVERYTHING):
        credential = SnmpV2c(community=Secret(_COMMUNITY))
        sealed = vault.encrypt(encode_credential(credential), credentials.subject("lab"))
        credentials.add_set(connection, now, PLATFORM, "lab", kind_of(credential), sealed)
        credentials.assign(connection, now, PLATFORM, Target("prefix", "127.0.0.0/8", "lab"))


def _logs_service(settings: Settings) -> Service:
    logs = settings.lane.logs
    return _lab_service("lab", "up", "--target", logs.udp, "--tcp-target", logs.tcp, "--scenario", SCENARIO)


def _fleet_service(settings: Settings) -> Service:
    of_sector = ("--sector", str(SECTOR), "--community", _COMMUNITY, "--port", str(settings.lane.snmp.port))
    return _lab_service("fleet", "fleet", *of_sector, "--no-ipv6", "--control", _fleet_control(settings))


def _fleet_control(settings: Settings) -> str:
    """As seen from here: a socket's path may be no longer than 107 octets (unix(7))."""
    return os.path.relpath(settings.data / FLEET_CONTROL)


def _lab_service(name: str, *arguments: str) -> Service:
    return Service(name, (sys.executable, "-m", "lab", *arguments), says_ready=False)


def _program() -> str:
    """How this program is called from here: by its name where that is found, else by where it lies."""
    return "haidang" if shutil.which("haidang") else os.path.relpath(Path(sys.executable).with_name("haidang"))


def _welcome(settings: Settings, file: Path, passwords: Mapping[str, str]) -> None:
    sys.stdout.write(
        "\n"
        "  Hải Đăng đang chạy với 30 điểm cầu mô phỏng / is running with 30 simulated sites\n\n"
        f"    http://{settings.console.address}/\n"
        "    Người dùng / user      Mật khẩu dùng một lần / one-time password\n"
        + "".join(f"    {name:<23}{password}\n" for name, password in passwords.items())
        + "\n"
        f"  Dòng lệnh / command line: {_program()} incidents list --settings {file}\n"
        "  Gây lỗi / break something: "
        f"{_program()} lab fault {_fleet_control(settings)} '{{start: {{kind: dead, device: rt-hn}}}}'\n"
        "  Dừng / stop: Ctrl-C\n\n"
    )
    sys.stdout.flush()
