# A thin front to meson. `make help` lists what there is.

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
WERROR ?= 0
ARCH ?= $(shell dpkg --print-architecture)
comma := ,

# Each compiler and set of sanitizers has a build folder of its own.
ifneq ($(filter command% environment%,$(origin CC)),)
  export CC
  cc_suffix := $(addprefix -,$(filter-out -gcc -cc,-$(notdir $(firstword $(CC)))))
  cc_suffix := $(patsubst --%,-%,$(cc_suffix))
endif
BUILD ?= build$(cc_suffix)$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
OPTIONS = -Dprefix=$(abspath $(PREFIX)) -Dwerror=$(if $(filter 1,$(WERROR)),true,false) \
	-Db_sanitize=$(or $(SANITIZE),none) -Db_lundef=$(if $(SANITIZE),false,true) $(MESON_OPTIONS)
clang := $(if $(findstring clang,$(CC)),fuzz)

.PHONY: all configure help deps run check check-refused leaks bench lint fuzz install riscv64 dist deb rpm check-deb check-rpm \
	check-deb-amd64 check-deb-riscv64 \
	check-amd64 check-riscv64 check-riscv64-small check-kernel-5.10 check-machines-smoke check-smoke-amd64 \
	check-smoke-riscv64-small bench-amd64 bench-riscv64 clean

all: configure
	@ninja -C $(BUILD)

configure:
	@scripts/configure $(BUILD) $(OPTIONS)

help:
	@echo 'make              build into $(BUILD)/'
	@echo 'make run          install what is missing, build, run a container that shows what it sees'
	@echo 'make check        install what is missing, build, run all tests'
	@echo 'make check-refused  run tests as if the kernel lacked system calls (docs/kernels.md); REFUSE=words: only these'
	@echo 'make leaks        run the verbs of the runtime under valgrind, which has to be 3.27 or newer'
	@echo 'make bench        compare with other programs; BENCH="engine run exec": a program of bench/ and its words'
	@echo 'make lint         layering, formatting, static analysis; prints nothing when all is well'
	@echo 'make fuzz         run each fuzz target for FUZZ_SECONDS ($(FUZZ_SECONDS))'
	@echo 'make install      into PREFIX ($(PREFIX)) below DESTDIR'
	@echo 'make deps         install the packages that these need (Debian and its kin)'
	@echo 'make riscv64      cross-build into build-riscv64/'
	@echo 'make dist         a source archive of the commit into dist/'
	@echo 'make deb          Debian packages into dist/ARCH/: ARCH=amd64 or riscv64, by default that of this machine'
	@echo 'make check-deb    install, use, upgrade and remove these packages in fresh Debian systems'
	@echo 'make check-deb-amd64, check-deb-riscv64'
	@echo '                  the same under systemd, in a virtual machine (docs/machines.md)'
	@echo 'make rpm          RPM packages of the commit into dist/rpm/, for this machine'
	@echo 'make check-rpm    install, use, upgrade and erase these packages over a view of this machine'
	@echo 'make check-amd64, check-riscv64, check-kernel-5.10'
	@echo '                  run the tests in a virtual machine (docs/machines.md); PASS=root, root-systemd, user or'
	@echo '                  user-systemd: who runs them, and who makes the cgroups; TESTS=files: only these'
	@echo 'make check-machines-smoke   a few of the tests in the machines amd64 and riscv64-small'
	@echo 'make bench-amd64, bench-riscv64     make bench in a virtual machine'
	@echo 'make clean        remove the build folders'
	@echo 'Variables: CC=clang, SANITIZE=address,undefined, WERROR=1, BUILD=folder, MESON_OPTIONS=...'

deps:
	@scripts/deps build run check lint fuzz rpm

run:
	@scripts/deps build run $(clang)
	@$(MAKE) --no-print-directory all
	@scripts/demo $(BUILD)/src/cli/coracle-runtime

check:
	@scripts/deps build run check rpm $(clang)
	@$(MAKE) --no-print-directory all
	@scripts/check $(BUILD)

check-refused:
	@scripts/deps build run check
	@$(MAKE) --no-print-directory all
	@scripts/check-refused $(BUILD) $(REFUSE)

leaks: # memcheck wants shared libraries, and is slow
	@scripts/deps build run check
	@scripts/configure build-leaks -Dstatic=false
	@ninja -C build-leaks src/cli/coracle-runtime
	@CORACLE_BUILD=build-leaks BATS_TEST_TIMEOUT=600 tests/integration/run tests/integration/leaks.bats

BENCH = runtime
bench:
	@scripts/deps build run check
	@$(MAKE) --no-print-directory all
	@CORACLE_BUILD=$(BUILD) bench/$(BENCH)

lint:
	@scripts/deps build lint fuzz
	@scripts/lint

fuzz:
	@scripts/deps build fuzz
	@CC=clang scripts/configure build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-fuzz
	@scripts/fuzz build-fuzz $(FUZZ_SECONDS)

install: all
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild --quiet

riscv64:
	@scripts/deps build riscv64
	@scripts/sysroot riscv64 .cache/sysroot-riscv64
	@scripts/configure build-riscv64 --cross-file .cache/sysroot-riscv64/meson-cross.ini \
		-Dprefix=$(abspath $(PREFIX)) -Dwerror=$(if $(filter 1,$(WERROR)),true,false)
	@ninja -C build-riscv64

dist:
	@scripts/dist dist

deb:
	@scripts/deps build deb $(if $(filter-out $(shell dpkg --print-architecture),$(ARCH)),$(ARCH) deb-$(ARCH))
	@scripts/deb $(ARCH) dist/$(ARCH)

check-deb: deb
	@scripts/deps check-deb
	@tests/packages/debian

check-deb-amd64 check-deb-riscv64:
	@$(MAKE) --no-print-directory deb ARCH=$(@:check-deb-%=%)
	@CORACLE_BUILD=build-deb-$(@:check-deb-%=%) PACKAGES=dist/$(@:check-deb-%=%) \
		tests/machines/run $(@:check-deb-%=%) tests/packages/package_systemd.bats

rpm:
	@scripts/deps build rpm
	@scripts/rpm dist/rpm

check-rpm: rpm
	@scripts/deps run check-rpm
	@tests/packages/rpm

check-amd64 check-riscv64 check-riscv64-small check-kernel-5.10:
	@PASS=$(PASS) tests/machines/run $(@:check-%=%) $(TESTS)

bench-amd64 bench-riscv64:
	@tests/machines/run $(@:bench-%=%) bench/$(BENCH)

SMOKE = ground notify rootless doctor store_layout container_hello
check-smoke-amd64 check-smoke-riscv64-small:
	@tests/machines/run $(@:check-smoke-%=%) $(SMOKE:%=tests/integration/%.bats)

# At the same time: each has one processor.
check-machines-smoke: all riscv64
	@scripts/deps machines
	@$(MAKE) --no-print-directory -j2 --output-sync=target check-smoke-amd64 check-smoke-riscv64-small

clean:
	rm -rf build build-* dist
