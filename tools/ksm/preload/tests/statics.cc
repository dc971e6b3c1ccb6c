// SPDX-License-Identifier: GPL-2.0-only
/*
 * Big blocks from static initialisers, of the program and of a library of its
 * own, which the dynamic linker may initialise before ours; and freed by static
 * destructors.
 */
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "memory.h"

/* The program's must not be taken for the library's. */
namespace {

struct Table {
	std::vector<unsigned char> bytes;
	std::map<int, std::string> names;

	explicit Table(unsigned int seed) : bytes(300000)
	{
		fill(bytes.data(), bytes.size(), seed);
		for (int i = 0; i < 5000; i++)
			names[i] = std::string(i % 50 ? 10 : 50000, 'x');
	}

	~Table()
	{
		CHECK(names.size() == 5000);
	}
};

Table table(STATICS_SEED);
void *zero = calloc(3, 100000);

/* A thread before main(), and before the constructors of who comes later. */
std::vector<unsigned char> *made_by_thread;

struct Starter {
	Starter()
	{
		std::thread([] {
			made_by_thread = new std::vector<unsigned char>(700000);
		}).join();
	}
};

Starter starter;

} // namespace

void STATICS_CHECK(bool with_library)
{
	CHECK(is_filled(table.bytes.data(), table.bytes.size(), STATICS_SEED));
	CHECK(is_zero(zero, 300000));
	if (!with_library)
		return;
	CHECK((uintptr_t)zero % PAGE == 0);
	CHECK((uintptr_t)table.bytes.data() % PAGE == 0);
	CHECK((uintptr_t)made_by_thread->data() % PAGE == 0);
	CHECK(!can_register() || is_registered(table.bytes.data(), 290000));
	CHECK(!can_register() || is_registered(zero, 290000));
	delete made_by_thread;
}
