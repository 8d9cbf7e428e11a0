// SPDX-License-Identifier: GPL-2.0
/* Functions of executables and shared libraries, by elfutils. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <libelf.h>

#include "code.h"
#include "error.h"
#include "exits.h"
#include "landings.h"
#include "matching.h"
#include "symbols.h"

#define CANDIDATES 16

/* The number that unwind information gives it. */
#define REGISTER_RSP 7

enum kind {
	KIND_FUNCTION,
	/* Chooses the function that is called. */
	KIND_INDIRECT,
	/* Used here, defined elsewhere. */
	KIND_IMPORTED,
	KIND_DATA,
};

struct symbol {
	const char *name;
	/* The name's memory, where it is ours. */
	char *owned;
	/* As in the file's own headers. */
	__u64 address;
	__u64 size;
	enum kind kind;
};

struct symbols {
	Dwfl *dwfl;
	Dwfl_Module *module;
	Elf *elf;
	/* What elfutils adds to the addresses of the file. */
	GElf_Addr bias;
	const char *path;
	struct symbol *table;
	size_t count;
	size_t capacity;
};

static bool check_script(const char *head, const char *path, char *error)
{
	const char *interpreter = head + 2 + strspn(head + 2, " \t");

	return wrong(error, "%s is a script; name its interpreter, %.*s",
		     path, (int)strcspn(interpreter, " \t\r\n"), interpreter);
}

/* Says what a file without an ELF header is, and refuses other machines. */
static bool check_kind(int fd, const char *path, char *error)
{
	unsigned char head[128] = "";
	ssize_t size = pread(fd, head, sizeof(head) - 1, 0);
	Elf64_Ehdr header;

	if (size < 0)
		return wrong(error, "cannot read %s: %s", path,
			     strerror(errno));
	if (size > 2 && head[0] == '#' && head[1] == '!')
		return check_script((const char *)head, path, error);
	if (size < EI_NIDENT || memcmp(head, ELFMAG, SELFMAG))
		return wrong(error,
			     "%s is neither an executable nor a shared library (no ELF file)",
			     path);
	if (head[EI_CLASS] != ELFCLASS64)
		return wrong(error, "%s is not a 64-bit program; only x86-64 ones can be rescued",
			     path);
	if (size < (ssize_t)sizeof(header))
		return wrong(error, "%s is cut off", path);
	memcpy(&header, head, sizeof(header));
	if (header.e_machine != EM_X86_64)
		return wrong(error,
			     "%s is a program for another machine; only x86-64 ones can be rescued",
			     path);
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return wrong(error,
			     "%s is an object file or a core, neither an executable nor a shared library",
			     path);
	return true;
}

static bool add_symbol(struct symbols *symbols, const struct symbol *symbol)
{
	size_t capacity = symbols->capacity * 2 + 256;
	struct symbol *table;

	if (symbols->count == symbols->capacity) {
		table = reallocarray(symbols->table, capacity, sizeof(*table));
		if (!table)
			return false;
		symbols->table = table;
		symbols->capacity = capacity;
	}
	symbols->table[symbols->count++] = *symbol;
	return true;
}

/* False for a symbol that is of no interest here. */
static bool classify(const GElf_Sym *from, bool undefined,
		     struct symbol *symbol)
{
	int type = GELF_ST_TYPE(from->st_info);

	symbol->size = from->st_size;
	if (undefined)
		symbol->kind = KIND_IMPORTED;
	else if (type == STT_FUNC)
		symbol->kind = KIND_FUNCTION;
	else if (type == STT_GNU_IFUNC)
		symbol->kind = KIND_INDIRECT;
	else
		symbol->kind = KIND_DATA;
	return symbol->name && *symbol->name &&
	       (symbol->kind != KIND_DATA || type == STT_OBJECT) &&
	       (!undefined || type == STT_FUNC || type == STT_NOTYPE);
}

