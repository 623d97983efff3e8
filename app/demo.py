"""haidang demo: the platform over a simulated sector, ready to be looked at."""

from __future__ import annotations

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
from core.scope import Grant
from core.settings import HOME, Settings, read_settings
from core.stores import users
from core.stores.grants import put_grant
from core.stores.inventory import put_records, read_records
from core.stores.migrate import open_state
from core.stores.users import NewUser
from inventory.changes import plan
from inventory.formats.files import read_rows
from inventory.stored import decode_inventory, puts_of

SECTOR = HOME / "lab" / "data" / "sector"
SCENARIO = "first_night"
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
"""


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
    supervisor = Supervisor([*platform, _lab_service(settings)], say)
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
        passwords = {name: _account(connection, now, name, grants) for name, grants in ACCOUNTS.items()}
    engine.dispose()
    return passwords


def _account(connection: Connection, now: int, name: str, grants: Sequence[Grant]) -> str:
    if name not in {user.name for user in users.list_users(connection)}:
        users.add_user(connection, now, PLATFORM, NewUser(name=name))
    for grant in grants:
        put_grant(connection, now, PLATFORM, name, grant)
    return users.reset_user(connection, now, PLATFORM, name)


def _lab_service(settings: Settings) -> Service:
    logs = settings.lane.logs
    arguments = ("up", "--target", logs.udp, "--tcp-target", logs.tcp, "--scenario", SCENARIO)
    return Service("lab", (sys.executable, "-m", "lab", *arguments), says_ready=False)


def _welcome(settings: Settings, file: Path, passwords: Mapping[str, str]) -> None:
    sys.stdout.write(
        "\n"
        "  Hải Đăng đang chạy với 30 điểm cầu mô phỏng / is running with 30 simulated sites\n\n"
        f"    http://{settings.console.address}/\n"
        "    Người dùng / user      Mật khẩu dùng một lần / one-time password\n"
        + "".join(f"    {name:<23}{password}\n" for name, password in passwords.items())
        + "\n"
        f"  Dòng lệnh / command line: haidang incidents list --settings {file}\n"
        "  Dừng / stop: Ctrl-C\n\n"
    )
    sys.stdout.flush()
