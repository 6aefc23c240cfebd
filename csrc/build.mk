# A static library of some folders of the engine, for C tests, fuzz targets and daily work:
#   make -f csrc/build.mk OUT=build/dev DIRS="base col" -j2         -> build/dev/libps.a
# SAN=1 adds the address and undefined-behaviour sanitizers; CC=clang works.
OUT ?= build/dev
# The Kafka connector is built where librdkafka is found; its module.c, which includes Python.h, goes with the binding.
KAFKA := $(shell pkg-config --exists rdkafka && echo kafka)
DIRS ?= base col log fmt state expr io op plan sql query $(KAFKA)
OPT ?= -O2
PKGS := zlib liblz4 libzstd libpcre2-8 $(KAFKA:%=rd%)
CFLAGS := -std=c11 -D_GNU_SOURCE $(OPT) -g -Wall -Wextra -Werror -fPIC -fvisibility=hidden -fno-semantic-interposition -Icsrc \
          -DPS_DEBUG $(shell pkg-config --cflags $(PKGS)) -MMD -MP
ifeq ($(SAN),1)
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
CFLAGS += $(EXTRA)
SRCS := $(wildcard $(DIRS:%=csrc/%/*.c))
ifeq ($(filter py,$(DIRS)),)
SRCS := $(filter-out csrc/kafka/module.c,$(SRCS))
endif
OBJS := $(SRCS:csrc/%.c=$(OUT)/%.o)

$(OUT)/libps.a: $(OBJS)
	@rm -f $@
	ar rcs $@ $(OBJS)
$(OUT)/%.o: csrc/%.c
	@mkdir -p $(dir $@)
	$(CC) $(CFLAGS) -c $< -o $@
-include $(OBJS:.o=.d)