/* The string table of a section and its data. */
struct section {
	Elf_Data *data;
	GElf_Shdr header;
};

static bool find_section(Elf *elf, GElf_Word type, struct section *found)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &found->header) ||
		    found->header.sh_type != type)
			continue;
		found->data = elf_getdata(section, NULL);
		return found->data;
	}
	return false;
}

/* The name of version @index that this file defines, or NULL. */
static const char *version_name(Elf *elf, const struct section *definitions,
				unsigned int index)
{
	GElf_Verdaux auxiliary;
	GElf_Verdef definition;
	size_t at = 0;

	/* Always forwards: what leads beyond the end would begin anew. */
	while (gelf_getverdef(definitions->data, at, &definition)) {
		if (definition.vd_ndx == index &&
		    gelf_getverdaux(definitions->data, at + definition.vd_aux,
				    &auxiliary))
			return elf_strptr(elf, definitions->header.sh_link,
					  auxiliary.vda_name);
		if (!definition.vd_next ||
		    definition.vd_next > definitions->data->d_size - at)
			break;
		at += definition.vd_next;
	}
	return NULL;
}

/*
 * Functions of .dynsym that have a version, as "f@@VERSION" or, where it is
 * not the default one, "f@VERSION".  elfutils gives them without.
 */
static bool add_versioned(struct symbols *symbols)
{
	struct section dynamic, versions, definitions;
	struct symbol symbol;
	const char *version;
	GElf_Versym number;
	GElf_Sym from;
	int i;

	if (!find_section(symbols->elf, SHT_DYNSYM, &dynamic) ||
	    !find_section(symbols->elf, SHT_GNU_versym, &versions) ||
	    !find_section(symbols->elf, SHT_GNU_verdef, &definitions))
		return true;
	for (i = 1; gelf_getsym(dynamic.data, i, &from); i++) {
		symbol.name = elf_strptr(symbols->elf, dynamic.header.sh_link,
					 from.st_name);
		if (from.st_shndx == SHN_UNDEF ||
		    !classify(&from, false, &symbol) ||
		    !gelf_getversym(versions.data, i, &number) ||
		    (number & 0x7fff) <= VER_NDX_GLOBAL)
			continue;
		version = version_name(symbols->elf, &definitions,
				       number & 0x7fff);
		if (!version)
			continue;
		if (asprintf(&symbol.owned, "%s%s%s", symbol.name,
			     number & 0x8000 ? "@" : "@@", version) < 0)
			return false;
		symbol.name = symbol.owned;
		symbol.address = from.st_value;
		if (!add_symbol(symbols, &symbol)) {
			free(symbol.owned);
			return false;
		}
	}
	return true;
}

/* .symtab, here or in a separate debug file; without one, .dynsym. */
static bool add_symtab(struct symbols *symbols)
{
	int i, count = dwfl_module_getsymtab(symbols->module);
	struct symbol symbol = {};
	GElf_Addr address;
	GElf_Word section;
	GElf_Sym from;

	for (i = 1; i < count; i++) {
		symbol.name = dwfl_module_getsym_info(symbols->module, i, &from,
						      &address, &section, NULL,
						      NULL);
		symbol.address = address - symbols->bias;
		if (symbol.name &&
		    classify(&from, section == SHN_UNDEF, &symbol) &&
		    !add_symbol(symbols, &symbol))
			return false;
	}
	return true;
}

/* .dynsym: a .symtab that was stripped in part may lack what it has. */
static bool add_dynsym(struct symbols *symbols)
{
	struct symbol symbol = {};
	struct section dynamic;
	GElf_Sym from;
	int i;

	if (!find_section(symbols->elf, SHT_DYNSYM, &dynamic))
		return true;
	for (i = 1; gelf_getsym(dynamic.data, i, &from); i++) {
		symbol.name = elf_strptr(symbols->elf, dynamic.header.sh_link,
					 from.st_name);
		symbol.address = from.st_value;
		if (classify(&from, from.st_shndx == SHN_UNDEF, &symbol) &&
		    !add_symbol(symbols, &symbol))
			return false;
	}
	return true;
}

