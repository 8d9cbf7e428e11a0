// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"

void terminal_begin(struct terminal *terminal)
{
	const char *type = getenv("TERM");
	struct termios settings;

	memset(terminal, 0, sizeof(*terminal));
	terminal->live = isatty(STDOUT_FILENO) && type && *type &&
			 strcmp(type, "dumb");
	if (!terminal->live || tcgetattr(STDIN_FILENO, &terminal->before))
		return;
	settings = terminal->before;
	settings.c_lflag &= ~(ICANON | ECHO);
	settings.c_cc[VMIN] = 1;
	settings.c_cc[VTIME] = 0;
	/* Who stops us, or ends us so, would find the terminal like this. */
	settings.c_cc[VSUSP] = _POSIX_VDISABLE;
	settings.c_cc[VQUIT] = _POSIX_VDISABLE;
	terminal->keys = !tcsetattr(STDIN_FILENO, TCSANOW, &settings);
}

void terminal_end(struct terminal *terminal)
{
	if (terminal->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
}

bool terminal_is_quit(void)
{
	char keys[64];
	ssize_t count = read(STDIN_FILENO, keys, sizeof(keys));

	/* The terminal may have gone. */
	return count <= 0 || memchr(keys, 'q', count) ||
	       memchr(keys, 'Q', count);
}

void terminal_size(int *rows, int *columns)
{
	struct winsize size;

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	if (size.ws_row)
		*rows = size.ws_row;
	if (size.ws_col)
		*columns = size.ws_col;
}
