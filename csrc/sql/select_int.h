/*
 * sql/select_int.h - what the files of the statement parser share.
 *
 * A function that takes ps_x **out gives an owned tree, NULL after a failure.
 */
#ifndef PS_SQL_SELECT_INT_H
#define PS_SQL_SELECT_INT_H
#include "sql/parse.h"
#include "sql/select.h"

void psi_names_clear(ps_sql_names *names);
void psi_rel_free(ps_sql_rel *rel);
void psi_select_free(ps_sql_select *select);
void psi_query_free(ps_sql_query *query);

ps_status psi_parse_query(psi_parser *p, ps_sql_query **out);
ps_status psi_parse_select(psi_parser *p, ps_sql_select **out);       /* at SELECT */
ps_status psi_parse_from(psi_parser *p, ps_sql_rel **out);            /* behind FROM: relations parted by commas, with joins */
ps_status psi_parse_relation(psi_parser *p, ps_sql_rel **out);        /* one, with its alias */
ps_status psi_parse_values(psi_parser *p, ps_sql_rel **out);          /* behind VALUES */
ps_status psi_take_part(psi_parser *p, ps_sql_names *out);            /* appends one name */
ps_status psi_take_parts(psi_parser *p, ps_sql_names *out);           /* a.b.c */
ps_status psi_take_columns(psi_parser *p, ps_sql_names *out);         /* (a, b), at the parenthesis */
bool psi_begins_query(const psi_parser *p, int ahead);
#endif
