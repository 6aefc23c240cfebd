/*
 * sql/parse.h - the state of a parser, and the pieces that its files share; for this folder.
 *
 * Functions that make an expression give the caller a reference.  After a failure nothing is owed.
 */
#ifndef PS_SQL_PARSE_H
#define PS_SQL_PARSE_H
#include "sql/expr_text.h"
#include "sql/lex.h"
#include "sql/select.h"

typedef struct psi_parser {
    ps_slice text;
    psi_tokens tokens;
    int at;         /* token */
    int depth;      /* of nesting */
    const ps_sql_params *params; /* for :name and ?; or NULL */
    int n_marks;    /* ? seen so far */
    bool statement; /* inside of a SELECT: some words end an item rather than name it */
    ps_error *err;
} psi_parser;

ps_status psi_parser_init(psi_parser *p, ps_slice text, ps_error *err);
void psi_parser_clear(psi_parser *p);

/* --- tokens --- */
static inline const psi_token *psi_token_at(const psi_parser *p, int ahead)
{
    int at = p->at + ahead;
    return &p->tokens.items[at < p->tokens.n ? at : p->tokens.n - 1];
}
bool psi_is_word(const psi_parser *p, int ahead, const char *word);   /* without case */
bool psi_is_symbol(const psi_parser *p, int ahead, const char *symbol);
bool psi_take_word(psi_parser *p, const char *word);
bool psi_take_symbol(psi_parser *p, const char *symbol);
ps_status psi_want_word(psi_parser *p, const char *word);
ps_status psi_want_symbol(psi_parser *p, const char *symbol);
ps_status psi_syntax_error(psi_parser *p);               /* at the current token */
ps_status psi_raise_at(psi_parser *p, ps_status rc, size_t at); /* adds the position to what was raised */
bool psi_is_name(const psi_parser *p, int ahead);        /* a word or a quoted name */
ps_status psi_take_name(psi_parser *p, char **out);      /* owned */
ps_status psi_take_string(psi_parser *p, ps_bytes *out); /* adjacent literals are one; escapes are read */

/* --- expressions --- */
ps_status psi_parse_expr(psi_parser *p, ps_expr **out);          /* with AND, OR, NOT */
ps_status psi_parse_value(psi_parser *p, ps_expr **out);         /* up to comparisons */
ps_status psi_parse_primary(psi_parser *p, ps_expr **out);
ps_status psi_parse_item(psi_parser *p, ps_expr **out);          /* with alias */
ps_status psi_parse_type(psi_parser *p, const ps_type **out);
ps_status psi_parse_sort_item(psi_parser *p, ps_expr **out);
ps_status psi_parse_list(psi_parser *p, const char *end, ps_expr_list *out); /* expressions up to a symbol, which is taken */
bool psi_ends_item(const psi_parser *p);                         /* a word that begins the next clause */

/* Makes a call; takes the arguments, also when it fails. */
ps_status psi_call(psi_parser *p, const char *name, bool is_operator, ps_expr **args, int n_args, ps_expr **out);

/* --- literals (literal.c, interval.c) --- */
ps_status psi_parse_number(psi_parser *p, bool negative, ps_expr **out);
ps_status psi_parse_typed(psi_parser *p, ps_expr **out); /* DATE'..', X'..', ...; *out NULL when it is none */
ps_status psi_parse_interval(psi_parser *p, ps_expr **out); /* *out NULL when it is none */

/* --- functions with a grammar of their own (special.c); *out NULL when it is none --- */
ps_status psi_parse_special(psi_parser *p, ps_expr **out);
ps_status psi_parse_function(psi_parser *p, const char *name, ps_expr **out); /* behind the name, at "(" */
#endif
