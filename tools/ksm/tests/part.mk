# SPDX-License-Identifier: GPL-2.0-only
#
# A test of the library is a file test-NAME.c, which is all of it.
tests += $(patsubst $(here)/tests/%.c,%,$(wildcard $(here)/tests/test-*.c))
$(foreach test,$(patsubst $(here)/tests/%.c,%,$(wildcard \
	$(here)/tests/test-*.c)),$(eval $(test)-src := tests/$(test).c \
	tests/fixture.c)$(eval $(test)-libs := -lcmocka))

# Tests of ksm top link the parts of it that they are about.
test-top-chart-src += cmd/top_chart.c cmd/top_frame.c
test-top-frame-src += cmd/top_frame.c
test-top-data-src += cmd/top_data.c
test-top-table-src += cmd/top_table.c cmd/top_data.c
test-top-keys-src += cmd/top_keys.c cmd/top_table.c cmd/top_data.c \
	cmd/top_text.c
test-top-read-src += cmd/top_read.c
test-top-golden-src += tests/top_host.c

# The host in its frames, also to try ksm top out
programs += make-top-host
make-top-host-src := tests/make-top-host.c tests/top_host.c

# Instances of tracefs, which a directory of a fixture is not
fake-tracefs := -Wl,--wrap=mkdir -Wl,--wrap=rmdir
test-tracefs-src += tests/fake-tracefs.c
test-tracefs-libs += $(fake-tracefs)
programs += ksm-fake-tracefs
ksm-fake-tracefs-src := $(patsubst $(here)/%,%,$(wildcard $(here)/cmd/*.c)) \
	tests/fake-tracefs.c
ksm-fake-tracefs-libs := -lncursesw -ltinfo $(fake-tracefs)

# Tests of the command are in Python; one file or class: make check-cli CLI=NAME
# The system's, which has the modules that its packages bring.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
checks += check-cli

.PHONY: check-cli
check-cli: all
	@echo '  TEST    the command'
	@cd $(here)/tests/cli && PYTHONDONTWRITEBYTECODE=1 \
		KSM_FIXTURES=$(here)/tests/fixtures KSM_SOURCE=$(here) \
		KSM_BIN=$(O)/bin $(PYTHON) -m unittest $(if $(V),-v) $(CLI)

# It changes what KSM of this machine does, so it is not run by "make check".
programs += explain_truth
explain_truth-src := tests/explain_truth.c tests/truths.c tests/uring.c

# A day of samples, for ksm report and its picture
programs += make-report-host
make-report-host-src := tests/make-report-host.c
