# Hải Đăng. `make` lists the targets; the recipes' logic is in tools/.

TEST_PROGRAMS := chromium git iproute2 openssh-client openssh-server openssl procps prometheus prometheus-snmp-exporter \
	rsyslog rsyslog-gnutls rsyslog-relp snmp snmpd sshpass victoria-metrics

.PHONY: help setup setup-test run test soak bundle lock
.DEFAULT_GOAL := help

help: ## danh sách này / this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

setup: ## cài mọi thứ cần để chạy vào .venv / install all that running needs into .venv
	@tools/setup.sh run
	@tools/javascript.sh run

run: setup ## chạy bản trình diễn / run the demonstration
	@exec .venv/bin/haidang demo

setup-test:
	@tools/setup.sh test
	@tools/javascript.sh test
	@tools/debian.sh $(TEST_PROGRAMS) || [ "$$CI" != true ]

test: setup-test ## kiểm tra kiểu, phong cách, kiến trúc và chạy các phép thử / lint, types, architecture, tests
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@exec .venv/bin/pytest -m "not soak"

soak: setup-test ## các phép thử dài và tải nặng / long and heavy runs
	@exec .venv/bin/pytest -m soak tests/soak

bundle: setup ## đóng gói để cài không cần mạng / pack for installation without a network
	@tools/bundle.sh

lock: ## cập nhật các tệp khóa phiên bản / renew the lock files
	@tools/lock.sh
