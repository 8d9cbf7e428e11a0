/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_TERMINAL_H
#define REASSURECTL_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

/* What is shown on a terminal again and again, in its place. */
struct terminal {
	/* Otherwise it is no terminal that can do that. */
	bool live;
	/* Whether keys are read, as they are pressed. */
	bool keys;
	struct termios before;
};

void terminal_begin(struct terminal *terminal);
/* Puts back what terminal_begin() has changed. */
void terminal_end(struct terminal *terminal);
/* Whether the keys that were pressed, which there are, say that this is the end. */
bool terminal_is_quit(void);
void terminal_size(int *rows, int *columns);

#endif