static bool open_module(struct symbols *symbols, int fd, char *error)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	/* elfutils closes what it is given. */
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0)
		return wrong(error, "%s: %s", symbols->path, strerror(errno));
	symbols->dwfl = dwfl_begin(&callbacks);
	if (symbols->dwfl) {
		dwfl_report_begin(symbols->dwfl);
		symbols->module = dwfl_report_offline(symbols->dwfl,
						      symbols->path,
						      symbols->path, own);
		dwfl_report_end(symbols->dwfl, NULL, NULL);
	}
	if (!symbols->module)
		close(own);
	else
		symbols->elf = dwfl_module_getelf(symbols->module,
						  &symbols->bias);
	if (!symbols->elf)
		return wrong(error, "cannot read %s: %s", symbols->path,
			     dwfl_errmsg(-1));
	if (!add_versioned(symbols) || !add_symtab(symbols) ||
	    !add_dynsym(symbols))
		return wrong(error, "no memory for the symbols of %s",
			     symbols->path);
	return true;
}

struct symbols *symbols_open(int fd, const char *path, char *error)
{
	struct symbols *symbols;

	if (!check_kind(fd, path, error))
		return NULL;
	symbols = calloc(1, sizeof(*symbols));
	if (!symbols) {
		wrong(error, "no memory for the symbols of %s", path);
		return NULL;
	}
	symbols->path = path;
	if (!open_module(symbols, fd, error)) {
		symbols_close(symbols);
		return NULL;
	}
	return symbols;
}

void symbols_close(struct symbols *symbols)
{
	while (symbols->count)
		free(symbols->table[--symbols->count].owned);
	free(symbols->table);
	if (symbols->dwfl)
		dwfl_end(symbols->dwfl);
	free(symbols);
}

/* Where in the file the build-id of @size bytes is, or 0. */
static __u64 build_id_offset(Elf *elf, const __u8 *id, size_t size)
{
	size_t count, i, at, next, name, content;
	GElf_Nhdr note;
	GElf_Phdr segment;
	Elf_Data *data;

	if (elf_getphdrnum(elf, &count))
		return 0;
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, i, &segment) ||
		    segment.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(elf, segment.p_offset,
					    segment.p_filesz,
					    segment.p_align == 8 ?
					    ELF_T_NHDR8 : ELF_T_NHDR);
		for (at = 0; data; at = next) {
			next = gelf_getnote(data, at, &note, &name, &content);
			if (!next)
				break;
			if (note.n_type == NT_GNU_BUILD_ID &&
			    note.n_descsz == size &&
			    !memcmp((char *)data->d_buf + content, id, size))
				return segment.p_offset + content;
		}
	}
	return 0;
}

int symbols_build_id(struct symbols *symbols, const __u8 **id, __u64 *offset)
{
	GElf_Addr address;
	int size = dwfl_module_build_id(symbols->module, id, &address);

	if (size <= 0)
		return 0;
	*offset = build_id_offset(symbols->elf, *id, size);
	return size;
}

/*
 * Finds the executable segment with the address or offset @at.
 *
 * Return: whether there is one.
 */
static bool find_segment(struct symbols *symbols, __u64 at, bool is_offset,
			 GElf_Phdr *segment)
{
	size_t count, i;
	__u64 start;

	if (elf_getphdrnum(symbols->elf, &count))
		return false;
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(symbols->elf, i, segment) ||
		    segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		start = is_offset ? segment->p_offset : segment->p_vaddr;
		if (at >= start && at - start < segment->p_filesz)
			return true;
	}
	return false;
}

