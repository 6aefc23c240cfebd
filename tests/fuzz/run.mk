# Builds the fuzz targets, tests/fuzz/fuzz_*.c, one program each, and runs them for a while:
#   make -f tests/fuzz/run.mk                          every target for SECONDS (20) seconds
#   make -f tests/fuzz/run.mk ONLY=json SECONDS=3600   one of them
# Inputs that failed stay in OUT; run the program on one to see the failure again.
OUT ?= build/fuzz
CC := clang-14
SECONDS ?= 20
KAFKA := $(shell pkg-config --exists rdkafka && echo kafka)
ALL := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
ONLY ?= $(if $(KAFKA),$(ALL),$(filter-out jaas,$(ALL)))
DIRS ?= base col log fmt state $(KAFKA)
FLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Icsrc -DPS_DEBUG -fsanitize=fuzzer,address,undefined \
         -fno-sanitize-recover=undefined
LIBS := $(shell pkg-config --libs zlib liblz4 libzstd libpcre2-8) -lm -lpthread

.PHONY: run library
run: $(ONLY:%=$(OUT)/fuzz_%)
	@for target in $^; do \
	    name=$${target##*/fuzz_}; mkdir -p $(OUT)/corpus/$$name; echo "== $$name"; \
	    $$target -max_total_time=$(SECONDS) -max_len=4096 -print_final_stats=0 -verbosity=0 \
	        -artifact_prefix=$(OUT)/$$name- $(OUT)/corpus/$$name tests/fuzz/seeds/$$name || exit 1; done
library:
	@$(MAKE) --no-print-directory -s -f csrc/build.mk OUT=$(OUT) DIRS="$(DIRS)" SAN=1 CC=$(CC) EXTRA="-fsanitize=fuzzer-no-link -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
$(OUT)/libps.a: library ;
$(OUT)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(OUT)/libps.a
	$(CC) $(FLAGS) $< $(OUT)/libps.a $(LIBS) -o $@
