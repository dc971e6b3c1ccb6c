# SPDX-License-Identifier: GPL-2.0-only
#
# A test of the library is a file test-NAME.c, which is all of it.
tests += $(patsubst $(here)/tests/%.c,%,$(wildcard $(here)/tests/test-*.c))
$(foreach test,$(patsubst $(here)/tests/%.c,%,$(wildcard \
	$(here)/tests/test-*.c)),$(eval $(test)-src := tests/$(test).c \
	tests/fixture.c)$(eval $(test)-libs := -lcmocka))
