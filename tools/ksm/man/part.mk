# SPDX-License-Identifier: GPL-2.0-only
#
# Pages are named NAME.SECTION; all of them are installed.
man-pages := $(wildcard $(here)/man/*.[1-8])
checks += check-man
installs += install-man

# What man itself would complain about, in 80 columns
.PHONY: check-man install-man
check-man:
	@echo '  TEST    manual pages'
	@for page in $(man-pages); do \
		warnings=$$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 \
			man --warnings -E UTF-8 -l -Tutf8 -Z $$page 2>&1 \
			>/dev/null) || exit 1; \
		[ -z "$$warnings" ] || { echo "$$warnings"; exit 1; }; \
	done

install-man:
	for page in $(man-pages); do \
		$(INSTALL) -D -m 0644 $$page \
		$(mandir)/man$${page##*.}/$${page##*/} || exit 1; done