/* The bytes that the file has of a segment, or NULL where it is cut off. */
static const __u8 *segment_bytes(struct symbols *symbols,
				 const GElf_Phdr *segment)
{
	size_t size;
	const char *image = elf_rawfile(symbols->elf, &size);

	if (!image || segment->p_offset > size ||
	    segment->p_filesz > size - segment->p_offset)
		return NULL;
	return (const __u8 *)image + segment->p_offset;
}

static bool to_offset(struct symbols *symbols, __u64 address, __u64 *offset)
{
	GElf_Phdr segment;

	if (!find_segment(symbols, address, false, &segment))
		return false;
	*offset = address - segment.p_vaddr + segment.p_offset;
	return true;
}

/* The libraries that the file is linked with. */
static void append_needed(struct symbols *symbols, char *error)
{
	const char *separator = " (", *name;
	struct section dynamic;
	GElf_Dyn dyn;
	int i;

	if (!find_section(symbols->elf, SHT_DYNAMIC, &dynamic))
		return;
	for (i = 0; gelf_getdyn(dynamic.data, i, &dyn); i++) {
		if (dyn.d_tag != DT_NEEDED)
			continue;
		name = elf_strptr(symbols->elf, dynamic.header.sh_link,
				  dyn.d_un.d_val);
		append(error, "%s%s", separator, name ? name : "?");
		separator = ", ";
	}
	if (*separator == ',')
		append(error, ")");
}

static bool not_found(struct symbols *symbols, const char *wanted, char *error)
{
	struct nearest nearest = { .wanted = wanted };
	const struct symbol *symbol;
	size_t i, functions = 0;
	int k;

	for (i = 0; i < symbols->count; i++) {
		symbol = &symbols->table[i];
		if (symbol->kind == KIND_IMPORTED &&
		    match_symbol(symbol->name, wanted)) {
			wrong(error,
			      "%s only uses the function '%s'; name the library that defines it",
			      symbols->path, wanted);
			append_needed(symbols, error);
			nearest_free(&nearest);
			return false;
		}
		if (symbol->kind == KIND_FUNCTION) {
			functions++;
			nearest_consider(&nearest, symbol->name);
		}
	}
	wrong(error, "%s has no function '%s'", symbols->path, wanted);
	if (!functions)
		append(error,
		       "; it has no symbols of functions at all: install its debug symbols, or use --offset");
	for (k = 0; k < nearest.count; k++)
		append(error, "%s %s", k ? "," : "; near it are:",
		       nearest.names[k]);
	nearest_free(&nearest);
	return false;
}

static bool ambiguous(struct symbols *symbols, const char *wanted,
		      const struct symbol *const *found, int count,
		      char *error)
{
	char *demangled;
	__u64 offset;
	int i;

	wrong(error, "%s has several functions '%s'; choose one by its whole name or by --offset:",
	      symbols->path, wanted);
	for (i = 0; i < count; i++) {
		if (!to_offset(symbols, found[i]->address, &offset))
			continue;
		demangled = demangle(found[i]->name);
		append(error, "\n  0x%llx  %s", offset, found[i]->name);
		if (demangled)
			append(error, "  %s", demangled);
		free(demangled);
	}
	if (count == CANDIDATES)
		append(error, "\n  and perhaps more");
	return false;
}

/*
 * Collects the functions that fit best, each address once.
 *
 * Return: how many.
 */
static int collect(struct symbols *symbols, const char *wanted,
		   const struct symbol **found)
{
	enum match match, best = MATCH_NONE;
	const struct symbol *symbol;
	int k, number = 0;
	size_t i;

	for (i = 0; i < symbols->count; i++) {
		symbol = &symbols->table[i];
		if (symbol->kind != KIND_FUNCTION &&
		    symbol->kind != KIND_INDIRECT)
			continue;
		match = match_symbol(symbol->name, wanted);
		if (match == MATCH_NONE || match < best)
			continue;
		if (match > best)
			number = 0;
		best = match;
		for (k = 0; k < number; k++)
			if (found[k]->address == symbol->address)
				break;
		if (k == number && number < CANDIDATES)
			found[number++] = symbol;
	}
	return number;
}

