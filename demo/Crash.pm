# SPDX-License-Identifier: GPL-2.0
# Answers good requests with the PID of the process, and crashes on others:
# unpack "p" takes a number for the address of a string, and libc's strlen()
# reads there.
package Crash;

use strict;
use warnings;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
use Apache2::Const -compile => qw(OK);

sub handler {
	my $request = shift;

	if (($request->args // '') eq 'crash') {
		my $string = unpack 'p', pack 'Q', 8;
	}
	$request->content_type('text/plain');
	$request->print("served by $$\n");
	return Apache2::Const::OK;
}

1;
