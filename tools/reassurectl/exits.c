// SPDX-License-Identifier: GPL-2.0
/* Where a function is left. */
#include <Zydis/Zydis.h>
#include <string.h>

#include "error.h"
#include "exits.h"

/* What is known of a register. */
enum content {
	CONTENT_OTHER,
	/* An entry of a table of 32-bit distances. */
	CONTENT_DISTANCE,
	/* Such an entry and the address from where it counts. */
	CONTENT_PLACE,
};

struct search {
	/* The function itself, and what was found to belong to it. */
	struct code_part parts[PARTS_MAX];
	int count;
	part_finder *find_part;
	void *data;
	__u64 *exits;
	size_t max;
	size_t found;
	char *error;
	enum content contents[ZYDIS_REGISTER_MAX_VALUE + 1];
};

struct instruction {
	__u64 address;
	ZydisDecodedInstruction decoded;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static ZydisRegister whole(ZydisRegister reg)
{
	return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						reg);
}

/* What is found to be inside is looked through later. */
static bool is_inside(struct search *search, __u64 address)
{
	int i;

	for (i = 0; i < search->count; i++)
		if (address - search->parts[i].address < search->parts[i].size)
			return true;
	if (search->count == PARTS_MAX ||
	    !search->find_part(search->data, address,
			       &search->parts[search->count]))
		return false;
	search->count++;
	return true;
}

static bool add_exit(struct search *search, const struct instruction *at)
{
	if (search->found == search->max)
		return wrong(search->error, "it has more than %zu exits",
			     search->max);
	search->exits[search->found++] = at->address;
	return true;
}

/* A table of addresses has them as they are, in programs at a fixed place. */
static bool look_at_table(struct search *search, const struct instruction *at)
{
	const ZydisDecodedOperand *target = &at->operands[0];

	if (target->mem.index == ZYDIS_REGISTER_NONE ||
	    target->mem.base != ZYDIS_REGISTER_NONE)
		return add_exit(search, at);
	return wrong(search->error,
		     "the jump at 0x%llx may lead out of it or stay inside",
		     at->address);
}

/*
 * Where the function begins its probe takes it for called anew, which it is
 * only after an exception.
 */
static bool look_at_place(struct search *search, const struct instruction *at,
			  __u64 address)
{
	return address != search->parts[0].address ||
	       wrong(search->error,
		     "the jump at 0x%llx leads back to its first instruction",
		     at->address);
}

static bool look_at_jump(struct search *search, const struct instruction *at)
{
	const ZydisDecodedOperand *target = &at->operands[0];
	ZyanU64 address;

	switch (target->type) {
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		if (ZYAN_FAILED(ZydisCalcAbsoluteAddress(&at->decoded, target,
							 at->address,
							 &address)))
			break;
		if (!is_inside(search, address))
			return add_exit(search, at);
		return look_at_place(search, at, address);
	case ZYDIS_OPERAND_TYPE_REGISTER:
		return search->contents[whole(target->reg.value)] ==
			       CONTENT_PLACE ||
		       add_exit(search, at);
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return look_at_table(search, at);
	default:
		break;
	}
	return wrong(search->error, "the jump at 0x%llx cannot be understood",
		     at->address);
}

static bool look_at_branch(struct search *search,
			   const struct instruction *at)
{
	ZyanU64 address;

	if (ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&at->decoded,
						  &at->operands[0],
						  at->address, &address)) &&
	    is_inside(search, address))
		return look_at_place(search, at, address);
	return wrong(search->error,
		     "the conditional jump at 0x%llx leads out of it",
		     at->address);
}

static bool is_distance(const struct search *search,
			const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       search->contents[whole(operand->reg.value)] == CONTENT_DISTANCE;
}

/* What @at leaves in the first register that it writes to. */
static enum content result(const struct search *search,
			   const struct instruction *at)
{
	const ZydisDecodedOperand *to = &at->operands[0];
	const ZydisDecodedOperand *from = &at->operands[1];

	if (at->decoded.mnemonic == ZYDIS_MNEMONIC_MOVSXD &&
	    from->type == ZYDIS_OPERAND_TYPE_MEMORY && from->mem.scale == 4)
		return CONTENT_DISTANCE;
	if (at->decoded.mnemonic == ZYDIS_MNEMONIC_ADD &&
	    from->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    (is_distance(search, to) || is_distance(search, from)))
		return CONTENT_PLACE;
	return CONTENT_OTHER;
}

static void note_writes(struct search *search, const struct instruction *at)
{
	enum content content = result(search, at);
	int i;

	for (i = 0; i < at->decoded.operand_count; i++) {
		const ZydisDecodedOperand *operand = &at->operands[i];

		if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			search->contents[whole(operand->reg.value)] =
				i ? CONTENT_OTHER : content;
	}
}

static bool look_at(struct search *search, const struct instruction *at)
{
	bool good = true;

	switch (at->decoded.meta.category) {
	case ZYDIS_CATEGORY_RET:
		good = add_exit(search, at);
		break;
	case ZYDIS_CATEGORY_UNCOND_BR:
		good = look_at_jump(search, at);
		break;
	case ZYDIS_CATEGORY_COND_BR:
		return look_at_branch(search, at);
	default:
		note_writes(search, at);
		return true;
	}
	/* What follows is come to from elsewhere. */
	memset(search->contents, 0, sizeof(search->contents));
	return good;
}

static bool look_through(struct search *search, const ZydisDecoder *decoder,
			 const struct code_part *part)
{
	struct instruction at;
	size_t place = 0;

	memset(search->contents, 0, sizeof(search->contents));
	while (place < part->size) {
		at.address = part->address + place;
		if (ZYAN_FAILED(ZydisDecoderDecodeFull(decoder,
						       part->code + place,
						       part->size - place,
						       &at.decoded,
						       at.operands)))
			return wrong(search->error,
				     "at 0x%llx in it is no instruction",
				     at.address);
		if (!look_at(search, &at))
			return false;
		place += at.decoded.length;
	}
	return true;
}

size_t find_exits(const struct code_part *function, part_finder *find_part,
		  void *data, __u64 *exits, size_t max, char *error)
{
	struct search search = {
		.parts = { *function },
		.count = 1,
		.find_part = find_part,
		.data = data,
		.exits = exits,
		.max = max,
		.error = error,
	};
	ZydisDecoder decoder;
	int i;

	if (ZYAN_FAILED(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					 ZYDIS_STACK_WIDTH_64))) {
		wrong(error, "instructions cannot be decoded");
		return 0;
	}
	for (i = 0; i < search.count; i++)
		if (!look_through(&search, &decoder, &search.parts[i]))
			return 0;
	if (!search.found)
		wrong(error, "it never returns");
	return search.found;
}