bool symbols_find(struct symbols *symbols, const char *wanted, __u64 *offset,
		  char *error)
{
	const struct symbol *found[CANDIDATES];
	int number = collect(symbols, wanted, found);

	if (!number)
		return not_found(symbols, wanted, error);
	if (number > 1)
		return ambiguous(symbols, wanted, found, number, error);
	if (found[0]->kind == KIND_INDIRECT)
		return wrong(error,
			     "'%s' in %s is an indirect function: it only chooses the function to call; name the one that is chosen",
			     wanted, symbols->path);
	if (!to_offset(symbols, found[0]->address, offset))
		return wrong(error, "the function '%s' is not in the code of %s",
			     wanted, symbols->path);
	return true;
}

static bool covers(const struct symbol *symbol, __u64 address)
{
	/* The size of some functions in assembly language is not known. */
	return address == symbol->address ||
	       (address > symbol->address &&
		address - symbol->address < symbol->size);
}

/*
 * The unwind information about @address, to be freed, or NULL; @offset is to be
 * added to addresses in it.
 */
static Dwarf_Frame *find_frame(struct symbols *symbols, __u64 address,
			       __u64 *offset)
{
	Dwarf_Frame *frame;
	GElf_Addr bias;
	Dwarf_CFI *cfi = dwfl_module_eh_cfi(symbols->module, &bias);

	*offset = bias - symbols->bias;
	if (!cfi || dwarf_cfi_addrframe(cfi, address - *offset, &frame))
		return NULL;
	return frame;
}

/* Where the row of the unwind information about @address begins. */
static bool unwind_row(struct symbols *symbols, __u64 address, __u64 *start)
{
	Dwarf_Addr from, end;
	Dwarf_Frame *frame;
	__u64 offset;
	bool signal;

	frame = find_frame(symbols, address, &offset);
	if (!frame)
		return false;
	dwarf_frame_info(frame, &from, &end, &signal);
	free(frame);
	*start = from + offset;
	return true;
}

static bool find_code_section(struct symbols *symbols, __u64 address,
			      GElf_Shdr *header)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(symbols->elf, section)))
		if (gelf_getshdr(section, header) &&
		    header->sh_flags & SHF_EXECINSTR &&
		    header->sh_type == SHT_PROGBITS &&
		    address >= header->sh_addr &&
		    address - header->sh_addr < header->sh_size)
			return true;
	return false;
}

/*
 * For code that belongs to no function of known size and has no unwind
 * information, like .init: decode from the function without a size before it,
 * or from where the section begins.  In a section where functions are known,
 * what is in none of them is padding or data.
 */
static bool section_start(struct symbols *symbols, __u64 address, __u64 *start)
{
	const struct symbol *symbol, *before = NULL;
	GElf_Shdr section;
	__u64 ignored;
	size_t i;

	if (!find_code_section(symbols, address, &section))
		return false;
	for (i = 0; i < symbols->count; i++) {
		symbol = &symbols->table[i];
		if (symbol->kind != KIND_IMPORTED &&
		    symbol->address >= section.sh_addr &&
		    symbol->address <= address &&
		    (!before || symbol->address > before->address))
			before = symbol;
	}
	if (before && (before->size || before->kind == KIND_DATA))
		return false;
	if (!before && unwind_row(symbols, section.sh_addr, &ignored))
		return false;
	*start = before ? before->address : section.sh_addr;
	return true;
}

/* A place at or before @address where an instruction is known to begin. */
static bool known_start(struct symbols *symbols, __u64 address, __u64 *start,
			char *error)
{
	const struct symbol *symbol;
	bool found = false;
	__u64 row;
	size_t i;

	for (i = 0; i < symbols->count; i++) {
		symbol = &symbols->table[i];
		if (symbol->kind == KIND_IMPORTED || !covers(symbol, address))
			continue;
		if (symbol->kind == KIND_DATA)
			return wrong(error, "it belongs to the data '%s'",
				     symbol->name);
		if (!found || symbol->address > *start)
			*start = symbol->address;
		found = true;
	}
	if (unwind_row(symbols, address, &row) && (!found || row > *start)) {
		*start = row;
		found = true;
	}
	if (found || section_start(symbols, address, start))
		return true;
	return wrong(error, "it belongs to no function");
}

