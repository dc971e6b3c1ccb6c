# SPDX-License-Identifier: GPL-2.0-only
programs += ksm
ksm-src := $(patsubst $(here)/%,%,$(wildcard $(here)/cmd/*.c))
ksm-libs := -lncursesw -ltinfo
installs += install-ksm

# The page of ksm report, as a string of C
cmd-cflags := -I$(O)/cmd
$(O)/cmd/report-template.o: $(O)/cmd/report.html.inc
$(O)/cmd/report.html.inc: $(here)/cmd/report.html
	@mkdir -p $(dir $@)
	$(Q)sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< >$@

.PHONY: install-ksm
install-ksm:
	$(INSTALL) -D -m 0755 $(O)/bin/ksm $(bindir)/ksm
