// SPDX-License-Identifier: GPL-2.0
/* Functions of executables and shared libraries, by elfutils. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <capstone/capstone.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <libelf.h>

#include "symbols.h"

/* The demangler of the C++ runtime, which has no header for C. */
char *__cxa_demangle(const char *mangled, char *buffer, size_t *length,
		     int *status);

#define NEAREST 5
#define CANDIDATES 16

struct symbols {
	Dwfl *dwfl;
	Dwfl_Module *module;
	Elf *elf;
	/* What the library adds to the addresses of the file. */
	GElf_Addr bias;
	const char *path;
};

/* A function as the symbol table has it. */
struct function {
	const char *name;
	uint64_t address;
	uint64_t size;
	bool indirect;
};

static bool __attribute__((format(printf, 2, 3)))
wrong(char *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, SYMBOLS_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return false;
}

static void __attribute__((format(printf, 2, 3)))
append(char *error, const char *format, ...)
{
	size_t used = strlen(error);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error + used, SYMBOLS_ERROR_SIZE - used, format, arguments);
	va_end(arguments);
}

/* Says what a file without an ELF header is, or refuses another machine. */
static bool check_kind(int fd, const char *path, char *error)
{
	unsigned char head[128] = "";
	ssize_t size = pread(fd, head, sizeof(head) - 1, 0);
	Elf64_Ehdr header;

	if (size < 0)
		return wrong(error, "cannot read %s: %s", path,
			     strerror(errno));
	if (size > 2 && head[0] == '#' && head[1] == '!') {
		head[strcspn((char *)head, "\n")] = 0;
		return wrong(error, "%s is a script; name its interpreter: %s",
			     path, head + 2 + strspn((char *)head + 2, " \t"));
	}
	if (size < EI_NIDENT || memcmp(head, ELFMAG, SELFMAG))
		return wrong(error, "%s is neither an executable nor a shared library (no ELF file)",
			     path);
	if (head[EI_CLASS] != ELFCLASS64 || size < (ssize_t)sizeof(header))
		return wrong(error, "%s is not a 64-bit program; only x86-64 ones can be rescued",
			     path);
	memcpy(&header, head, sizeof(header));
	if (header.e_machine != EM_X86_64)
		return wrong(error, "%s is a program for another machine than x86-64",
			     path);
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return wrong(error, "%s is neither an executable nor a shared library (an object file or a core)",
			     path);
	return true;
}

struct symbols *symbols_open(int fd, const char *path, char *error)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	struct symbols *symbols;
	int own;

	if (!check_kind(fd, path, error))
		return NULL;
	symbols = calloc(1, sizeof(*symbols));
	/* The library closes what it is given. */
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (!symbols || own < 0) {
		wrong(error, "%s: %s", path, strerror(errno));
		free(symbols);
		return NULL;
	}
	symbols->path = path;
	symbols->dwfl = dwfl_begin(&callbacks);
	if (symbols->dwfl) {
		dwfl_report_begin(symbols->dwfl);
		symbols->module = dwfl_report_offline(symbols->dwfl, path, path,
						      own);
		dwfl_report_end(symbols->dwfl, NULL, NULL);
	}
	if (symbols->module)
		symbols->elf = dwfl_module_getelf(symbols->module,
						  &symbols->bias);
	if (!symbols->elf) {
		wrong(error, "cannot read %s: %s", path, dwfl_errmsg(-1));
		symbols_close(symbols);
		return NULL;
	}
	return symbols;
}

void symbols_close(struct symbols *symbols)
{
	if (symbols->dwfl)
		dwfl_end(symbols->dwfl);
	free(symbols);
}

int symbols_build_id(struct symbols *symbols, const uint8_t **id)
{
	GElf_Addr address;
	int size = dwfl_module_build_id(symbols->module, id, &address);

	return size > 0 ? size : 0;
}

/*
 * Finds the loaded segment with the address or offset @at.
 *
 * Return: whether there is one.
 */
static bool find_segment(struct symbols *symbols, uint64_t at, bool is_offset,
			 GElf_Phdr *segment)
{
	size_t count, i;
	uint64_t start;

	if (elf_getphdrnum(symbols->elf, &count))
		return false;
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(symbols->elf, i, segment) ||
		    segment->p_type != PT_LOAD)
			continue;
		start = is_offset ? segment->p_offset : segment->p_vaddr;
		if (at >= start && at - start < segment->p_filesz &&
		    segment->p_flags & PF_X)
			return true;
	}
	return false;
}

/* Symbol @i, false when it is not a function that this file defines. */
static bool get_function(struct symbols *symbols, int i,
			 struct function *function)
{
	GElf_Word section;
	GElf_Addr address;
	GElf_Sym symbol;

	function->name = dwfl_module_getsym_info(symbols->module, i, &symbol,
						 &address, &section, NULL,
						 NULL);
	if (!function->name || !*function->name || section == SHN_UNDEF)
		return false;
	function->indirect = GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC;
	if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC && !function->indirect)
		return false;
	function->address = address - symbols->bias;
	function->size = symbol.st_size;
	return true;
}

