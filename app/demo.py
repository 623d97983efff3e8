"""haidang demo: the platform over a simulated sector, ready to be looked at."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.centre import FIRST_ADMINISTRATOR
from app.services import SERVICES
from app.supervisor import Service, Supervisor, own_service
from core.clock import SystemClock
from core.files import make_folder, own_folder, replace_file
from core.settings import HOME, Settings, read_settings
from core.stores import users
from core.stores.migrate import open_state

SECTOR = HOME / "lab" / "data" / "sector"
SCENARIO = "first_night"
_SETTINGS = f"""\
# Settings of the demo: the simulated sector lives on this machine's loopback addresses.
format = 1
data = "."
inventory = "{SECTOR}"

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
    password = _administrator_password(settings)
    platform = [own_service(name, "--settings", str(file)) for name in SERVICES]
    supervisor = Supervisor([*platform, _lab_service(settings)], say)
    return supervisor.run(lambda: _welcome(settings, file, password))


def run_lab(arguments: Sequence[str]) -> int:
    """Runs the lab as a program of its own and returns its exit status."""
    return subprocess.run([sys.executable, "-m", "lab", *arguments], check=False).returncode


def _administrator_password(settings: Settings) -> str:
    """A fresh one-time password at each start: a demo's was seldom written down. The centre does not run yet."""
    engine = open_state(settings.state)
    now = SystemClock().now()
    with engine.begin() as connection:
        if users.count_users(connection):
            password = users.reset_user(connection, now, "haidang", FIRST_ADMINISTRATOR)
        else:
            password = users.add_user(connection, now, "haidang", FIRST_ADMINISTRATOR, "administrator")
    engine.dispose()
    return password


def _lab_service(settings: Settings) -> Service:
    logs = settings.lane.logs
    arguments = ("up", "--target", logs.udp, "--tcp-target", logs.tcp, "--scenario", SCENARIO)
    return Service("lab", (sys.executable, "-m", "lab", *arguments), says_ready=False)


def _welcome(settings: Settings, file: Path, password: str) -> None:
    sys.stdout.write(
        "\n"
        "  Hải Đăng đang chạy với 30 điểm cầu mô phỏng / is running with 30 simulated sites\n\n"
        f"    http://{settings.console.address}/\n"
        f"    Người dùng / user:     {FIRST_ADMINISTRATOR}\n"
        f"    Mật khẩu / password:   {password}   (dùng một lần / once)\n\n"
        f"  Dòng lệnh / command line: haidang incidents list --settings {file}\n"
        "  Dừng / stop: Ctrl-C\n\n"
    )
    sys.stdout.flush()
