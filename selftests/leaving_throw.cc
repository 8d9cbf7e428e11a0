// SPDX-License-Identifier: GPL-2.0
// A rescue point that C++ exceptions pass.
#include "leaving_throw.h"

int thrown_state;

namespace {

// Seen to be destroyed: the unwinder stops in each frame that it passes.
struct guard {
	~guard()
	{
		thrown_state += 10;
	}
};

[[gnu::noipa]] void deeper(int how)
{
	guard here;

	if (how == THROW_OUT)
		throw 1;
	if (how == THROW_INSIDE)
		throw 2l;
	asm volatile("" : : : "memory");
}

}

[[gnu::noipa]] long throwing_victim(int how)
{
	guard here;

	thrown_state++;
	try {
		deeper(how);
	} catch (long) {
		thrown_state += 100;
	}
	if (how != THROW_NOTHING)
		crash();
	return 1;
}

[[gnu::noipa]] long catch_thrown(int how)
{
	try {
		return throwing_victim(how);
	} catch (int) {
		return CAUGHT;
	}
}

namespace {

// What is called between it and the rescue point stays far from that one's
// stack.
[[gnu::noipa]] long far_away(int how)
{
	char unused[16384];

	asm volatile("" : : "r" (unused) : "memory");
	return throwing_victim(how) + 1;
}

}

[[gnu::noipa]] long catch_from_afar(int how)
{
	try {
		return far_away(how);
	} catch (int) {
		return CAUGHT;
	}
}
