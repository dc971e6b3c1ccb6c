# SPDX-License-Identifier: GPL-2.0-only
#
# Everything is done by the scripts in scripts/; what they make is in build/.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export KSRC JOBS V ROUNDS MAINTAINER SOB CASE RUNS LIMIT SET_KIB

CONFIG ?= x86

.PHONY: help
help:
	@echo 'The two commands:'
	@echo '  make run        boot a host with KVM guests and watch their pages merge'
	@echo '  make check      run every test; the last line counts the results'
	@echo
	@echo 'Parts of them:'
	@echo '  make deps       install the packages that are missing (apt)'
	@echo '  make kernel     compile a kernel: CONFIG=x86 (default), uml, debug, arm64, ...'
	@echo '  make shell      boot to a shell with our kernel'
	@echo '  make unit       tests of the logic in user space, under ASan and UBSan'
	@echo '  make lint       style, static analysis, spelling'
	@echo '  make clients    the programs that use KSM, in a Debian with systemd'
	@echo '  make packages   Debian packages of the tools, built and tried out'
	@echo '  make deb-kernel Debian packages of a kernel with it (an hour or two)'
	@echo '  make model      models of a merged page, litmus tests of the barriers'
	@echo '  make busted     faults that are built in must be found by the tests'
	@echo '  make matrix     compile other configurations and architectures'
	@echo '  make bench      measure our KSM and the one of the base side by side'
	@echo '  make density    how many KVM guests fit into a host, by setting of KSM (hours)'
	@echo '  make density-quick  20 guests with ours'
	@echo '  make figures    put those of the last two into the documentation'
	@echo '  make patchset   build/patchset: series for git am on the base'
	@echo '  make patchset-check  and compile each of their commits (an hour)'
	@echo '  make clean      remove what was compiled, keep the unpacked base'
	@echo '  make distclean  remove build/'
	@echo
	@echo 'Variables:'
	@echo '  KSRC=DIR        your own 6.12 tree instead of the package linux-source-6.12'
	@echo '  JOBS=N          parallel jobs (default: one per CPU)'
	@echo '  V=1             show what the tools say'
	@echo '  STEPS="A B"     for check: only these steps (scripts/check -l lists them)'
	@echo '  CASE="A B"      for bench, density: only these cases (scripts/bench -l and'
	@echo '                  scripts/density -l list them)'
	@echo "  SOB='NAME <ADDRESS>'  who signs off patches; default: git's user"
	@echo '  ROUNDS=N        for bench: instead of what each case has'
	@echo '  RUNS="1 2"      for density: only these starts of each case'
	@echo '  JSON=FILE       for density: the figures'
	@echo '  MAINTAINER="Name <address>"  for packages (default: DEBFULLNAME'
	@echo '                  and DEBEMAIL, or what git has)'

.PHONY: deps
deps:
	@scripts/deps

.PHONY: kernel
kernel:
	@scripts/deps run
	@scripts/build $(CONFIG)

.PHONY: run
run:
	@scripts/deps run
	@scripts/build x86
	@scripts/demo

.PHONY: shell
shell:
	@scripts/deps run
	@scripts/build x86
	@scripts/demo --shell

.PHONY: check
check:
	@scripts/deps
	@scripts/check $(STEPS)

.PHONY: unit lint busted matrix
unit lint busted matrix:
	@scripts/deps
	@scripts/check $@

.PHONY: model
model:
	@scripts/deps model
	@scripts/check model

.PHONY: clients
clients:
	@scripts/deps clients
	@scripts/check clients clients-monitors clients-guests clients-tools \
		clients-containers clients-units clients-units-254

.PHONY: packages
packages:
	@scripts/deps packages
	@scripts/check packages

.PHONY: deb-kernel
deb-kernel:
	@scripts/deps deb-kernel
	@scripts/check deb-kernel

.PHONY: bench
bench:
	@scripts/deps bench
	@scripts/bench $(CASE)

.PHONY: density
density:
	@scripts/deps bench
	@scripts/density $(if $(JSON),-j '$(JSON)')

.PHONY: density-quick
density-quick:
	@scripts/deps
	@scripts/check density

.PHONY: figures
figures:
	@[ -f build/bench/results.json ] || [ -f build/density/results.json ] || \
		{ echo 'no figures: make bench, make density'; exit 1; }
	@[ ! -f build/bench/results.json ] || \
		scripts/bench-report publish build/bench .
	@[ ! -f build/density/results.json ] || \
		scripts/density-report publish build/density .

.PHONY: patchset
patchset:
	@scripts/deps run
	@scripts/patchset

.PHONY: patchset-check
patchset-check:
	@scripts/deps
	@scripts/patchset -b

.PHONY: clean
clean:
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 \
		! -name linux ! -name 'base.stamp' ! -name overlay \
		! -name debian-root ! -name packages-root ! -name promtool \
		! -name commits -exec rm -rf {} +
	@[ ! -d build/commits ] || find build/commits -mindepth 1 -maxdepth 1 \
		! -name linux ! -name base.stamp -exec rm -rf {} +

.PHONY: distclean
distclean:
	@rm -rf build
