/*
 * plan/explain.c - explain(): the tree as text, a line per operator.
 */
#include "plan/plan.h"

/* `last[d]`: the node at depth d on the way here is its parent's last input. */
typedef struct trail { bool last[64]; } trail;

static ps_status line(const ps_node *node, trail *way, int depth, ps_bytes *out, ps_error *err)
{
    for (int d = 1; d < depth && d < 64; d++)
        PS_TRY(ps_bytes_text(out, way->last[d] ? "   " : ":  ", err));
    if (depth > 0)
        PS_TRY(ps_bytes_text(out, way->last[depth < 64 ? depth : 63] ? "+- " : ":- ", err));
    PS_TRY(node->row->describe ? node->row->describe(node, out, err) : ps_bytes_text(out, node->row->kind, err));
    return ps_bytes_char(out, '\n', err);
}

static ps_status tree(const ps_node *node, trail *way, int depth, ps_bytes *out, ps_error *err)
{
    PS_TRY(line(node, way, depth, out, err));
    for (int i = 0; i < node->n_inputs; i++) {
        if (depth + 1 < 64)
            way->last[depth + 1] = i + 1 == node->n_inputs;
        PS_TRY(tree(node->inputs[i], way, depth + 1, out, err));
    }
    return PS_OK;
}

ps_status ps_plan_explain(const ps_node *node, const char *mode, ps_bytes *out, ps_error *err)
{
    bool extended = ps_stricmp(mode, "simple") != 0 && ps_stricmp(mode, "formatted") != 0;
    ps_node *lean = NULL;
    trail way = {{0}};
    ps_status rc = PS_OK;

    if (extended) {
        PS_TRY(ps_bytes_text(out, "== Analyzed Logical Plan ==\n", err));
        PS_TRY(tree(node, &way, 0, out, err));
        PS_TRY(ps_bytes_char(out, '\n', err));
    }
    PS_TRY(ps_bytes_text(out, "== Physical Plan ==\n", err));
    PS_TRY(ps_plan_optimise((ps_node *)node, &lean, err));
    rc = tree(lean, &way, 0, out, err);
    ps_node_unref(lean);
    if (rc == PS_OK && ps_stricmp(mode, "extended") != 0) /* as Spark ends its modes: a blank line, but for this one */
        rc = ps_bytes_char(out, '\n', err);
    return rc;
}