/* The explanation of symbols_check_offset(), without the offset and the file. */
static bool check_address(struct symbols *symbols, const GElf_Phdr *segment,
			  __u64 address, char *error)
{
	size_t last, next;
	const __u8 *code;
	__u64 start = 0, at;

	if (!known_start(symbols, address, &start, error))
		return false;
	if (start < segment->p_vaddr || start > address)
		return wrong(error, "it belongs to no function");
	code = segment_bytes(symbols, segment);
	if (!code)
		return wrong(error, "the file is cut off");
	at = start - segment->p_vaddr;
	switch (decode_up_to(code + at, segment->p_filesz - at,
			     address - start, &last, &next)) {
	case DECODED_BEGIN:
		return true;
	case DECODED_INSIDE:
		at += segment->p_offset;
		return wrong(error, "it is inside the instruction from 0x%llx to 0x%llx",
			     at + last, at + next);
	default:
		return wrong(error, "there is no instruction at 0x%llx",
			     at + segment->p_offset + last);
	}
}

bool symbols_check_offset(struct symbols *symbols, __u64 offset, char *error)
{
	char reason[ERROR_SIZE];
	GElf_Phdr segment;

	if (!find_segment(symbols, offset, true, &segment))
		return wrong(error, "0x%llx is not in the code of %s",
			     offset, symbols->path);
	if (check_address(symbols, &segment,
			  offset - segment.p_offset + segment.p_vaddr, reason))
		return true;
	wrong(error, "no instruction begins at 0x%llx of %s: ",
	      offset, symbols->path);
	append(error, "%s", reason);
	return false;
}

/* The code of the file at @address, or NULL. */
static const __u8 *find_code(struct symbols *symbols, __u64 address,
			     __u64 size)
{
	GElf_Phdr segment;
	const __u8 *bytes;
	__u64 at;

	if (!find_segment(symbols, address, false, &segment))
		return NULL;
	at = address - segment.p_vaddr;
	bytes = segment_bytes(symbols, &segment);
	return bytes && size <= segment.p_filesz - at ? bytes + at : NULL;
}

/* Whether @name is that of a part of @function which was put apart. */
static bool is_cold_part(const char *name, const char *function)
{
	size_t length = strcspn(function, "@");

	return !strncmp(name, function, length) &&
	       !strncmp(name + length, ".cold", 5) &&
	       (!name[length + 5] || name[length + 5] == '.');
}

/* A function of which parts are looked for. */
struct function {
	struct symbols *symbols;
	__u64 address;
};

/* By the name that compilers give it. */
static bool find_named_part(const struct function *function, __u64 address,
			    struct code_part *part)
{
	const struct symbols *symbols = function->symbols;
	const struct symbol *end = symbols->table + symbols->count;
	const struct symbol *symbol, *name;

	for (symbol = symbols->table; symbol < end; symbol++) {
		if (symbol->kind != KIND_FUNCTION || !covers(symbol, address))
			continue;
		for (name = symbols->table; name < end; name++)
			if (name->kind == KIND_FUNCTION &&
			    name->address == function->address &&
			    is_cold_part(symbol->name, name->name)) {
				part->address = symbol->address;
				part->size = symbol->size;
				return part->size;
			}
	}
	return false;
}

/*
 * Whether the return address is not on the top of the stack at @address, as
 * the unwind information tells: no function begins there.
 */
