# SPDX-License-Identifier: GPL-2.0-only
schemas := $(wildcard $(here)/schema/*.json)
installs += install-schema

.PHONY: install-schema
install-schema:
	for schema in $(schemas); do \
		$(INSTALL) -D -m 0644 $$schema \
			$(datadir)/$${schema##*/} || exit 1; done
