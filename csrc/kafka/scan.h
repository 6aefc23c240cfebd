/*
 * kafka/scan.h - the ranges of one batch being read.
 */
#ifndef PS_KAFKA_SCAN_H
#define PS_KAFKA_SCAN_H
#include "kafka/options.h"
#include "kafka/plan.h"
#include "kafka/reader.h"

typedef struct psi_scan_args {
    psi_client *client;                /* for look-ups; borrowed, unless `owned` */
    psi_reader *reader;
    bool owned;                        /* the scan closes both with itself, also when it cannot be made */
    const psi_source_options *options; /* borrowed */
    const ps_type *schema;             /* borrowed */
    const bool *wanted;
    int n_workers;
} psi_scan_args;

/* Takes `ends`, whose names the ranges borrow, and `ranges`, also when it fails. */
ps_status psi_scan_new(const psi_scan_args *args, psi_positions *ends, psi_ranges *ranges, ps_scan **out, ps_error *err);
#endif
