/*
 * fmt/json_int.h - the parts of the JSON reader.
 *
 * json_scan.c reads tokens within strict bounds and with every option; json_value.c makes typed values of
 * them; json_fast.c is the short cut for a record that looks like the ones before, and json_block.c for many of them;
 * json_read.c holds them together.
 */
#ifndef PS_FMT_JSON_INT_H
#define PS_FMT_JSON_INT_H
#include "fmt/input_int.h"
#include "fmt/rows_int.h"
#include "fmt/times_int.h"

/* Outcomes beside PS_OK and the codes of errors, which are positive. */
#define PSI_BAD (-1)    /* the value is not what the schema wants: NULL, and the record is bad */
#define PSI_SYNTAX (-2) /* the record cannot be read at all */

#define PSI_JSON_DEPTH 1000  /* nested values, as Spark's parser allows */
#define PSI_JSON_NUMBER 1000 /* characters of a number, likewise */

typedef struct psi_json_options {
    bool comments, bare_names, single_quotes, leading_zeros, nan_words, any_escape, control_chars;
    bool partial;        /* a bad field leaves the rest of its struct */
    bool exact;          /* a value read as text keeps its spelling */
    bool empty_is_null;  /* "" under other types than text */
    psi_times times;
} psi_json_options;
ps_status psi_json_options_init(psi_json_options *opt, const ps_format_args *args, ps_error *err);
void psi_json_options_clear(psi_json_options *opt);
/* *detect: the document itself tells (multiLine without the option). */
ps_status psi_json_charset(const ps_format_args *args, bool multi_line, psi_charset *out, bool *detect, ps_error *err);

/* --- the row of the table -------------------------------------------------------------------------------- */
ps_status psi_json_reader_new(const ps_format_args *args, ps_reader **out, ps_error *err);
ps_status psi_json_writer_new(const ps_format_args *args, ps_writer **out, ps_error *err);
ps_status psi_json_infer(const ps_format_args *args, ps_fs *fs, const char *const *paths, int n_paths, const ps_type **out,
                         ps_error *err);

/* --- tokens --------------------------------------------------------------------------------------------- */
typedef struct psi_json {
    const psi_json_options *opt;
    const char *at, *end;
    bool bad;       /* some value of this record was bad */
    bool shared;    /* views of the input may be kept: somebody pins it */
    ps_bytes text;  /* a string that had to be decoded */
    ps_bytes name;  /* the same for names */
} psi_json;

typedef enum psi_token {
    PSI_T_STRING, PSI_T_INT, PSI_T_FLOAT, PSI_T_TRUE, PSI_T_FALSE, PSI_T_NULL, PSI_T_OBJECT, PSI_T_ARRAY
} psi_token;

static inline void psi_json_start(psi_json *j, const char *at, const char *end)
{
    j->at = at;
    j->end = end;
    j->bad = false;
}
static inline bool psi_json_is(const psi_json *j, char c) { return j->at < j->end && *j->at == c; }

/* Each returns PS_OK, PSI_SYNTAX or an error, and moves j->at behind what it read. */
int psi_json_blanks(psi_json *j);
/* At the first character of a value: what it is.  Moves behind literals and numbers (*number is their text), and
 * stays at strings, objects and arrays. */
int psi_json_token(psi_json *j, psi_token *token, ps_slice *number);
/* At a quote.  *decoded: the text is in j->text, else in the input.  Also PSI_BAD. */
int psi_json_string(psi_json *j, ps_slice *text, bool *decoded, ps_error *err);
/* At a name: its text, valid until the next one; then behind the colon and blanks. */
int psi_json_name(psi_json *j, ps_slice *name, ps_error *err);
int psi_json_skip(psi_json *j, ps_error *err); /* any value */
/* After a member: behind a comma and blanks (*more), or behind the closing character. */
int psi_json_next(psi_json *j, char close, bool *more);
/* Appends the value at j->at, written compactly with numbers as Java prints them. */
int psi_json_compact(psi_json *j, ps_bytes *out, ps_error *err);

