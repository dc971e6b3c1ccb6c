# SPDX-License-Identifier: GPL-2.0-only
installs += install-schema

.PHONY: install-schema
install-schema:
	$(INSTALL) -d $(datadir)
	$(INSTALL) -m 0644 $(wildcard $(here)/schema/*.json) $(datadir)
