"""Real peers: Debian's rsyslogd, sshd, ssh and Chromium. In CI a missing one fails; elsewhere it is skipped by name."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import PATIENCE, Keys, eventually, free_ports


def program(name: str) -> str:
    """The program's path."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{name} is missing: 'make test' as root installs it")
    if found is None:
        pytest.skip(f"{name} is missing")
    return found


class Rsyslogd:
    """Debian's rsyslogd with a configuration of our own, in the foreground."""

    def __init__(self, folder: Path, configuration: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.input = folder / "input.sock"
        self._configuration = folder / "rsyslog.conf"
        self._configuration.write_text(
            f"""
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{self.input}" RateLimit.Interval="0" UseSysTimeStamp="on")
{configuration}
""",
            encoding="utf-8",
        )

    def start(self) -> None:
        """Starts it and waits for its socket."""
        command = [program("rsyslogd"), "-n", "-f", str(self._configuration), "-i", str(self.folder / "pid")]
        log = (self.folder / "rsyslogd.log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        log.close()
        eventually(self.input.exists)

    def stop(self) -> None:
        """SIGTERM, and waits for its end."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def log(self, lines: list[str]) -> None:
        """Hands it these lines, as a program does by syslog(3)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(self.input))
            for line in lines:
                sender.send(f"<38>{line}".encode())


def relp_to(port: int) -> str:
    """An action that forwards by RELP and tries for ever."""
    return f"""
module(load="omrelp")
action(type="omrelp" target="127.0.0.1" port="{port}" action.resumeRetryCount="-1" action.resumeInterval="1"
       timeout="10" queue.type="LinkedList" queue.size="100000")
"""


def tcp_to(port: int, framing: str = "octet-counted") -> str:
    """An action that forwards by TCP and tries for ever."""
    return f"""
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="{framing}"
       action.resumeRetryCount="-1" action.resumeInterval="1" queue.type="LinkedList" queue.size="100000"
       template="RSYSLOG_ForwardFormat")
"""


def udp_to(port: int) -> str:
    """An action that forwards by UDP."""
    return f"""
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="udp" template="RSYSLOG_ForwardFormat"
       queue.type="LinkedList" queue.size="100000")
"""


def tls_to(port: int, keys: Keys) -> str:
    """An action that forwards by syslog over TLS to the server whose name is in its certificate."""
    return f"""
global(DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="{keys.authority}")
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="octet-counted"
       StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
       StreamDriverPermittedPeers="localhost" action.resumeRetryCount="-1" action.resumeInterval="1"
       queue.type="LinkedList" queue.size="100000" template="RSYSLOG_ForwardFormat")
"""


def relp_tls_to(port: int, keys: Keys) -> str:
    """An action that forwards by RELP over TLS and tries for ever; librelp without a certificate would be anonymous."""
    return f"""
module(load="omrelp")
action(type="omrelp" target="127.0.0.1" port="{port}" tls="on" tls.cacert="{keys.authority}"
       tls.mycert="{keys.certificate}" tls.myprivkey="{keys.key}"
       tls.authmode="name" tls.permittedpeer=["localhost"] action.resumeRetryCount="-1" action.resumeInterval="1"
       timeout="10" queue.type="LinkedList" queue.size="100000")
"""


def made_keys(folder: Path) -> Keys:
    """An authority of our own, and the keys of a server called localhost."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl, keys = program("openssl"), Keys(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    request, name = folder / "server.csr", folder / "names"
    name.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    new = [openssl, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    own = [*new, "-x509", "-days", "2", "-subj", "/CN=test authority", "-keyout", f"{folder}/ca.key"]
    asked = [*new, "-subj", "/CN=localhost", "-keyout", str(keys.key), "-out", str(request)]
    signed = [openssl, "x509", "-req", "-in", str(request), "-CA", str(keys.authority), "-CAkey", f"{folder}/ca.key"]
    signed += ["-CAcreateserial", "-days", "2", "-extfile", str(name), "-out", str(keys.certificate)]
    for command in ([*own, "-out", str(keys.authority)], asked, signed):
        subprocess.run(command, check=True, capture_output=True)
    return keys


@contextmanager
def rsyslogd(folder: Path, configuration: str) -> Iterator[Rsyslogd]:
    """A running rsyslogd."""
    peer = Rsyslogd(folder, configuration)
    peer.start()
    try:
        yield peer
    finally:
        peer.stop()


class Sshd:
    """Debian's sshd with one account, known to it alone: passwd and shadow are its own, in its own mount namespace."""

    USER = "kiemsat"
    PASSWORD = "right-horse-staple"

    def __init__(self, folder: Path, log: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_ports(1)[0]
        self._folder = folder
        self._log = log

    def start(self) -> None:
        """Starts it and waits for its port."""
        folder = self._folder
        subprocess.run([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
        digest = subprocess.run(
            [program("openssl"), "passwd", "-6", self.PASSWORD], capture_output=True, text=True, check=True
        ).stdout.strip()
        home = folder / "home"
        home.mkdir()
        (folder / "passwd").write_text(f"{Path('/etc/passwd').read_text()}{self.USER}:x:4242:4242::{home}:/bin/sh\n")
        (folder / "shadow").write_text(f"{Path('/etc/shadow').read_text()}{self.USER}:{digest}:19000:0:99999:7:::\n")
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder / 'key'}\nPidFile none\nUsePAM no\n"
            "PasswordAuthentication yes\nStrictModes no\nMaxStartups 100\nLogLevel INFO\nUseDNS no\n"
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        script = (
            f"mount --bind {folder}/passwd /etc/passwd && mount --bind {folder}/shadow /etc/shadow && "
            f"exec {program('sshd')} -D -f {folder}/sshd_config -E {self._log}"
        )
        self.process = subprocess.Popen([program("unshare"), "--mount", "sh", "-c", script])
        eventually(lambda: self._log.exists() and "Server listening" in self._log.read_text())

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def log_in(self, password: str) -> bool:
        """One attempt with ssh; whether it got in."""
        command = [program("sshpass"), "-p", password, program("ssh"), "-p", str(self.port), "-F", "none"]
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "NumberOfPasswordPrompts=1")
        methods = ("PreferredAuthentications=password", "PubkeyAuthentication=no", "LogLevel=ERROR")
        flags = [word for option in (*options, *methods) for word in ("-o", option)]
        done = subprocess.run(
            [*command, *flags, f"{self.USER}@127.0.0.1", "true"], capture_output=True, timeout=PATIENCE, check=False
        )
        return done.returncode == 0


@contextmanager
def sshd(folder: Path, log: Path) -> Iterator[Sshd]:
    """A running sshd."""
    peer = Sshd(folder, log)
    peer.start()
    try:
        yield peer
    finally:
        peer.stop()
