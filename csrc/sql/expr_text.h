/*
 * sql/expr_text.h - SQL expressions as text: what expr(), selectExpr() and where() read (api-sql.md 5.3, 5.4).
 *
 * The tree keeps function names as written, marks operators (is_operator), and keeps the text at its root (sql), so that
 * generated names and Column's repr are Spark's.  Errors are ParseExceptions with the position.
 */
#ifndef PS_SQL_EXPR_TEXT_H
#define PS_SQL_EXPR_TEXT_H
#include "expr/expr.h"

/* One expression, which may have an alias ("a + 1 AS b", "explode(m) AS (k, v)") or be a star. */
ps_status ps_expr_parse(ps_slice text, ps_expr **out, ps_error *err);

/* Several, parted by commas: the list of a SELECT. */
typedef struct ps_expr_list {
    ps_expr **items; /* owned references */
    int n, capacity;
} ps_expr_list;
void ps_expr_list_clear(ps_expr_list *list);
#endif
