# SPDX-License-Identifier: GPL-2.0-only
schemas := $(wildcard $(here)/schema/*.json)
installs += install-schema

.PHONY: install-schema
install-schema:
	$(INSTALL) -d $(datadir)
	$(INSTALL) -m 0644 $(schemas) $(datadir)
