/*
 * base/failpoint.h - named places where a test may stop the engine.
 *
 * PS_FAILPOINT("query.offsets_written") does nothing unless a test armed that name: then it raises
 * PS_E_FAILPOINT (mode "error"), or kills the process (mode "exit"), at the nth passage.
 * PYSTREAM_FAILPOINTS="name=exit:2,other=error" arms them from the environment.
 */
#ifndef PS_BASE_FAILPOINT_H
#define PS_BASE_FAILPOINT_H
#include "base/status.h"

ps_status ps_failpoint_arm(const char *name, const char *mode, int64_t nth, ps_error *err); /* mode NULL disarms */
void ps_failpoint_disarm_all(void);
bool ps_failpoint_any(void); /* cheap: is anything armed */
ps_status ps_failpoint_hit(const char *name, ps_error *err);
#define PS_FAILPOINT(name, err) (PS_UNLIKELY(ps_failpoint_any()) ? ps_failpoint_hit((name), (err)) : PS_OK)
#endif
