#!/usr/bin/env bash
# debian.sh PACKAGE...: installs the Debian packages that are missing; not as root, names them and exits 1.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

POLICY=/usr/sbin/policy-rc.d

missing_of() {
  local package
  for package in "$@"; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || echo "$package"
  done
}

# Test programs must not become running services: Debian asks this file before it starts one.
forbid_services() {
  [ -e "$POLICY" ] && return
  trap 'rm -f "$POLICY"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
}

install() {
  say "Cài gói Debian / Installing Debian packages: $*"
  export DEBIAN_FRONTEND=noninteractive
  forbid_services
  { apt-get update && apt-get install --yes --no-install-recommends "$@"; } >"$LOG" 2>&1
}

command -v dpkg-query >/dev/null || fail "Không phải Debian, hãy tự cài / Not Debian, please install by hand: $*"
lacking=$(missing_of "$@")
[ -n "$lacking" ] || exit 0
mapfile -t missing <<<"$lacking"
[ "$(id -u)" -eq 0 ] || fail "Thiếu gói Debian / Missing Debian packages: apt-get install ${missing[*]}"
LOG=$(mktemp)
install "${missing[@]}" || {
  tail -n 20 "$LOG" >&2
  fail "Không cài được gói Debian / Could not install Debian packages: ${missing[*]}"
}
rm -f "$LOG"
