# What every script here shares: they run from the project's root and stop at the first error.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '· %s\n' "$*" >&2; }

fail() {
  printf '✗ %s\n' "$*" >&2
  exit 1
}

# A bundle carries its Python wheels: then nothing may ask the network.
in_bundle() { [ -d wheels ]; }
