/*
 * kafka/positions.h - an offset for each of some partitions: {"topicA":{"0":23,"1":345},"topicB":{"0":7}}.
 *
 * The offset of a position is the next one to read.  In what a user writes -1 stands for the latest and -2 for the
 * earliest; a look-up turns them, and times, into offsets (client.h).  Items are kept in the order of topic, then partition,
 * so a set has one text, and two sets are compared by walking both.
 */
#ifndef PS_KAFKA_POSITIONS_H
#define PS_KAFKA_POSITIONS_H
#include "base/json.h"

#define PSI_LATEST (-1)
#define PSI_EARLIEST (-2)

typedef struct psi_position {
    const char *topic; /* in the set's arena */
    int32_t partition;
    int64_t offset;
} psi_position;

/* Zeroed by {0}. */
typedef struct psi_positions {
    psi_position *items;
    int n, capacity;
    ps_arena names;
} psi_positions;

/* Adds or replaces; copies the topic's name. */
ps_status psi_positions_set(psi_positions *set, const char *topic, int32_t partition, int64_t offset, ps_error *err);
psi_position *psi_positions_find(const psi_positions *set, const char *topic, int32_t partition); /* NULL when absent */
ps_status psi_positions_copy(const psi_positions *from, psi_positions *to, ps_error *err);        /* to: empty */
/* All items of `from` are in `set`, whatever their offsets. */
bool psi_positions_cover(const psi_positions *set, const psi_positions *from);
bool psi_positions_same_partitions(const psi_positions *a, const psi_positions *b);
void psi_positions_clear(psi_positions *set);

/* False when the text is anything but an object of objects of integers; a position that is there twice is the later one. */
ps_status psi_positions_parse(const char *text, psi_positions *out, bool *valid, ps_error *err); /* out: empty */
ps_status psi_positions_text(const psi_positions *set, ps_bytes *out, ps_error *err);
/* "t-0, t-1": partitions as Kafka's own messages spell them; with_offsets: "t-0 -> 5, ...". */
ps_status psi_positions_names(const psi_positions *set, bool with_offsets, ps_bytes *out, ps_error *err);
int psi_position_compare(const psi_position *a, const psi_position *b); /* topic, then partition */
#endif