/* "f(int)" and "f" both name f(int); so does its symbol. */
static bool name_matches(const char *symbol, const char *wanted)
{
	size_t length = strcspn(symbol, "@");
	bool matches;
	char *demangled, *parameters;
	int status;

	/* A version follows an @. */
	if (strlen(wanted) == length && !strncmp(symbol, wanted, length))
		return true;
	if (strncmp(symbol, "_Z", 2))
		return false;
	demangled = __cxa_demangle(symbol, NULL, NULL, &status);
	if (!demangled)
		return false;
	matches = !strcmp(demangled, wanted);
	parameters = strchr(demangled, '(');
	/* "(anonymous namespace)::f" begins with a parenthesis of its own. */
	while (parameters && !strncmp(parameters, "(anonymous namespace)", 21))
		parameters = strchr(parameters + 21, '(');
	if (!matches && parameters) {
		*parameters = 0;
		matches = !strcmp(demangled, wanted);
	}
	free(demangled);
	return matches;
}

static size_t edit_distance(const char *a, const char *b)
{
	size_t length = strlen(b), i, j, diagonal, above;
	size_t row[256];

	if (length >= sizeof(row) / sizeof(row[0]))
		return SIZE_MAX;
	for (j = 0; j <= length; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= length; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[length];
}

/* Smaller is nearer; a name that contains the other is near. */
static size_t distance(const char *name, const char *wanted)
{
	size_t edits = edit_distance(name, wanted);

	if (strstr(name, wanted) || strstr(wanted, name))
		edits /= 4;
	return edits;
}

struct nearest {
	char *names[NEAREST];
	size_t distances[NEAREST];
	int count;
};

static void consider(struct nearest *nearest, const char *name,
		     const char *wanted)
{
	size_t limit = strlen(wanted) / 2 + 1;
	size_t edits = distance(name, wanted);
	int i;

	if (edits > limit)
		return;
	for (i = 0; i < nearest->count; i++)
		if (!strcmp(nearest->names[i], name))
			return;
	for (i = nearest->count; i > 0 && nearest->distances[i - 1] > edits;
	     i--) {
		if (i == NEAREST) {
			free(nearest->names[i - 1]);
			continue;
		}
		nearest->names[i] = nearest->names[i - 1];
		nearest->distances[i] = nearest->distances[i - 1];
	}
	if (i == NEAREST)
		return;
	nearest->names[i] = strdup(name);
	nearest->distances[i] = edits;
	if (nearest->count < NEAREST)
		nearest->count++;
}

static void consider_both(struct nearest *nearest, const char *name,
			  const char *wanted)
{
	char *demangled = NULL;
	int status;

	if (!strncmp(name, "_Z", 2))
		demangled = __cxa_demangle(name, NULL, NULL, &status);
	if (demangled && strncmp(wanted, "_Z", 2))
		demangled[strcspn(demangled, "(")] = 0;
	consider(nearest, demangled && *demangled ? demangled : name, wanted);
	free(demangled);
}

/* The libraries that the file is linked with. */
static void append_needed(struct symbols *symbols, char *error)
{
	Elf_Scn *section = NULL;
	Elf_Data *data;
	GElf_Shdr header;
	GElf_Dyn dyn;
	int i;

	while ((section = elf_nextscn(symbols->elf, section))) {
		if (!gelf_getshdr(section, &header) ||
		    header.sh_type != SHT_DYNAMIC)
			continue;
		data = elf_getdata(section, NULL);
		for (i = 0; data && gelf_getdyn(data, i, &dyn); i++)
			if (dyn.d_tag == DT_NEEDED)
				append(error, " %s",
				       elf_strptr(symbols->elf, header.sh_link,
						  dyn.d_un.d_val));
	}
}

static bool is_imported(struct symbols *symbols, const char *wanted)
{
	int i, count = dwfl_module_getsymtab(symbols->module);
	GElf_Word section;
	GElf_Addr address;
	const char *name;
	GElf_Sym symbol;

	for (i = 1; i < count; i++) {
		name = dwfl_module_getsym_info(symbols->module, i, &symbol,
					       &address, &section, NULL, NULL);
		if (name && section == SHN_UNDEF && name_matches(name, wanted))
			return true;
	}
	return false;
}

static bool not_found(struct symbols *symbols, const char *wanted, char *error)
{
	int i, count = dwfl_module_getsymtab(symbols->module);
	struct nearest nearest = {};
	struct function function;

	if (is_imported(symbols, wanted)) {
		wrong(error, "%s only uses the function '%s'; name the library that has it:",
		      symbols->path, wanted);
		append_needed(symbols, error);
		return false;
	}
	wrong(error, "%s has no function '%s'", symbols->path, wanted);
	if (count <= 1)
		append(error, "; it has no symbols at all: install its debug symbols, or use --offset");
	for (i = 1; i < count; i++)
		if (get_function(symbols, i, &function))
			consider_both(&nearest, function.name, wanted);
	for (i = 0; i < nearest.count; i++) {
		append(error, "%s %s", i ? "," : "; near it are:",
		       nearest.names[i]);
		free(nearest.names[i]);
	}
	return false;
}

static bool to_offset(struct symbols *symbols, uint64_t address,
		      uint64_t *offset)
{
	GElf_Phdr segment;

	if (!find_segment(symbols, address, false, &segment))
		return false;
	*offset = address - segment.p_vaddr + segment.p_offset;
	return true;
}

static bool ambiguous(struct symbols *symbols, const char *wanted,
		      const struct function *found, int count, char *error)
{
	uint64_t offset;
	char *demangled;
	int i, status;

	wrong(error, "%s has several functions '%s'; choose one with --offset:",
	      symbols->path, wanted);
	for (i = 0; i < count; i++) {
		demangled = __cxa_demangle(found[i].name, NULL, NULL, &status);
		if (to_offset(symbols, found[i].address, &offset))
			append(error, "\n  0x%" PRIx64 "  %s", offset,
			       demangled ? demangled : found[i].name);
		free(demangled);
	}
	return false;
}

bool symbols_find(struct symbols *symbols, const char *wanted,
		  uint64_t *offset, char *error)
{
	int i, k, count = dwfl_module_getsymtab(symbols->module), number = 0;
	struct function found[CANDIDATES], function;

	for (i = 1; i < count && number < CANDIDATES; i++) {
		if (!get_function(symbols, i, &function) ||
		    !name_matches(function.name, wanted))
			continue;
		/* Another name, or the other symbol table, for the same. */
		for (k = 0; k < number; k++)
			if (found[k].address == function.address)
				break;
		if (k == number)
			found[number++] = function;
	}
	if (!number)
		return not_found(symbols, wanted, error);
	if (number > 1)
		return ambiguous(symbols, wanted, found, number, error);
	if (found[0].indirect)
		return wrong(error, "'%s' in %s is an indirect function: it only chooses the function to call; name the one that is chosen",
			     wanted, symbols->path);
	if (!to_offset(symbols, found[0].address, offset))
		return wrong(error, "the function '%s' is not in the code of %s",
			     wanted, symbols->path);
	return true;
}

/* A place near and before @address where an instruction is known to begin. */
static bool known_start(struct symbols *symbols, uint64_t address,
			uint64_t *start)
{
	int i, count = dwfl_module_getsymtab(symbols->module);
	struct function function;
	Dwarf_Frame *frame;
	Dwarf_Addr from, end;
	GElf_Shdr header;
	Elf_Scn *section = NULL;
	Dwarf_CFI *cfi;
	bool signal;

	for (i = 1; i < count; i++) {
		if (!get_function(symbols, i, &function) ||
		    address < function.address ||
		    address - function.address >= function.size)
			continue;
		*start = function.address;
		return true;
	}
	/* The rows of unwind information begin at instructions. */
	cfi = dwarf_getcfi_elf(symbols->elf);
	if (cfi && !dwarf_cfi_addrframe(cfi, address, &frame)) {
		dwarf_frame_info(frame, &from, &end, &signal);
		free(frame);
		*start = from;
		return true;
	}
	/* So does a section of code, like .init and .plt. */
	while ((section = elf_nextscn(symbols->elf, section))) {
		if (!gelf_getshdr(section, &header) ||
		    !(header.sh_flags & SHF_EXECINSTR) ||
		    address < header.sh_addr ||
		    address - header.sh_addr >= header.sh_size)
			continue;
		*start = header.sh_addr;
		return true;
	}
	return false;
}

/* Whether decoding from @start comes upon @address. */
static bool decodes_to(const uint8_t *code, size_t size, uint64_t start,
		       uint64_t address)
{
	uint64_t at = start;
	cs_insn *instruction;
	csh handle;
	bool hit;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle))
		return false;
	instruction = cs_malloc(handle);
	while (at < address &&
	       cs_disasm_iter(handle, &code, &size, &at, instruction))
		;
	/* The instruction there must be one, too. */
	hit = at == address &&
	      cs_disasm_iter(handle, &code, &size, &at, instruction);
	cs_free(instruction, 1);
	cs_close(&handle);
	return hit;
}

bool symbols_check_offset(struct symbols *symbols, uint64_t offset,
			  char *error)
{
	uint64_t address, start;
	GElf_Phdr segment;
	const char *image;
	size_t size;

	if (!find_segment(symbols, offset, true, &segment))
		return wrong(error, "--offset: 0x%" PRIx64 " is not in the code of %s",
			     offset, symbols->path);
	address = offset - segment.p_offset + segment.p_vaddr;
	if (!known_start(symbols, address, &start) || start < segment.p_vaddr)
		return wrong(error, "--offset: 0x%" PRIx64 " is in no function of %s",
			     offset, symbols->path);
	image = elf_rawfile(symbols->elf, &size);
	if (!image || segment.p_offset + segment.p_filesz > size)
		return wrong(error, "%s is cut off", symbols->path);
	if (!decodes_to((const uint8_t *)image + segment.p_offset +
			(start - segment.p_vaddr),
			segment.p_filesz - (start - segment.p_vaddr), start,
			address))
		return wrong(error, "--offset: no instruction begins at 0x%" PRIx64 " of %s",
			     offset, symbols->path);
	return true;
}
