# Builds and runs the C unit tests, tests/c/test_*.c, one program each:
#   make -f tests/c/run.mk                      all of them (kafka_* where librdkafka is found)
#   make -f tests/c/run.mk SAN=1 ONLY="json fs" two of them, with the address and undefined-behaviour sanitizers
# DIRS limits the engine's folders that are built, OUT says where.
OUT ?= build/c
SAN ?= 0
KAFKA := $(shell pkg-config --exists rdkafka && echo kafka)
DIRS ?= base col log fmt state expr io op plan sql query $(KAFKA)
ALL := $(patsubst tests/c/test_%.c,%,$(wildcard tests/c/test_*.c))
ONLY ?= $(if $(KAFKA),$(ALL),$(filter-out kafka_%,$(ALL)))
WHERE := $(OUT)$(if $(filter 1,$(SAN)),-san)
FLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Wno-unused-function -Icsrc -DPS_DEBUG
ifeq ($(SAN),1)
FLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
LIBS := $(shell pkg-config --libs zlib liblz4 libzstd libpcre2-8 cmocka $(KAFKA:%=rd%)) -lm -lpthread

.PHONY: run library
run: $(ONLY:%=$(WHERE)/test_%)
	@failed=0; for test in $^; do echo "== $${test##*/}"; $$test || failed=1; done; exit $$failed
library:
	@$(MAKE) --no-print-directory -f csrc/build.mk OUT=$(WHERE) DIRS="$(DIRS)" SAN=$(SAN) CC="$(CC)"
$(WHERE)/libps.a: library ;
$(WHERE)/test_%: tests/c/test_%.c $(WHERE)/libps.a
	$(CC) $(FLAGS) $< $(WHERE)/libps.a $(LIBS) -o $@
