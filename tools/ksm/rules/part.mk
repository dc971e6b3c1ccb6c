# SPDX-License-Identifier: GPL-2.0-only
installs += install-rules
checks += check-rules
PROMTOOL ?= $(shell command -v promtool)
export PROMTOOL

.PHONY: check-rules install-rules
check-rules:
ifeq ($(PROMTOOL),)
	@echo 'alert rules ... skipped no promtool (package prometheus)'
else
	@$(PROMTOOL) check rules $(here)/rules/ksm.rules.yml >/dev/null
	@echo 'alert rules: check ... ok'
	@$(PROMTOOL) test rules $(here)/rules/ksm.rules.test.yml >/dev/null
	@echo 'alert rules: test ... ok'
endif

install-rules:
	$(INSTALL) -D -m 0644 $(here)/rules/ksm.rules.yml \
		$(datadir)/ksm.rules.yml
