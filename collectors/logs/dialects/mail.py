"""Mail servers: Dovecot, Postfix, Exim and Sendmail.

Sources: the programs' own messages; Exim, "Log files"; Sendmail, "Sendmail Installation and Operation Guide". A name's
length is bounded in front of an address, since it is the asker's own.
"""

from __future__ import annotations

from collectors.logs.dialects.pam import PATTERNS as PAM
from collectors.logs.dialects.pattern import Dialect, pattern
from core.records import Logsource

_IP = r"([0-9A-Fa-f.:]+)"
_FAILED = {"event_action": "mail_login", "event_outcome": "failure"}
_SUCCEEDED = {"event_action": "mail_login", "event_outcome": "success"}
_REJECTED = {"event_action": "mail_rejected", "event_outcome": "failure"}
_SENT = {"event_action": "mail_sent"}
_RECEIVED = {"event_action": "mail_received"}

_DOVECOT = (
    pattern(
        "(auth failed, ",
        rf"^(imap|pop3|submission|managesieve)-login: (?>.*?\(auth failed, )\d+ attempts[^)]*\): user=<([^>]*)>,"
        rf"(?: method=[^,]+,)? rip={_IP}",
        "network.protocol",
        "user.name",
        "source.ip",
        **_FAILED,
    ),
    pattern(
        "-login: Log",
        rf"^(imap|pop3|submission|managesieve)-login: (?:Login|Logged in): user=<([^>]*)>, method=[^,]+, rip={_IP}",
        "network.protocol",
        "user.name",
        "source.ip",
        **_SUCCEEDED,
    ),
    pattern(
        "Password mismatch",
        rf"^auth(?:-worker)?(?:\(\d+\))?: (?:Info: )?(?:conn \S{{1,64}} \([^)]{{0,64}}\): )?"
        rf"\w{{1,16}}\((.*),{_IP}(?:,<[^>]*>)?\)"
        r": Password mismatch",
        "user.name",
        "source.ip",
        event_action="mail_password_wrong",
    ),
)

_SMTP = {"network_protocol": "smtp"}

_POSTFIX_SMTPD = (
    pattern(
        "authentication failed: ",
        rf"^warning: \S{{1,255}}\[{_IP}\]: SASL \S{{1,32}} authentication failed: "
        r"(?>[^,]*)(?:, sasl_username=(.*))?",
        "source.ip",
        "user.name",
        **_FAILED,
        **_SMTP,
    ),
    pattern(
        "sasl_username=",
        rf"^\w+: client=\S{{1,255}}\[{_IP}\], sasl_method=\S{{1,32}}, sasl_username=(.*)$",
        "source.ip",
        "user.name",
        **_SUCCEEDED,
        **_SMTP,
    ),
    pattern(
        ": reject: ",
        rf"^(\w+): reject: (?:RCPT|MAIL|DATA|CONNECT|EHLO|HELO|END-OF-MESSAGE) from \S{{1,255}}\[{_IP}\](?::\d+)?: "
        r"(\d{3}) (?>(.{0,1024}?); from=<([^>]*)>)(?: to=<([^>]*)>)?",
        "email.local_id",
        "source.ip",
        "smtp.response_code",
        "event.reason",
        "email.from.address",
        "email.to.address",
        **_REJECTED,
        **_SMTP,
    ),
    pattern(": client=", rf"^(\w+): client=\S{{1,255}}\[{_IP}\]$", "email.local_id", "source.ip", **_RECEIVED, **_SMTP),
)

_POSTFIX = (
    pattern(
        "(queue active)",
        r"^(\w+): from=<([^>]*)>, size=(\d+), nrcpt=(\d+) \(queue active\)",
        "email.local_id",
        "email.from.address",
        "email.size",
        "email.recipients",
        event_action="mail_queued",
    ),
    pattern(
        " status=",
        rf"^(\w+): to=<([^>]*)>,(?: orig_to=<[^>]*>,)? relay=(?:\S{{1,255}}\[{_IP}\](?::\d+)?|[^,]*), "
        r"(?>.{0,512}?dsn=)([\d.]+), status=(\w+) \((.*)\)$",
        "email.local_id",
        "email.to.address",
        "destination.ip",
        "smtp.enhanced_code",
        "email.status",
        "event.reason",
        **_SENT,
    ),
    pattern(
        "message-id=",
        r"^(\w+): message-id=<?([^>]*)>?$",
        "email.local_id",
        "email.message_id",
        event_action="mail_named",
    ),
)

_EXIM_PEER = r"(?:\([^)]*\) |[^\s(\[]{1,255} (?:\([^)]*\) )?)?"
"""The host's name as looked up, and in brackets the one that it gave itself."""
_EXIM_HOST = rf"H={_EXIM_PEER}\[{_IP}\](?::(\d+))?"
_EXIM_LEAD = r"^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})? (?:\[\d+\] )?)?"
"""The time, which Exim writes itself unless it logs by syslog alone."""
_EXIM_ID = r"([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})"

