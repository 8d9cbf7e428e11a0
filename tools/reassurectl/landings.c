// SPDX-License-Identifier: GPL-2.0
/*
 * Where control goes to a frame further up: the ends of longjmp(), setcontext()
 * and the unwinder of exceptions.  C libraries are stripped, and what is looked
 * for is local there, so it is found by following the code from the functions
 * that have names.
 */
#include <Zydis/Zydis.h>
#include <stdlib.h>

#include "exits.h"
#include "landings.h"

/* longjmp() calls what does it; pthread_exit() has it called back. */
#define DEPTH_MAX 3

/* Beyond what belongs to these functions. */
#define PLACES_MAX 65536

/* The same, and many times what the C libraries have. */
#define INSTRUCTIONS_MAX 1048576

/* A place from which code is to be looked through. */
struct place_to_look {
	__u64 address;
	/* Calls from the first function. */
	int depth;
	/* The stack pointer is that of another frame. */
	bool set;
};

struct landings_search {
	code_finder *find_code;
	void *data;
	__u64 *landings;
	size_t max;
	size_t found;
	ZydisDecoder decoder;
	/* Where jumps lead to; each stays, for none is looked at twice. */
	struct place_to_look *places;
	size_t count;
	size_t next;
	/* How many instructions were looked at, each time. */
	size_t instructions;
};

struct decoded_instruction {
	__u64 address;
	ZydisDecodedInstruction decoded;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

struct landings_search *landings_search_new(code_finder *find_code, void *data,
					    __u64 *landings, size_t max)
{
	struct landings_search *search = calloc(1, sizeof(*search));

	if (!search)
		return NULL;
	search->find_code = find_code;
	search->data = data;
	search->landings = landings;
	search->max = max;
	search->places = calloc(PLACES_MAX, sizeof(*search->places));
	if (search->places &&
	    ZYAN_SUCCESS(ZydisDecoderInit(&search->decoder,
					  ZYDIS_MACHINE_MODE_LONG_64,
					  ZYDIS_STACK_WIDTH_64)))
		return search;
	free(search->places);
	free(search);
	return NULL;
}

static void add_place(struct landings_search *search, __u64 address, int depth,
		      bool set)
{
	struct place_to_look *place;
	size_t i;

	if (depth > DEPTH_MAX || search->count == PLACES_MAX)
		return;
	for (i = 0; i < search->count; i++) {
		place = &search->places[i];
		if (place->address == address && place->set == set &&
		    place->depth <= depth)
			return;
	}
	search->places[search->count++] = (struct place_to_look) {
		.address = address,
		.depth = depth,
		.set = set,
	};
}

static void add_landing(struct landings_search *search, __u64 address)
{
	size_t i;

	for (i = 0; i < search->found; i++)
		if (search->landings[i] == address)
			return;
	if (search->found < search->max)
		search->landings[search->found++] = address;
}

static bool is_register(const ZydisDecodedOperand *operand, ZydisRegister reg)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       operand->reg.value == reg;
}

/* Whether @operand is something of the function's own frame. */
static bool is_own(const ZydisDecodedOperand *operand)
{
	if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY)
		return operand->mem.base == ZYDIS_REGISTER_RBP ||
		       operand->mem.base == ZYDIS_REGISTER_RSP;
	return is_register(operand, ZYDIS_REGISTER_RBP);
}

/*
 * Whether the stack pointer is another frame's behind @at, when it was @set
 * before.  A function's own is counted from its frame pointer.
 */
static bool is_set_behind(const struct decoded_instruction *at, bool set)
{
	const ZydisDecodedOperand *to = &at->operands[0];
	const ZydisDecodedOperand *from = &at->operands[1];

	if (at->decoded.mnemonic == ZYDIS_MNEMONIC_LEAVE)
		return false;
	if (!at->decoded.operand_count_visible ||
	    !is_register(to, ZYDIS_REGISTER_RSP))
		return set;
	switch (at->decoded.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		return !is_own(from);
	case ZYDIS_MNEMONIC_POP:
		return true;
	case ZYDIS_MNEMONIC_LEA:
		/* By a distance that is not known beforehand. */
		return from->mem.index != ZYDIS_REGISTER_NONE;
	case ZYDIS_MNEMONIC_ADD:
		return set || from->type == ZYDIS_OPERAND_TYPE_REGISTER;
	default:
		return set;
	}
}

static bool target(const struct decoded_instruction *at, int operand,
		   ZyanU64 *address)
{
	return ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&at->decoded,
						     &at->operands[operand],
						     at->address, address));
}

/* What is called, or given to others to be called. */
static void look_at_call(struct landings_search *search,
			 const struct decoded_instruction *at, int operand,
			 int depth)
{
	struct code_part part;
	ZyanU64 address;

	if (target(at, operand, &address) &&
	    search->find_code(search->data, address, &part))
		add_place(search, address, depth + 1, false);
}

/* Whether the next instruction may follow. */
static bool look_at(struct landings_search *search,
		    const struct decoded_instruction *at,
		    struct place_to_look *place)
{
	bool direct = at->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
	ZyanU64 address;

	switch (at->decoded.meta.category) {
	case ZYDIS_CATEGORY_RET:
		if (place->set)
			add_landing(search, at->address);
		return false;
	case ZYDIS_CATEGORY_UNCOND_BR:
		if (direct && target(at, 0, &address))
			add_place(search, address, place->depth, place->set);
		else if (place->set)
			add_landing(search, at->address);
		return false;
	case ZYDIS_CATEGORY_COND_BR:
		if (target(at, 0, &address))
			add_place(search, address, place->depth, place->set);
		return true;
	case ZYDIS_CATEGORY_CALL:
		if (direct)
			look_at_call(search, at, 0, place->depth);
		return true;
	default:
		if (at->decoded.mnemonic == ZYDIS_MNEMONIC_LEA &&
		    at->operands[1].mem.base == ZYDIS_REGISTER_RIP)
			look_at_call(search, at, 1, place->depth);
		place->set = is_set_behind(at, place->set);
		/* What cannot be executed ends a function that never returns. */
		return at->decoded.mnemonic != ZYDIS_MNEMONIC_HLT &&
		       at->decoded.mnemonic != ZYDIS_MNEMONIC_UD2;
	}
}

static void look_through(struct landings_search *search,
			 struct place_to_look place)
{
	struct decoded_instruction at;
	struct code_part part;
	size_t done = 0;
	bool goes_on;

	if (search->instructions >= INSTRUCTIONS_MAX)
		return;
	if (!search->find_code(search->data, place.address, &part))
		return;
	do {
		at.address = part.address + done;
		if (ZYAN_FAILED(ZydisDecoderDecodeFull(&search->decoder,
						       part.code + done,
						       part.size - done,
						       &at.decoded,
						       at.operands)))
			return;
		done += at.decoded.length;
		goes_on = look_at(search, &at, &place) &&
			  ++search->instructions < INSTRUCTIONS_MAX;
	} while (goes_on && done < part.size);
}

void landings_search_in(struct landings_search *search, __u64 address)
{
	add_place(search, address, 0, false);
	while (search->next < search->count)
		look_through(search, search->places[search->next++]);
}

size_t landings_search_end(struct landings_search *search)
{
	size_t found = search->found;

	free(search->places);
	free(search);
	return found;
}
