# SPDX-License-Identifier: GPL-2.0-only
#
# The library has a Makefile of its own: it goes into programs of all kinds,
# so it is compiled in a way of its own, and is nothing without its wrapper.

.PHONY: preload check-preload install-preload
all: preload

preload:
	$(Q)$(MAKE) -s -C $(here)/preload O=$(O)/preload all

checks += check-preload
check-preload: preload
	@echo '  TEST    the library to preload'
	@$(MAKE) -s -C $(here)/preload O=$(O)/preload check

installs += install-preload
install-preload: preload
	$(Q)$(MAKE) -s -C $(here)/preload O=$(O)/preload PREFIX=$(PREFIX) \
		DESTDIR=$(DESTDIR) install