_EXIM = (
    pattern(
        " authenticator failed for ",
        rf"{_EXIM_LEAD}\S{{1,64}} authenticator failed for {_EXIM_PEER}\[{_IP}\](?::\d+)?(?: I=\S+)?(?: U=\S+)?: "
        r"\d{3} [^(]{0,256}(?:\(set_id=(.*)\))?$",
        "source.ip",
        "user.name",
        **_FAILED,
        **_SMTP,
    ),
    pattern(
        " rejected ",
        rf"{_EXIM_LEAD}(?:{_EXIM_ID} )?{_EXIM_HOST} (?>.{{0,512}}?(?:F=<([^>]*)> )?(?:temporarily )?rejected )"
        r"(?:RCPT <([^>]*)>|\S+)(?:[^:]{0,64}): (.*)$",
        "email.local_id",
        "source.ip",
        "source.port",
        "email.from.address",
        "email.to.address",
        "event.reason",
        **_REJECTED,
        **_SMTP,
    ),
    pattern(
        " <= ",
        rf"{_EXIM_LEAD}{_EXIM_ID} <= (\S+) {_EXIM_HOST}"
        r"(?:.{0,512}? A=[^\s:]{1,64}:(\S+))?(?:.{0,64}? S=(\d+))?",
        "email.local_id",
        "email.from.address",
        "source.ip",
        "source.port",
        "user.name",
        "email.size",
        **_RECEIVED,
        **_SMTP,
    ),
    pattern(
        " => ",
        rf"{_EXIM_LEAD}{_EXIM_ID} [=-]> (\S+)(?:.{{0,512}}? H=\S{{1,255}} \[{_IP}\])?",
        "email.local_id",
        "email.to.address",
        "destination.ip",
        email_status="sent",
        **_SENT,
    ),
    pattern(
        " ** ",
        rf"{_EXIM_LEAD}{_EXIM_ID} \*\* (\S+)[^:]{{0,512}}: (.*)$",
        "email.local_id",
        "email.to.address",
        "event.reason",
        email_status="bounced",
        **_SENT,
    ),
    pattern(
        " == ",
        rf"{_EXIM_LEAD}{_EXIM_ID} == (\S+) (.*)$",
        "email.local_id",
        "email.to.address",
        "event.reason",
        email_status="deferred",
        **_SENT,
    ),
)

_SENDMAIL_RELAY = rf"relay=(?:[^\[,]{{0,255}})\[{_IP}\]"

_SENDMAIL = (
    pattern(
        "AUTH failure",
        rf"^(?:\w+: )?AUTH failure \([\w-]+\): .{{0,512}}{_SENDMAIL_RELAY}",
        "source.ip",
        **_FAILED,
        **_SMTP,
    ),
    pattern(
        "AUTH=server",
        rf"^(?:\w+: )?AUTH=server, {_SENDMAIL_RELAY}[^,]{{0,64}}, authid=(.*), mech=\S+, bits=\d+$",
        "source.ip",
        "user.name",
        **_SUCCEEDED,
        **_SMTP,
    ),
    pattern(
        "ruleset=",
        rf"^(\w+): ruleset=\w+, arg1=<?([^>,]*)>?, {_SENDMAIL_RELAY}[^,]{{0,64}}, reject=(\d{{3}}) (.*)$",
        "email.local_id",
        "email.to.address",
        "source.ip",
        "smtp.response_code",
        "event.reason",
        **_REJECTED,
        **_SMTP,
    ),
    pattern(
        "from=",
        rf"^(\w+): from=<?([^>,]*)>?, size=(\d+), (?:[^\[]{{0,512}}?msgid=<([^>]*)>)?[^\[]{{0,512}}?{_SENDMAIL_RELAY}",
        "email.local_id",
        "email.from.address",
        "email.size",
        "email.message_id",
        "source.ip",
        **_RECEIVED,
        **_SMTP,
    ),
    pattern(
        "stat=",
        r"^(\w+): to=<?([^>,]*)>?, (?>.{0,1024}?(?:dsn=([\d.]+), )?stat=)"
        r"([A-Za-z]{1,32}(?: [a-z]{1,32}){0,4})(?:: | |$)\(?(.*?)\)?$",
        "email.local_id",
        "email.to.address",
        "smtp.enhanced_code",
        "email.status",
        "event.reason",
        **_SENT,
    ),
)

_MAIL = Logsource(product="linux", service="mail")
_INSTANCES = ("postfix", "postfix/submission", "postfix/smtps", "postfix/submissions")
_PARTS = ("smtp", "lmtp", "local", "virtual", "pipe", "error", "qmgr", "cleanup", "bounce", "pickup")

PROGRAMS = {
    "dovecot": Dialect(_MAIL, (*_DOVECOT, *PAM)),
    **dict.fromkeys((f"{name}/smtpd" for name in _INSTANCES), Dialect(_MAIL, _POSTFIX_SMTPD)),
    **dict.fromkeys((f"postfix/{part}" for part in _PARTS), Dialect(_MAIL, _POSTFIX)),
    **dict.fromkeys(("exim", "exim4"), Dialect(_MAIL, _EXIM)),
    **dict.fromkeys(("sendmail", "sm-mta", "sm-msp-queue"), Dialect(_MAIL, _SENDMAIL)),
}
