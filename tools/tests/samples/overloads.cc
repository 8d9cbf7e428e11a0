// SPDX-License-Identifier: GPL-2.0
// C++ names in their variety.
#include <cstdlib>

#define NOINLINE __attribute__((noinline, noclone))

namespace shop {

struct cart {
	NOINLINE int total() const;
	NOINLINE int operator()(int value);
	int state = 1;
};

NOINLINE int cart::total() const
{
	return state + rand();
}

NOINLINE int cart::operator()(int value)
{
	return state - value;
}

NOINLINE int pay(int amount)
{
	return amount + rand();
}

NOINLINE int pay(unsigned long amount, const char *)
{
	return amount - rand();
}

template <typename T> NOINLINE T largest(T a, T b)
{
	return rand() ? a : b;
}

namespace {

NOINLINE int hidden(void (*call)(int))
{
	call(1);
	return rand();
}

}

// A part that is never executed is split off: "checkout(int) [clone .cold]".
NOINLINE int checkout(int value)
{
	if (__builtin_expect(value > 1000, 0)) {
		std::abort();
	}
	return value + rand();
}

NOINLINE void throws(int value)
{
	if (value > 1000)
		throw value;
}

}

static void nothing(int)
{
}

int main(int argc, char **)
{
	shop::cart cart;

	shop::throws(argc);
	return cart.total() + cart(argc) + shop::pay(argc) +
	       shop::pay(1ul, "") + shop::largest<int>(argc, 1) +
	       shop::hidden(nothing) + shop::checkout(argc);
}
