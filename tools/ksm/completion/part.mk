# SPDX-License-Identifier: GPL-2.0-only
installs += install-completion

.PHONY: install-completion
install-completion:
	$(INSTALL) -D -m 0644 $(here)/completion/ksm $(completiondir)/ksm
