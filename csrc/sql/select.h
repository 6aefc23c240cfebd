/*
 * sql/select.h - one SQL statement as a tree (api-sql.md 5.1, 5.2); the plan layer makes nodes of it.
 *
 * Names are resolved nowhere here: tables are parts as written, expressions are parsed trees (expr/expr.h).  An ORDER BY
 * item is a PS_X_SORT; ordinals (GROUP BY 1) are integer literals.  Everything is owned by the statement.
 */
#ifndef PS_SQL_SELECT_H
#define PS_SQL_SELECT_H
#include "sql/expr_text.h"

struct ps_sql_query;

typedef enum ps_sql_rel_kind {
    PS_REL_TABLE,    /* name: a, db.a; or format.`path` */
    PS_REL_QUERY,    /* (SELECT ...) */
    PS_REL_VALUES,   /* VALUES (1, 'a'), (2, 'b'): cells row by row, n_cells / n_rows each */
    PS_REL_FUNCTION, /* range(10), explode(array(1)): call */
    PS_REL_JOIN      /* left, right */
} ps_sql_rel_kind;
typedef enum ps_sql_join { PS_SQL_JOIN_INNER, PS_SQL_JOIN_CROSS, PS_SQL_JOIN_LEFT, PS_SQL_JOIN_RIGHT, PS_SQL_JOIN_FULL, PS_SQL_JOIN_SEMI, PS_SQL_JOIN_ANTI } ps_sql_join;

typedef struct ps_sql_names { char **items; int n, capacity; } ps_sql_names;

typedef struct ps_sql_rel {
    ps_sql_rel_kind kind;
    ps_sql_names name;           /* TABLE */
    bool stream;             /* TABLE: STREAM name */
    struct ps_sql_query *query;  /* QUERY */
    ps_expr_list cells;      /* VALUES */
    int n_rows;
    ps_expr *call;           /* FUNCTION */
    struct ps_sql_rel *left, *right;
    ps_sql_join join;
    bool natural, lateral;   /* JOIN; lateral: the right side may use columns of the left */
    ps_expr *on;             /* or NULL */
    ps_sql_names using_;         /* USING (a, b) */
    char *alias;             /* or NULL */
    ps_sql_names columns;        /* alias (a, b) */
} ps_sql_rel;

/* LATERAL VIEW [OUTER] explode(x) t AS a, b: over what stands before it. */
typedef struct ps_sql_lateral {
    bool outer;
    ps_expr *call;
    char *alias;     /* or NULL */
    ps_sql_names columns;
} ps_sql_lateral;

typedef struct ps_sql_select {
    bool distinct;
    ps_expr_list items;
    ps_sql_rel *from;    /* NULL: one row without columns */
    struct { ps_sql_lateral *items; int n, capacity; } laterals;
    ps_expr *where;  /* or NULL */
    ps_expr_list group_by;
    bool has_group_by, group_by_all;
    ps_expr *having; /* or NULL */
} ps_sql_select;

typedef enum ps_sql_set_op { PS_SET_NONE, PS_SET_UNION, PS_SET_EXCEPT, PS_SET_INTERSECT } ps_sql_set_op;
typedef struct ps_sql_cte { char *name; ps_sql_names columns; struct ps_sql_query *query; } ps_sql_cte;
typedef struct ps_sql_query {
    struct { ps_sql_cte *items; int n, capacity; } with;
    ps_sql_set_op op;
    bool all;                      /* UNION ALL; a plain UNION removes duplicates */
    struct ps_sql_query *left, *right; /* of a set operation */
    ps_sql_select *select;             /* else this; a VALUES or TABLE query is SELECT * from it */
    ps_expr_list order_by;
    ps_expr *limit, *offset;       /* or NULL; LIMIT ALL is NULL */
} ps_sql_query;

typedef enum ps_sql_statement_kind { PS_STMT_QUERY, PS_STMT_CREATE_VIEW, PS_STMT_DROP_VIEW, PS_STMT_SET, PS_STMT_RESET, PS_STMT_SHOW_TABLES, PS_STMT_DESCRIBE, PS_STMT_EXPLAIN } ps_sql_statement_kind;
typedef struct ps_sql_statement {
    ps_sql_statement_kind kind;
    ps_sql_query *query;         /* QUERY, CREATE_VIEW, DESCRIBE QUERY, EXPLAIN */
    ps_sql_names name;           /* CREATE_VIEW, DROP_VIEW, DESCRIBE */
    ps_sql_names columns;        /* CREATE_VIEW v (a, b) */
    bool replace, global, if_exists; /* CREATE OR REPLACE; GLOBAL TEMP; IF [NOT] EXISTS */
    char *key, *value;       /* SET key = value, SET key, SET: key, value NULL; RESET [key] */
    bool extended;           /* EXPLAIN EXTENDED */
} ps_sql_statement;

/* Values for :name (names[i]) or ? (names NULL, in order).  Borrowed. */
typedef struct ps_sql_params {
    const char *const *names;
    ps_expr *const *values;
    int n;
} ps_sql_params;

/* One statement, a ; behind it allowed.  params may be NULL.  PARSE_SYNTAX_ERROR and others of the parser; what this
 * version cannot do is UNSUPPORTED_FEATURE. */
ps_status ps_statement_parse(ps_slice text, const ps_sql_params *params, ps_sql_statement **out, ps_error *err);
void ps_statement_free(ps_sql_statement *statement); /* accepts NULL */
#endif
