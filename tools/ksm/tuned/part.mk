# SPDX-License-Identifier: GPL-2.0-only
#
# ksmtuned, ksmctl, and the services that run them and "ksm record"
sbindir := $(PREFIX)/sbin
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSCONFDIR ?= /etc
HOOKDIR ?= $(SYSCONFDIR)/libvirt/hooks/qemu.d

tuned-cflags := -I$(here)/tuned -I$(here)/tests
tuned-common := $(addprefix tuned/,log.c assign.c ready.c)
tuned-daemon := $(addprefix tuned/,algo.c conf.c sense.c step.c psi.c notify.c)

programs += ksmtuned ksmctl
ksmtuned-src := $(tuned-common) $(tuned-daemon) \
	$(addprefix tuned/,main.c daemon.c once.c)
ksmctl-src := $(tuned-common) $(addprefix tuned/,ctl.c settings.c boost.c)
# they use no JSON
ksmtuned-libs := -Wl,--as-needed
ksmctl-libs := -Wl,--as-needed

# Unit tests: the files that are tested, and what these need
tuned-tests := test-tuned-algo test-tuned-conf test-tuned-sense \
	test-tuned-state test-tuned-daemon test-ksmctl
test-tuned-algo-src := $(addprefix tuned/,algo.c conf.c assign.c log.c)
test-tuned-conf-src := $(addprefix tuned/,conf.c assign.c log.c)
test-tuned-sense-src := $(addprefix tuned/,sense.c log.c)
test-tuned-state-src := tuned/log.c
# these run the programs
test-tuned-daemon-src := tuned/tests/child.c
test-ksmctl-src := tuned/tests/child.c
tests += $(tuned-tests)
$(foreach test,$(tuned-tests),$(eval $(test)-src += \
	tuned/tests/$(test).c tests/fixture.c)$(eval $(test)-libs := -lcmocka))

# Units and scripts name the programs by where they are installed.
units := ksm.service ksm-boost.service ksmtuned.service ksm-record.service
filled := $(addprefix $(O)/units/,$(units) libvirt-hook)

$(O)/units/%: $(here)/units/%.in $(MAKEFILE_LIST)
	@mkdir -p $(dir $@)
	$(Q)sed -e 's,@SBINDIR@,$(sbindir),g' -e 's,@BINDIR@,$(PREFIX)/bin,g' \
		$< >$@

all: $(filled)

tuned-man := ksmtuned.8 ksmctl.8 ksm.service.8 ksmtuned.conf.5

.PHONY: check-tuned
checks += check-tuned
check-tuned: $(filled)
	$(Q)$(here)/tuned/tests/check-files $(O) $(sbindir) $(PREFIX)/bin \
		$(addprefix $(here)/man/,$(tuned-man))

.PHONY: install-tuned
installs += install-tuned
install-tuned:
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(SYSCONFDIR)/default $(DESTDIR)$(HOOKDIR)
	$(INSTALL) -m 0755 $(O)/bin/ksmtuned $(O)/bin/ksmctl \
		$(DESTDIR)$(sbindir)
	$(INSTALL) -m 0644 $(units:%=$(O)/units/%) $(DESTDIR)$(UNITDIR)
	$(INSTALL) -m 0644 $(here)/units/ksm.default \
		$(DESTDIR)$(SYSCONFDIR)/default/ksm
	$(INSTALL) -m 0644 $(here)/units/ksmtuned.conf \
		$(DESTDIR)$(SYSCONFDIR)/ksmtuned.conf
	$(INSTALL) -m 0755 $(O)/units/libvirt-hook $(DESTDIR)$(HOOKDIR)/ksmtuned
