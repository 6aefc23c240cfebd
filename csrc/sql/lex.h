/*
 * sql/lex.h - SQL text as tokens.
 *
 * All tokens are made first, so a parser can look ahead and go back as it likes.  Comments and hints are left out.
 */
#ifndef PS_SQL_LEX_H
#define PS_SQL_LEX_H
#include "base/bytes.h"

typedef enum psi_token_kind {
    PSI_T_END,
    PSI_T_WORD,    /* a name or a keyword, as written */
    PSI_T_QUOTED,  /* `name`; text without the backticks, doubled ones still doubled */
    PSI_T_STRING,  /* text with its quotes */
    PSI_T_NUMBER,  /* digits, fraction, exponent and suffix */
    PSI_T_SYMBOL,  /* operators and punctuation */
    PSI_T_BAD      /* nothing of all that: an open quote, a strange character */
} psi_token_kind;

typedef struct psi_token {
    psi_token_kind kind;
    bool raw;        /* STRING: r'...' */
    size_t at;       /* where it begins */
    ps_slice text;
} psi_token;
typedef struct psi_tokens {
    psi_token *items; /* the last one is END */
    int n, capacity;
} psi_tokens;

/* Fails with UNCLOSED_BRACKETED_COMMENT. */
ps_status psi_lex(ps_slice text, psi_tokens *out, ps_error *err);
bool psi_is_name_byte(unsigned char c);
#endif
