# SPDX-License-Identifier: GPL-2.0
#
# e1000e_rust: what a user types. The kernel's build reads Kbuild instead.

.DEFAULT_GOAL := module
.PHONY: module model demo test fieldtest test-debug selftests bench mutants shell lint doc setup clean help

# Where the kernel's build leaves things below build/: one directory for the
# stock kernel, one for the tree that KDIR names.
OUTPUT := $(if $(KDIR),kdir,module)
export KDIR RUSTC BINDGEN LLVM

module: $(if $(KDIR),,setup) ## build the module: build/e1000e_rust.ko (KDIR=DIR: for that kernel tree)
	@scripts/kbuild $(OUTPUT)
	@cp build/$(OUTPUT)/e1000e_rust.ko build/e1000e_rust.ko.tmp
	@$(if $(KDIR),,scripts/enter) strip --strip-debug build/e1000e_rust.ko.tmp
	@mv build/e1000e_rust.ko.tmp build/e1000e_rust.ko

model: setup ## build the device model: build/model/release/e1000e-model
	@scripts/enter scripts/model build

demo: module ## boot QEMU with two ports and show the driver at work
	@scripts/enter qemu/demo

test: module model ## run every test (T='ARGUMENTS' are handed to pytest)
	@scripts/enter scripts/host-tests
	@scripts/enter scripts/model test
	@scripts/enter python3 -m pytest qemu/tests $(T)

fieldtest: module model ## replay the field reports on both drivers (T='NAME...': only these)
	@scripts/enter qemu/fieldtest $(T)

test-debug: ## run the tests in QEMU on a kernel with KASAN, lockdep, DMA checks and an IOMMU
	@scripts/setup debug
	@scripts/kbuild debug
	@scripts/enter env E1000E_RUST_KERNEL=debug python3 -m pytest qemu/tests $(T)

selftests: module ## run the kernel's own selftests on both drivers (T='NAME...': only these)
	@scripts/setup selftests
	@scripts/enter qemu/selftests $(T)

bench: module ## count what a packet costs, beside the C driver (T='CASE...': only these)
	@scripts/setup plot
	@scripts/enter qemu/bench $(T)

mutants: setup ## break the driver in many places: each time a test must fail (T='NAME...': only these)
	@scripts/enter qemu/mutants $(T)

shell: module ## an interactive VM with the devices and the module
	@scripts/enter qemu/shell

lint: setup ## check formatting, lints and conventions; prints nothing when clean
	@scripts/lint

doc: setup ## rustdoc of rust/kernel: build/doc/html
	@scripts/kbuild doc RUSTC_OR_CLIPPY=$(CURDIR)/scripts/rustdoc

setup: ## make the build and test environment (MIRROR=URL: from that Debian mirror)
	@scripts/setup

clean: ## remove build/; the environment stays in its cache directory
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
