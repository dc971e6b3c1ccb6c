# SPDX-License-Identifier: GPL-2.0-only
installs += install-schema

.PHONY: install-schema
install-schema:
	$(INSTALL) -D -m 0644 $(here)/schema/ksm-status-1.json \
		$(datadir)/ksm-status-1.json
