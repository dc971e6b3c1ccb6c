# SPDX-License-Identifier: GPL-2.0-only
programs += ksm
ksm-src := $(patsubst $(here)/%,%,$(wildcard $(here)/cmd/*.c))
ksm-libs := -lncursesw -ltinfo
installs += install-ksm

.PHONY: install-ksm
install-ksm:
	$(INSTALL) -D -m 0755 $(O)/bin/ksm $(bindir)/ksm