/* --- typed values ------------------------------------------------------------------------------------------ */
typedef struct psi_json_node psi_json_node;
struct psi_json_node {
    const ps_type *type;
    ps_builder *b;           /* NULL: a root whose rows are those of its first child */
    psi_json_node *children; /* of structs, arrays, maps */
    int n_children;
    ps_slice *names;         /* of a struct's children */
    uint16_t *slots;         /* child + 1 by hash of the name; 0 empty */
    uint32_t slot_mask;
};
ps_status psi_json_node_init(psi_json_node *node, const ps_type *type, ps_builder *b, ps_error *err);
/* The columns of rows, without the corrupt one, as a struct. */
ps_status psi_json_root_init(psi_json_node *node, const psi_rows *rows, ps_error *err);
void psi_json_node_clear(psi_json_node *node);
int psi_json_find(const psi_json_node *node, ps_slice name); /* the child, or -1 */
/* Appends one row to node->b for the value at j->at (blanks skipped).  After PSI_SYNTAX the builder holds a part. */
int psi_json_value(psi_json *j, const psi_json_node *node, ps_error *err);
/* At '{': row `row` of the children. */
int psi_json_object(psi_json *j, const psi_json_node *node, int64_t row, ps_error *err);

/* --- the short cut ------------------------------------------------------------------------------------------- */
#define PSI_FAST_TEXT 64

/* What stood between two values in an earlier record: `,"key":` with its blanks. */
typedef struct psi_json_slot {
    char text[PSI_FAST_TEXT + 16];
    uint32_t want;      /* a bit for each of the first sixteen bytes that `text` has */
    uint8_t n_bytes, name_at;
    uint8_t kind;       /* how to read the value: psi_json_kind */
    int16_t child;      /* of the root; -1: skipped */
    ps_builder *b;      /* of that child */
    ps_slice name;      /* in `text` */
} psi_json_slot;

/* PSI_K_ODD: one value at a time only. */
typedef enum psi_json_kind {
    PSI_K_SKIP, PSI_K_TEXT, PSI_K_LONG, PSI_K_INT, PSI_K_DOUBLE, PSI_K_BOOL, PSI_K_TIMESTAMP, PSI_K_ODD
} psi_json_kind;

typedef struct psi_json_fast {
    psi_json_slot *slots;
    int n_slots, capacity;
    bool all_named;     /* every child of the root has a slot */
    int n_misses;       /* records in a row that did not look as expected */
    int n_learned;
    psi_last_minute minute;
    /* json_block.c: */
    int n_block;        /* records to read at once next time */
    int n_alone;        /* records to read alone before that */
    int pause;          /* how many those were the last time */
    size_t n_skip;      /* bytes of a line in which no line end is looked for */
} psi_json_fast;
void psi_json_fast_clear(psi_json_fast *fast);
/* Reads one record up to and with the closing brace, as row `row` of the root's columns.  It ends at `limit`, which a control
 * character follows sooner or later within readable memory; NULL: at the first line feed or carriage return, which must exist.
 * NULL: nothing was kept, take the long way. */
const char *psi_json_fast_record(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char *p, const char *limit,
                                 int64_t row);
bool psi_json_fast_wants(const psi_json_fast *fast); /* it is time to learn from a good record */
/* Remembers how a good record, which ends at `end` or before, is spelled. */
ps_status psi_json_fast_learn(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char *p, const char *end,
                              ps_error *err);
/* The value at p as the next row of the node's column, or skipped (NULL); NULL when it is for the strict reader. */
const char *psi_json_fast_value(psi_json *j, const psi_json_node *node, psi_json_kind kind, const char *p);

/* ---- many records at once ---------------------------------------------------------------------------------- */
#define PSI_BLOCK_ROWS 64

/* Reads records that end with their lines, from *at on and until `stop`, a full batch, or one that is for the strict reader or
 * worth learning: *at is there then.  The first is row `row`; how many there were.  `stop` follows a line feed or carriage
 * return, and 64 bytes behind it can be read. */
int64_t psi_json_lines(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char **at, const char *stop, int64_t row);
/* How many texts to read at once next; 0: the next one is to be read alone. */
int psi_json_block_size(psi_json_fast *fast);
/* Reads n texts, each a record, from at[] to ends[], where a line feed follows, as rows from `row` on.  How many of the first ones
 * went well.  at[] is used up. */
int psi_json_texts(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char **at, const char *const *ends, int n,
                   int64_t row);
#endif
