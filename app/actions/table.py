"""Every change a person can make, and the few reads that only the centre answers: one literal table."""

from __future__ import annotations

from app.actions import (
    accesses,
    accounts,
    credentials,
    incidents,
    inventory,
    requests,
    retention,
    reviews,
    rules,
    sessions,
)
from app.actions.accesses import OfAccess
from app.actions.accounts import OfGrant, OfNewUser, OfUser
from app.actions.calls import Action, Nothing
from app.actions.credentials import OfCredential, OfDevice, OfSet, OfTarget
from app.actions.incidents import OfIncident, Report
from app.actions.inventory import OfRecords, OfRows
from app.actions.requests import OfRequest
from app.actions.retention import OfRetention
from app.actions.reviews import OfQuarter, OfVerdict
from app.actions.rules import OfPack, OfQuarantine, OfRules, OfVersion
from app.actions.sessions import Code, Credentials, Vouched

ACTIONS: dict[str, Action] = {
    "session.begin": Action("", Credentials, sessions.begin, outside=sessions.fits),
    "session.code": Action("", Code, sessions.code),
    "session.vouched": Action("", Vouched, sessions.vouched),
    "session.factor": Action("", Nothing, sessions.begin_factor),
    "session.confirm": Action("", Code, sessions.confirm_factor),
    "session.end": Action("", Nothing, sessions.end),
    "session.password": Action("", Credentials, sessions.change_password),
    "incidents.create": Action("incident.write", Report, incidents.create),
    "incidents.acknowledge": Action("incident.write", OfIncident, incidents.acknowledge),
    "incidents.assign": Action("incident.write", OfIncident, incidents.assign),
    "incidents.note": Action("incident.write", OfIncident, incidents.note),
    "incidents.close": Action("incident.write", OfIncident, incidents.close),
    "users.add": Action("users.write", OfNewUser, accounts.add),
    "users.grant": Action(
        "users.write", OfGrant, accounts.grant, concerns=accounts.concerns_of_grant, subject=accounts.subject
    ),
    "users.revoke": Action("users.write", OfGrant, accounts.revoke),
    "users.reset": Action("users.write", OfUser, accounts.reset),
    "users.disable": Action("users.write", OfUser, accounts.disable),
    "users.enable": Action("users.write", OfUser, accounts.enable),
    "users.signout": Action("users.write", OfUser, accounts.sign_out),
    "users.list": Action("users.read", Nothing, accounts.list_),
    "requests.approve": Action("approve", OfRequest, lambda call: requests.approve(call, ACTIONS)),
    "requests.refuse": Action("approve", OfRequest, requests.refuse),
    "requests.withdraw": Action("inventory.read", OfRequest, requests.withdraw),
    "requests.list": Action("inventory.read", Nothing, requests.list_),
    "reviews.begin": Action("users.write", Nothing, reviews.begin),
    "reviews.decide": Action("users.write", OfVerdict, reviews.decide),
    "reviews.sign": Action("approve", OfQuarter, reviews.sign),
    "reviews.list": Action("users.read", OfQuarter, reviews.list_),
    "retention.set": Action("retention.write", OfRetention, retention.set_, concerns=retention.concerns),
    "access.note": Action("inventory.read", OfAccess, accesses.note),
    "inventory.compare": Action("inventory.write", OfRows, inventory.show, outside=inventory.compare),
    "inventory.import": Action("inventory.write", OfRows, inventory.import_, outside=inventory.compare),
    "inventory.delete": Action("inventory.write", OfRecords, inventory.delete, concerns=inventory.concerns_of_deletion),
    "credentials.put": Action("credentials.write", OfCredential, credentials.put),
    "credentials.remove": Action("credentials.write", OfSet, credentials.remove),
    "credentials.assign": Action("credentials.write", OfTarget, credentials.assign),
    "credentials.unassign": Action("credentials.write", OfTarget, credentials.unassign),
    "credentials.list": Action("credentials.write", Nothing, credentials.list_),
    "credentials.which": Action("credentials.write", OfDevice, credentials.which),
    "credentials.rotate": Action("credentials.write", Nothing, credentials.rotate),
    "credentials.retire": Action("credentials.write", Nothing, credentials.retire),
    "rules.import": Action("rules.write", OfPack, rules.import_pack, outside=rules.unpack, changes_rules=True),
    "rules.rollback": Action("rules.write", OfVersion, rules.roll_back, changes_rules=True),
    "rules.enable": Action("rules.write", OfRules, rules.enable, changes_rules=True),
    "rules.disable": Action("rules.write", OfRules, rules.disable, changes_rules=True),
    "quarantine.replay": Action("logs.write", OfQuarantine, rules.ask_replay),
}
