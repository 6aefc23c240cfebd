/* sql/select_free.c - the end of a statement's tree. */
#include "sql/select_int.h"

void psi_names_clear(ps_sql_names *names)
{
    for (int i = 0; i < names->n; i++)
        ps_free(names->items[i]);
    ps_free(names->items);
    *names = (ps_sql_names){0};
}

void psi_rel_free(ps_sql_rel *rel)
{
    if (!rel)
        return;
    psi_names_clear(&rel->name);
    psi_query_free(rel->query);
    ps_expr_list_clear(&rel->cells);
    ps_expr_unref(rel->call);
    psi_rel_free(rel->left);
    psi_rel_free(rel->right);
    ps_expr_unref(rel->on);
    psi_names_clear(&rel->using_);
    ps_free(rel->alias);
    psi_names_clear(&rel->columns);
    ps_free(rel);
}

void psi_select_free(ps_sql_select *select)
{
    if (!select)
        return;
    ps_expr_list_clear(&select->items);
    psi_rel_free(select->from);
    for (int i = 0; i < select->laterals.n; i++) {
        ps_sql_lateral *lateral = &select->laterals.items[i];
        ps_expr_unref(lateral->call);
        ps_free(lateral->alias);
        psi_names_clear(&lateral->columns);
    }
    ps_free(select->laterals.items);
    ps_expr_unref(select->where);
    ps_expr_list_clear(&select->group_by);
    ps_expr_unref(select->having);
    ps_free(select);
}

void psi_query_free(ps_sql_query *query)
{
    if (!query)
        return;
    for (int i = 0; i < query->with.n; i++) {
        ps_free(query->with.items[i].name);
        psi_names_clear(&query->with.items[i].columns);
        psi_query_free(query->with.items[i].query);
    }
    ps_free(query->with.items);
    psi_query_free(query->left);
    psi_query_free(query->right);
    psi_select_free(query->select);
    ps_expr_list_clear(&query->order_by);
    ps_expr_unref(query->limit);
    ps_expr_unref(query->offset);
    ps_free(query);
}

void ps_statement_free(ps_sql_statement *statement)
{
    if (!statement)
        return;
    psi_query_free(statement->query);
    psi_names_clear(&statement->name);
    psi_names_clear(&statement->columns);
    ps_free(statement->key);
    ps_free(statement->value);
    ps_free(statement);
}
