"""All settings come from one file, ``haidang.toml``. An unknown key is an error that names it.

Relative paths are meant from the folder of that file. Secrets are never settings: see ``core.secrets``.
"""

from __future__ import annotations

import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, Field, ValidationError, field_validator, model_validator

from core.errors import SettingsError
from core.settings_oidc import OidcSettings
from core.settings_section import Section

HOME = Path(__file__).resolve().parent.parent
"""Where the packages and their content (rules, templates) lie."""


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("expected a zone name such as Asia/Ho_Chi_Minh")
    return name


def _address(text: str) -> str:
    if text:
        split_address(text)
    return text


def split_address(text: str) -> tuple[str, int]:
    """``"127.0.0.1:514"`` or ``"[::1]:514"`` as host and port.

    Raises:
        ValueError: the text is not an IP address and a port.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
        number = int(port)
    except ValueError:
        raise ValueError('expected ADDRESS:PORT such as "127.0.0.1:5514"') from None
    if not 0 < number <= 65535:  # noqa: PLR2004 - the highest port
        raise ValueError("expected a port from 1 to 65535")
    return host, number


def is_loopback(host: str) -> bool:
    """Whether the address can be reached from this machine only."""
    return ip_address(host).is_loopback


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("expected the sender's IP address") from None


Host = Annotated[str, AfterValidator(_host)]
Zone = Annotated[str, AfterValidator(_zone)]
Address = Annotated[str, AfterValidator(_address)]


Placed = TypeVar("Placed", bound=Section)


class ConsoleSettings(Section):
    """The web console. Beyond loopback it starts with TLS only."""

    address: Address = "127.0.0.1:8080"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    language: Literal["vi", "en"] = "vi"
    oidc: OidcSettings | None = None

    @model_validator(mode="after")
    def _tls_beyond_loopback(self) -> ConsoleSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("expected both tls_certificate and tls_key, or neither")
        if self.tls_key is None and not is_loopback(split_address(self.address)[0]):
            raise ValueError("an address beyond loopback needs tls_certificate and tls_key")
        return self


class CentreSettings(Section):
    """The centre: its relay port for lanes, and which local accounts act as which user."""

    relay: Address = "127.0.0.1:8081"
    socket: Path | None = None
    anchors: Path | None = None
    reopen_hours: Annotated[float, Field(ge=0)] = 24
    accounts: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _relay_stays_here(self) -> CentreSettings:
        if not is_loopback(split_address(self.relay)[0]):
            raise ValueError("the relay listens on loopback only: mutual TLS for branches is not built yet")
        return self


class SourceSettings(Section):
    """What is known of one sender of logs, named by its address; what is not said is as without the section."""

    timezone: Zone | None = None
    limit: Annotated[float, Field(ge=0)] | None = None
    silence_seconds: Annotated[float, Field(gt=0)] | None = None


class FileSettings(Section):
    """Files to follow: ``path`` may have wildcards in its last part."""

    path: Path
    format: Literal["syslog", "json", "eve", "zeek", "evtx", "program"] = "syslog"
    program: str = ""
    source: Host = "127.0.0.1"

    @model_validator(mode="after")
    def _program_named(self) -> FileSettings:
        if (self.format == "program") != bool(self.program):
            raise ValueError('format = "program" names the program whose lines they are, no other format does')
        return self


class LogsSettings(Section):
    """The logs lane. An empty address closes that way in."""

    udp: Address = "127.0.0.1:5514"
    tcp: Address = "127.0.0.1:5514"
    relp: Address = "127.0.0.1:2514"
    tls: Address = ""
    relp_tls: Address = ""
    http: Address = ""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_clients: Path | None = None
    http_token: Path | None = None
    limit: Annotated[float, Field(ge=0)] = 0
    files: tuple[FileSettings, ...] = ()
    metrics: Address = "127.0.0.1:9101"
    space: str = "default"
    timezone: Zone = "Asia/Ho_Chi_Minh"
    receive_buffer: Annotated[int, Field(ge=4096, le=1 << 30)] = 32 << 20
    max_message: Annotated[int, Field(ge=480, le=1 << 20)] = 64 << 10
    alarm: Address = ""
    centre_silence_seconds: Annotated[float, Field(gt=0)] = 60
    sources: dict[Host, SourceSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _keys_for_tls(self) -> LogsSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("expected both tls_certificate and tls_key, or neither")
        if self.tls_key is None and (self.tls or self.relp_tls):
            raise ValueError("tls and relp_tls need tls_certificate and tls_key")
        if self.tls_key is None and self.http and not is_loopback(split_address(self.http)[0]):
            raise ValueError("http beyond loopback needs tls_certificate and tls_key")
        return self


class RemoteWriteSettings(Section):
    """A receiver of Prometheus' remote-write; beyond this machine only by https."""

    url: str
    authorities: Path | None = None
    token_file: Path | None = None

    @field_validator("url")
    @classmethod
    def _encrypted_beyond_loopback(cls, url: str) -> str:
        parts = urlsplit(url)
        is_here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if not parts.hostname or not (parts.scheme == "https" or is_here):
            raise ValueError("expected https://..., or http:// and an address of this machine")
        return url


