// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "names.h"
#include "procfs.h"

static void clean(const char *name, const char *expected)
{
	char text[64];

	strcpy(text, name);
	ksm_name_clean(text);
	assert_string_equal(text, expected);
}

static void what_is_clean_stays(void **state)
{
	(void)state;
	clean("", "");
	clean("php-fpm (pool a)", "php-fpm (pool a)");
	clean("\u00e9\u20ac\U0001f600~", "\u00e9\u20ac\U0001f600~");
	clean("\xed\x9f\xbf \xf4\x8f\xbf\xbf", "\xed\x9f\xbf \xf4\x8f\xbf\xbf");
}

static void a_terminal_obeys_nothing(void **state)
{
	(void)state;
	clean("\x1b[2J", "?[2J");
	clean("a\nb\tc\x7f", "a?b?c?");
	/* CSI in one character, of two bytes in UTF-8 */
	clean("\302\23331m", "?31m");
	clean("\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0");
}

static void what_is_no_utf8(void **state)
{
	(void)state;
	clean("\xff\xfe", "??");
	clean("a\x80z", "a?z");
	/* cut off, within and at the end */
	clean("\xe2\x82 x", "?? x");
	clean("\xe2\x82", "??");
	clean("\xf0\x9f\x98", "???");
	/* longer than need be, a surrogate, and beyond the last character */
	clean("\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "?? ??? ????");
	clean("\xed\xa0\x80", "???");
	clean("\xf4\x90\x80\x80 \xf5\x80\x80\x80", "???? ????");
}

static void characters(void **state)
{
	static const char name[] = "a\u00e9\u20acz";
	const char *at = name;

	(void)state;
	at = ksm_name_next(at);
	assert_int_equal(at - name, 1);
	at = ksm_name_next(at);
	assert_int_equal(at - name, 3);
	at = ksm_name_next(at);
	assert_string_equal(at, "z");
	assert_string_equal(ksm_name_next(at), "");
}

static void unit_of(const char *cgroup, const char *expected)
{
	char unit[KSM_UNIT_MAX];

	fixture_write("proc/1/cgroup", cgroup);
	ksm_proc_unit(1, unit, sizeof(unit));
	assert_string_equal(unit, expected);
}

static void units(void **state)
{
	(void)state;
	fixture_open(NULL);
	unit_of("0::/\n", "");
	unit_of("0::/system.slice/cron.service\n", "cron.service");
	unit_of("0::/system.slice\n", "system.slice");
	/* what programs make below is their own affair */
	unit_of("0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator\n",
		"machine-qemu\\x2d1\\x2dweb.scope");
	unit_of("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-ab.scope\n",
		"cri-containerd-ab.scope");
	unit_of("0::/machine.slice/systemd-nspawn@shop.service/supervisor\n",
		"systemd-nspawn@shop.service");
}

static void units_of_old_hierarchies(void **state)
{
	(void)state;
	fixture_open(NULL);
	unit_of("3:memory:/x\n1:name=systemd:/system.slice/a.service\n0::/\n",
		"a.service");
	/* a unit may have colons in its name */
	unit_of("1:name=systemd:/system.slice/a:b.service\n", "a:b.service");
	unit_of("0::/system.slice/a:b.service\n", "a:b.service");
}

static void units_in_containers(void **state)
{
	(void)state;
	fixture_open(NULL);
	unit_of("0::/machine.slice/systemd-nspawn@shop.service/payload/system.slice/apache2.service\n",
		"shop/apache2.service");
	unit_of("0::/machine.slice/machine-shop.scope/payload/init.scope\n",
		"shop/init.scope");
	unit_of("0::/machine.slice/systemd-nspawn@my\\x2dshop.service/payload/system.slice/a\\x2db.service\n",
		"my-shop/a\\x2db.service");
	unit_of("0::/machine.slice/libpod-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope/container/system.slice/nginx.service\n",
		"libpod-0123456789ab/nginx.service");
	unit_of("0::/lxc/101/ns/system.slice/cron.service\n", "101/cron.service");
	unit_of("0::/lxc.payload.web/system.slice/cron.service\n",
		"web/cron.service");
	/* a container in a container */
	unit_of("0::/machine.slice/systemd-nspawn@a.service/payload/machine.slice/systemd-nspawn@b.service/payload/system.slice/x.service\n",
		"a/b/x.service");
	/* no systemd in it */
	unit_of("0::/lxc/102/ns\n", "102/");
	/* that of a user is another one, too */
	unit_of("0::/user.slice/user-1000.slice/user@1000.service/app.slice/dbus.service\n",
		"user@1000/dbus.service");
}

static void parts_of_a_name(void **state)
{
	(void)state;
	assert_string_equal(ksm_unit_name("cron.service"), "cron.service");
	assert_string_equal(ksm_unit_name("a/b/x.service"), "x.service");
	assert_string_equal(ksm_unit_name("102/"), "");
	assert_string_equal(ksm_unit_name(""), "");
}

static void odd_units(void **state)
{
	char path[3000] = "0::/system.slice/", expected[KSM_UNIT_MAX];

	(void)state;
	fixture_open(NULL);
	unit_of("", "");
	unit_of("0::/.service\n", "");
	unit_of("0::/user.slice/\xff\x1b.scope\n", "??.scope");
	/* so long that it takes more than one read */
	memset(path + strlen(path), 'd', 2000);
	strcat(path, "/cron.service\n");
	unit_of(path, "cron.service");
	/* cut, but not beyond its room */
	strcpy(path, "0::/");
	memset(path + 4, 'u', 240);
	strcpy(path + 244, ".service/");
	memset(path + 253, 'v', 240);
	strcpy(path + 493, ".service\n");
	memset(expected, 'v', sizeof(expected) - 1);
	memset(expected, 'u', 240);
	expected[240] = '/';
	expected[sizeof(expected) - 1] = '\0';
	unit_of(path, expected);
}

static void unescaped(void **state)
{
	char name[64] = "a\\x2db\\x20c\\x9b\\x1b\\x2\\xzz\\x 41\\x+5";

	(void)state;
	ksm_unit_unescape(name);
	assert_string_equal(name, "a-b c\\x9b\\x1b\\x2\\xzz\\x 41\\x+5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_clean_stays),
		cmocka_unit_test(a_terminal_obeys_nothing),
		cmocka_unit_test(what_is_no_utf8),
		cmocka_unit_test(characters),
		cmocka_unit_test_teardown(units, fixture_teardown),
		cmocka_unit_test_teardown(units_of_old_hierarchies,
					  fixture_teardown),
		cmocka_unit_test_teardown(units_in_containers,
					  fixture_teardown),
		cmocka_unit_test(parts_of_a_name),
		cmocka_unit_test_teardown(odd_units, fixture_teardown),
		cmocka_unit_test(unescaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
