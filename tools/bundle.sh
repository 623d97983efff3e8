#!/usr/bin/env bash
# bundle.sh: packs the committed tree, the Python wheels for this machine's kind and the built JavaScript into one file,
# from which `make run` needs no network. The same commit gives the same bytes.
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PYTHON=.venv/bin/python
git rev-parse --verify --quiet HEAD >/dev/null || fail "Cần kho git có commit / A git checkout with a commit is needed"
[ -z "$(git status --porcelain)" ] || say "Thay đổi chưa commit không vào gói / Uncommitted changes are left out"

VERSION=$("$PYTHON" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
NAME=haidang-$VERSION
TARGET=dist/$NAME-bundle.tar.gz
STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT

collect_wheels() {
  local wheels=$STAGE/$NAME/wheels
  say "Tải các gói Python / Fetching Python wheels"
  "$PYTHON" -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    --requirement locks/run.txt --dest "$wheels"
  "$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' >"$wheels/python-version"
}

pack() {
  tar --create --directory "$STAGE" --sort=name --mtime="@$(git log -1 --format=%ct)" \
    --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$NAME" | gzip --no-name
}

git archive --prefix="$NAME/" HEAD | tar --extract --directory "$STAGE"
mkdir -p "$STAGE/$NAME/console/static"
cp -R console/static/vendor "$STAGE/$NAME/console/static/"
collect_wheels
mkdir -p dist
pack >"$TARGET.part"
mv "$TARGET.part" "$TARGET"
printf '%s  %s bytes  sha256 %s\n' "$TARGET" "$(stat --format=%s "$TARGET")" "$(sha256sum "$TARGET" | cut -d' ' -f1)"