static bool has_frame(struct symbols *symbols, __u64 address)
{
	bool has = false;
	Dwarf_Frame *frame;
	Dwarf_Op *ops;
	size_t count;
	__u64 offset;

	frame = find_frame(symbols, address, &offset);
	if (!frame)
		return false;
	if (!dwarf_frame_cfa(frame, &ops, &count) && count == 1)
		has = ops[0].atom != DW_OP_bregx ||
		      ops[0].number != REGISTER_RSP ||
		      ops[0].number2 != sizeof(__u64);
	free(frame);
	return has;
}

/* The table of unwind information that programs look into, sorted. */
struct unwind_table {
	const __u8 *entries;
	__u64 address;
	__u32 count;
};

/* Only in the form that linkers write: 32-bit distances from its beginning. */
static bool find_unwind_table(struct symbols *symbols,
			      struct unwind_table *table)
{
	static const __u8 form[] = { 1, 0x1b, 0x03, 0x3b };
	const __u8 *bytes;
	GElf_Phdr segment;
	size_t count, i;

	if (elf_getphdrnum(symbols->elf, &count))
		return false;
	for (i = 0; i < count; i++)
		if (gelf_getphdr(symbols->elf, i, &segment) &&
		    segment.p_type == PT_GNU_EH_FRAME)
			break;
	if (i == count || segment.p_filesz < 12)
		return false;
	bytes = segment_bytes(symbols, &segment);
	if (!bytes || memcmp(bytes, form, sizeof(form)))
		return false;
	memcpy(&table->count, bytes + 8, 4);
	table->entries = bytes + 12;
	table->address = segment.p_vaddr;
	return table->count <= (segment.p_filesz - 12) / 8;
}

/* A piece of code that has a frame when it begins. */
static bool find_unnamed_part(struct symbols *symbols, __u64 address,
			      struct code_part *part)
{
	__u64 start = 0, end = ~0ull, place;
	struct unwind_table table;
	__s32 distance;
	__u32 i;

	if (!has_frame(symbols, address) || !find_unwind_table(symbols, &table))
		return false;
	for (i = 0; i < table.count; i++) {
		memcpy(&distance, table.entries + 8ull * i, 4);
		place = table.address + distance;
		if (place <= address && place > start)
			start = place;
		if (place > address && place < end)
			end = place;
	}
	part->address = start;
	part->size = end - start;
	return start && end != ~0ull && has_frame(symbols, start);
}

static bool find_part(void *data, __u64 address, struct code_part *part)
{
	const struct function *function = data;

	if (!find_named_part(function, address, part) &&
	    !find_unnamed_part(function->symbols, address, part))
		return false;
	part->code = find_code(function->symbols, part->address, part->size);
	return part->code;
}

/* The function that begins at @address. */
static bool find_function(struct symbols *symbols, __u64 address,
			  struct code_part *function)
{
	size_t i;

	function->size = 0;
	for (i = 0; i < symbols->count; i++)
		if (symbols->table[i].kind == KIND_FUNCTION &&
		    symbols->table[i].address == address &&
		    symbols->table[i].size > function->size)
			function->size = symbols->table[i].size;
	function->address = address;
	function->code = find_code(symbols, address, function->size);
	return function->size && function->code;
}

