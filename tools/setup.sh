#!/usr/bin/env bash
# setup.sh run|test: makes .venv from locks/KIND.txt and installs the project into it, editable.
# Nothing is done where the same lock and pyproject.toml were installed here before.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

KIND=$1
PYTHON=.venv/bin/python
# A bundle's wheels serve one version of Python; it is written beside them.
SERVED=$(cat wheels/python-version 2>/dev/null || true)

version_fits() {
  "$1" - "$SERVED" 2>/dev/null <<'CODE'
import sys
served = sys.argv[1]
sys.exit(sys.version_info < (3, 11) or served not in ("", "%d.%d" % sys.version_info[:2]))
CODE
}

venv_works() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3 python3.11 python3.12 python3.13 python3.14; do
    if version_fits "$candidate" && venv_works "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

need_python() {
  local wanted="Python ${SERVED:-≥ 3.11}"
  if in_bundle || [ "$(id -u)" -ne 0 ]; then
    fail "Thiếu $wanted có mô-đun venv / $wanted with its venv module is missing: apt-get install python3 python3-venv"
  fi
  tools/debian.sh python3 python3-venv
  find_python || fail "Debian này không có $wanted / This Debian has no $wanted"
}

# A virtual environment cannot be moved: it is made anew when the folder is another.
make_venv() {
  [ "$(cat .venv/folder 2>/dev/null)" = "$PWD" ] && "$PYTHON" -c '' 2>/dev/null && return
  local python
  python=$(find_python) || python=$(need_python)
  say "Tạo môi trường Python / Making the Python environment: .venv ($("$python" --version))"
  "$python" -m venv --clear .venv
  echo "$PWD" >.venv/folder
}

pip_install() { "$PYTHON" -m pip install --quiet --disable-pip-version-check "$@"; }

install_project() {
  local from=()
  in_bundle && from=(--no-index --find-links wheels)
  say "Cài các gói Python / Installing Python packages: locks/$KIND.txt"
  pip_install "${from[@]}" --require-hashes -r "locks/$KIND.txt"
  pip_install --no-index --no-deps --no-build-isolation --editable .
}

fingerprint() { sha256sum pyproject.toml "locks/$1.txt"; }

is_done() { [ -x .venv/bin/haidang ] && [ "$(cat ".venv/installed-$KIND" 2>/dev/null)" = "$(fingerprint "$KIND")" ]; }

make_venv
is_done && exit 0
install_project
fingerprint "$KIND" >".venv/installed-$KIND"
# The test lock holds all that the run lock holds.
[ "$KIND" = run ] || fingerprint run >.venv/installed-run
