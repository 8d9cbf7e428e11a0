# SPDX-License-Identifier: GPL-2.0
# The module for the running kernel, and the tool.  `make check` tests all.

KDIR ?= /lib/modules/$(shell uname -r)/build

all: module tools

module:
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' modules

tools:
	$(MAKE) -C tools

install: all
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' modules_install
	$(MAKE) -C tools install

check:
	scripts/check

# What is made from Documentation/netlink/specs/reassure.yaml.
generate:
	scripts/ynl-generate

soak:
	scripts/soak $(MINUTES)

bench:
	scripts/bench

bench-document: bench
	scripts/bench --copy

# Debian packages, in build/deb/.
deb:
	scripts/deb

demo:
	demo/run

clean:
	$(MAKE) -C tools clean
	$(MAKE) -C selftests clean
	rm -rf build *.o *.ko *.mod *.mod.c .*.cmd modules.order Module.symvers
	find module -name '*.o' -delete -o -name '.*.cmd' -delete

.PHONY: all module tools install check generate soak bench bench-document deb demo clean