static int compare_offsets(const void *left, const void *right)
{
	const __u64 *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

size_t symbols_exits(struct symbols *symbols, __u64 offset, __u64 *exits,
		     size_t max, char *error)
{
	struct function function = { .symbols = symbols };
	struct code_part whole;
	GElf_Phdr segment;
	size_t found, i;

	if (find_segment(symbols, offset, true, &segment))
		function.address = offset - segment.p_offset + segment.p_vaddr;
	if (!function.address ||
	    !find_function(symbols, function.address, &whole)) {
		wrong(error, "no function of known size begins there");
		return 0;
	}
	found = find_exits(&whole, find_part, &function, exits, max, error);
	for (i = 0; i < found; i++)
		if (!to_offset(symbols, exits[i], &exits[i]))
			found = 0;
	qsort(exits, found, sizeof(*exits), compare_offsets);
	return found;
}

/* Which of @names @name is, without its version; or NULL. */
static const char *find_among(const char *const *names, const char *name)
{
	size_t length = strcspn(name, "@");

	for (; *names; names++)
		if (strlen(*names) == length && !strncmp(name, *names, length))
			break;
	return *names;
}

static bool find_code_from(void *data, __u64 address, struct code_part *part)
{
	struct symbols *symbols = data;
	GElf_Phdr segment;

	if (!find_segment(symbols, address, false, &segment))
		return false;
	part->address = address;
	part->size = segment.p_vaddr + segment.p_filesz - address;
	part->code = find_code(symbols, address, part->size);
	return part->code;
}

size_t symbols_landings(struct symbols *symbols, __u64 *landings, size_t max)
{
	static const char *const names[] = {
		"longjmp", "_longjmp", "siglongjmp", "__longjmp",
		"__longjmp_chk", "__libc_longjmp", "__libc_siglongjmp",
		"setcontext", "swapcontext", "__pthread_unwind_next",
		"_Unwind_RaiseException", "_Unwind_Resume",
		"_Unwind_Resume_or_Rethrow", "_Unwind_ForcedUnwind", NULL
	};
	struct landings_search *search =
		landings_search_new(find_code_from, symbols, landings, max);
	size_t i, found;

	if (!search)
		return 0;
	for (i = 0; i < symbols->count; i++)
		if (symbols->table[i].kind == KIND_FUNCTION &&
		    find_among(names, symbols->table[i].name))
			landings_search_in(search, symbols->table[i].address);
	found = landings_search_end(search);
	for (i = 0; i < found; i++)
		if (!to_offset(symbols, landings[i], &landings[i]))
			found = 0;
	qsort(landings, found, sizeof(*landings), compare_offsets);
	return found;
}

/* The value of @tag in the dynamic section; with its section in @dynamic. */
static bool find_dynamic(struct symbols *symbols, GElf_Sxword tag,
			 struct section *dynamic, GElf_Xword *value)
{
	GElf_Dyn dyn;
	int i;

	if (!find_section(symbols->elf, SHT_DYNAMIC, dynamic))
		return false;
	for (i = 0; gelf_getdyn(dynamic->data, i, &dyn); i++)
		if (dyn.d_tag == tag) {
			*value = dyn.d_un.d_val;
			return true;
		}
	return false;
}

bool symbols_is_executable(struct symbols *symbols)
{
	struct section dynamic;
	GElf_Xword flags;
	GElf_Ehdr header;

	if (!gelf_getehdr(symbols->elf, &header))
		return false;
	return header.e_type == ET_EXEC ||
	       (find_dynamic(symbols, DT_FLAGS_1, &dynamic, &flags) &&
		flags & DF_1_PIE);
}

const char *symbols_run_path(struct symbols *symbols)
{
	struct section dynamic;
	GElf_Xword name;

	if (!find_dynamic(symbols, DT_RUNPATH, &dynamic, &name) &&
	    !find_dynamic(symbols, DT_RPATH, &dynamic, &name))
		return NULL;
	return elf_strptr(symbols->elf, dynamic.header.sh_link, name);
}

bool symbols_is_dynamic(struct symbols *symbols)
{
	struct section dynamic;

	return find_section(symbols->elf, SHT_DYNAMIC, &dynamic);
}

const char *symbols_leaving(const struct symbols *symbols)
{
	static const char *const names[] = {
		"__gxx_personality_v0", "__cxa_throw", "rust_eh_personality",
		"__gnat_personality_v0", "__objc_personality_v0",
		"makecontext", "setcontext", "swapcontext", "jump_fcontext",
		NULL
	};
	const char *found = NULL;
	size_t i;

	for (i = 0; !found && i < symbols->count; i++)
		found = find_among(names, symbols->table[i].name);
	return found;
}
