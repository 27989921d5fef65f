# SPDX-License-Identifier: MIT
# The front door. Everything is built by CMake into build/ (ninja where there is one, make otherwise);
# `make demo` and `make check` install missing Debian packages themselves and say so.

PREFIX ?= /usr/local
BUILD ?= build
JOBS ?= $(shell nproc)
CMAKE_ARGS ?=
BUILD_NEEDS = cmake pkg-config
CONFIGURE = $(if $(shell command -v ninja),-G Ninja) -S . -DCMAKE_INSTALL_PREFIX=$(PREFIX)

.PHONY: all build configure needs demo check wine promises surface headers fuzz bench foreign asan tsan tidy install clean help

all: build

help:
	@echo "make demo | check | wine | promises | surface | headers | fuzz COUNT=N SEED=N | bench | foreign | asan | tsan | tidy | install PREFIX=DIR | clean"

needs:
	@scripts/need.sh $(BUILD_NEEDS)
	@scripts/need.sh liburing-dev || echo "going on without liburing: files that are not in the page cache are read by threads"

configure: needs
	@cmake $(CONFIGURE) -B $(BUILD) $(CMAKE_ARGS) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

build: configure
	@cmake --build $(BUILD) -j $(JOBS)

# Only what it runs: whoever sees this for the first time should not wait for four hundred tests to compile.
demo: configure
	@cmake --build $(BUILD) -j $(JOBS) --target all_examples tools_load
	@scripts/demo.sh $(BUILD)

check: build
	@tests/run.sh $(BUILD)

wine:
	@scripts/need.sh gcc-mingw-w64-x86-64 wine wine64
	@tests/wine.sh

promises: build
	@tests/promises.sh $(BUILD)

surface: build
	@scripts/surface.sh $(BUILD)

headers:
	@scripts/need.sh g++
	@tests/headers/run.sh

# Random calls of every entry point, in each engine: how often each was called, and which errors it gave.
fuzz: build
	@COUNT=$(COUNT) SEED=$(SEED) tests/fuzz/run.sh $(BUILD)

# Those it is measured against; one that cannot be had is left out, and the table says so.
BENCH_PEERS = libuv1-dev libevent-dev g++ libboost-dev fio gcc-mingw-w64-x86-64 wine wine64

bench: needs
	@for peer in $(BENCH_PEERS); do scripts/need.sh $$peer 2>/dev/null || echo "bench: without $$peer"; done
	@$(MAKE) --no-print-directory build
	@bench/run.sh $(BUILD)

foreign: build
	@scripts/need.sh dpkg-dev
	@scripts/foreign.sh

asan:
	@$(MAKE) --no-print-directory build BUILD=build-asan CMAKE_ARGS="-DIOCP_SANITIZE=address,undefined"
	@tests/run.sh build-asan

tsan:
	@$(MAKE) --no-print-directory build BUILD=build-tsan CMAKE_ARGS="-DIOCP_SANITIZE=thread"
	@tests/run.sh build-tsan

tidy:
	@scripts/tidy.sh

install: configure
	@cmake --build $(BUILD) -j $(JOBS) --target iocp_library
	@cmake --install $(BUILD) --prefix $(PREFIX) >/dev/null
	@echo "installed in $(PREFIX)"

clean:
	rm -rf build build-asan build-tsan build-foreign build-werror-gcc build-werror-clang
