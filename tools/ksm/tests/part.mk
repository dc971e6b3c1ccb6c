# SPDX-License-Identifier: GPL-2.0-only
#
# A test of the library is a file test-NAME.c, which is all of it.
tests += $(patsubst $(here)/tests/%.c,%,$(wildcard $(here)/tests/test-*.c))
$(foreach test,$(patsubst $(here)/tests/%.c,%,$(wildcard \
	$(here)/tests/test-*.c)),$(eval $(test)-src := tests/$(test).c \
	tests/fixture.c)$(eval $(test)-libs := -lcmocka))

# Tests of the command are in Python; one file or class: make check-cli CLI=NAME
checks += check-cli

.PHONY: check-cli
check-cli: all
	@echo '  TEST    the command'
	@cd $(here)/tests/cli && PYTHONDONTWRITEBYTECODE=1 \
		KSM_FIXTURES=$(here)/tests/fixtures KSM_SOURCE=$(here) \
		KSM_BIN=$(O)/bin python3 -m unittest $(if $(V),-v) $(CLI)

# It changes what KSM of this machine does, so it is not run by "make check".
programs += explain_truth
explain_truth-src := tests/explain_truth.c tests/truths.c tests/uring.c