class SnmpSettings(Section):
    """The SNMP lane. It has nothing to do while no device has a credential set for SNMP."""

    enabled: bool = True
    period_seconds: Annotated[float, Field(ge=1, le=3600)] = 60
    port: Annotated[int, Field(ge=1, le=65535)] = 161
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 3  # a device that takes two is slow and not dead
    metrics: Address = "127.0.0.1:9102"
    space: str = "default"
    remote_write: RemoteWriteSettings | None = None


class LanesSettings(Section):
    """The lanes of this machine."""

    logs: LogsSettings = LogsSettings()
    snmp: SnmpSettings = SnmpSettings()


class Settings(Section):
    """The whole of haidang.toml."""

    format: Literal[1] = 1
    data: Path = Path("haidang-data")
    inventory: Path | None = None
    rules: tuple[Path, ...] = (HOME / "detections" / "rules", HOME / "correlation" / "rules")
    rule_values: Path | None = None
    lateness_seconds: Annotated[float, Field(ge=0, le=86400)] = 60
    console: ConsoleSettings = ConsoleSettings()
    centre: CentreSettings = CentreSettings()
    lane: LanesSettings = LanesSettings()

    @property
    def secrets(self) -> Path:
        """Folder of this installation's secrets."""
        return self.data / "secrets"

    @property
    def state(self) -> Path:
        """The centre's database file."""
        return self.data / "centre" / "state.db"

    @property
    def anchors(self) -> Path:
        """Folder of the signed heads of the audit chain, for an off-host copy to fetch."""
        return self.centre.anchors or self.data / "centre" / "anchors"

    @property
    def socket(self) -> Path:
        """The Unix socket on which the centre's API answers."""
        return self.centre.socket or self.data / "centre" / "api.sock"

    @property
    def logs(self) -> Path:
        """Folder of all that the logs lane keeps."""
        return self.data / "lanes" / "logs"

    @property
    def snmp(self) -> Path:
        """Folder of all that the SNMP lane keeps."""
        return self.data / "lanes" / "snmp"

    @property
    def series(self) -> Path:
        """The series store's folder."""
        return self.snmp / "series"

    @property
    def changes(self) -> Path:
        """Folder of files in which the SNMP lane tells of changes, and which the logs lane follows."""
        return self.snmp / "changes"

    @property
    def device_states(self) -> Path:
        """The file in which the SNMP lane tells of its devices."""
        return self.snmp / "devices.json"

    def accesses(self, account: str) -> Path:
        """Folder in which what this account has looked at is kept until the centre has it."""
        return self.data / f"accesses-{account}"

    @property
    def sources(self) -> Path:
        """The file in which the logs lane tells of its sources."""
        return self.logs / "sources.json"


def read_settings(path: Path | None) -> Settings:
    """The settings in the file; without one, the defaults, from the present folder.

    Raises:
        SettingsError: file, key and what was expected.
    """
    if path is None:
        return _from_folder(Settings(), Path.cwd())
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    try:
        return _from_folder(Settings.model_validate(content), path.resolve().parent)
    except ValidationError as error:
        raise SettingsError(f"{path}: {_explain(error)}") from error


def _from_folder(settings: Settings, folder: Path) -> Settings:
    inventory = folder / settings.inventory if settings.inventory else None
    rules = tuple(folder / rule for rule in settings.rules)
    values = folder / settings.rule_values if settings.rule_values else None
    logs = _placed(settings.lane.logs, folder, "tls_certificate", "tls_key", "tls_clients", "http_token")
    logs = logs.model_copy(update={"files": tuple(_placed(one, folder, "path") for one in logs.files)})
    console = _placed(settings.console, folder, "tls_certificate", "tls_key")
    if console.oidc:
        oidc = _placed(console.oidc, folder, "client_secret_file", "authorities")
        console = console.model_copy(update={"oidc": oidc})
    sections = {
        "console": console,
        "centre": _placed(settings.centre, folder, "socket", "anchors"),
        "lane": settings.lane.model_copy(update={"logs": logs, "snmp": _placed_snmp(settings.lane.snmp, folder)}),
    }
    return settings.model_copy(
        update={
            "data": folder / settings.data,
            "inventory": inventory,
            "rules": rules,
            "rule_values": values,
            **sections,
        }
    )


def _placed_snmp(snmp: SnmpSettings, folder: Path) -> SnmpSettings:
    if snmp.remote_write is None:
        return snmp
    return snmp.model_copy(update={"remote_write": _placed(snmp.remote_write, folder, "authorities", "token_file")})


def _placed(section: Placed, folder: Path, *names: str) -> Placed:
    """The section with these paths meant from the folder."""
    given = {name: getattr(section, name) for name in names}
    return section.model_copy(update={name: folder / path for name, path in given.items() if path is not None})


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"] if part != "[key]")
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key (known here: {', '.join(_known_keys(first['loc'][:-1]))})"
    expected = first["msg"].removeprefix("Value error, ")
    return f"{key or 'file'}: {expected[0].lower()}{expected[1:]}" + _given(first["input"])


def _given(value: object) -> str:
    return f", got {value!r}" if isinstance(value, str | int | float | bool) else ""


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    section: type[BaseModel] = Settings
    for part in location:  # one that is no field is a place in a list or a key of a table of sections
        field = section.model_fields.get(str(part))
        section = (_section_in(field.annotation) if field else None) or section
    return sorted(section.model_fields)


def _section_in(annotation: object) -> type[BaseModel] | None:
    """The section that a field is, may be, or has several of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _section_in(inner))), None)
