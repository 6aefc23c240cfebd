/*
 * tests/bench/ceiling/ysb.h - an event of the advertising stream, from its bytes to its count, by hand.
 */
#ifndef CEILING_YSB_H
#define CEILING_YSB_H
#include "ceiling.h"

#define ADS 1000
#define PLACES 4096
#define GROUPS 16384

typedef struct ad { char id[36]; int campaign; } ad;
typedef struct group { uint64_t key, n; } group; /* key: window << 8 | campaign, plus 1 */

static ad ads[ADS];
static char campaigns[ADS / 10 + 1][37];
static int16_t places[PLACES]; /* ad + 1 */
static group *groups;

static inline uint64_t hash_id(const char *id)
{
    return mix(load64(id) ^ load64(id + 19), load64(id + 28));
}

static void read_ads(const char *directory)
{
    char path[512], campaign[37];
    int n_campaigns = 0;
    FILE *in;

    snprintf(path, sizeof path, "%s/ysb-ads.csv", directory);
    if ((in = fopen(path, "r")) == NULL)
        exit(2);
    memset(places, 0, sizeof places);
    for (int i = 0; i < ADS; i++) {
        char id[37];
        uint64_t at;
        if (fscanf(in, "%36[^,],%36[^\n]\n", id, campaign) != 2)
            exit(2);
        if (n_campaigns == 0 || strcmp(campaigns[n_campaigns - 1], campaign) != 0)
            strcpy(campaigns[n_campaigns++], campaign);
        memcpy(ads[i].id, id, 36);
        ads[i].campaign = n_campaigns - 1;
        for (at = hash_id(id) & (PLACES - 1); places[at]; at = (at + 1) & (PLACES - 1)) {}
        places[at] = (int16_t)(i + 1);
    }
    fclose(in);
}

static const ad *find_ad(const char *id)
{
    for (uint64_t at = hash_id(id) & (PLACES - 1); places[at]; at = (at + 1) & (PLACES - 1))
        if (memcmp(ads[places[at] - 1].id, id, 36) == 0)
            return &ads[places[at] - 1];
    return NULL;
}

static void count(int64_t ms, int campaign)
{
    uint64_t key = ((uint64_t)(ms / 10000) << 8 | (uint64_t)campaign) + 1, at = mix(key, 1) & (GROUPS - 1);

    while (groups[at].key != key && groups[at].key != 0)
        at = (at + 1) & (GROUPS - 1);
    groups[at].key = key;
    groups[at].n++;
}

/* {"user_id":"..36..","page_id":"..36..","ad_id":"..36..","ad_type":"..","event_type":"..","event_time":"..","ip_address":".."}
 * Returns the time's place, behind which no more is read of the event. */
static inline const char *take_event(const char *p)
{
    const char *user = p + 12, *page, *id, *type, *event, *time, *event_end;

    page = find(user, '"') + 13;
    id = find(page, '"') + 11;
    type = find(id, '"') + 13;
    event = find(type, '"') + 16;
    event_end = find(event, '"');
    time = event_end + 16;
    if (event_end - event == 4 && memcmp(event, "view", 4) == 0) {
        const ad *found = find_ad(id);
        if (found != NULL)
            count(digits(time, 13), found->campaign);
    }
    return time;
}

static void begin_counting(const char *directory)
{
    read_ads(directory);
    free(groups);
    groups = must_alloc(GROUPS * sizeof *groups);
}

static void result(FILE *out)
{
    for (int i = 0; i < GROUPS; i++)
        if (groups[i].key != 0)
            fprintf(out, "%lld\t%s\t%lld\n", (long long)((groups[i].key - 1) >> 8) * 10000, campaigns[(groups[i].key - 1) & 255],
                    (long long)groups[i].n);
}
#endif
