#include "app/nearest.h"

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* Three rows of the usual table are enough: the swap looks back two. */
unsigned nearest_distance(struct slice a, struct slice b)
{
    unsigned rows[3][NEAREST_NAME_MAX + 1];

    if (a.len > NEAREST_NAME_MAX || b.len > NEAREST_NAME_MAX)
        return UINT32_MAX;
    for (unsigned j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned change = before[j - 1] + (a.at[i - 1] != b.at[j - 1]);
            now[j] = least(change, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

/* A third of the letters may be wrong, at least two: "prot" finds "port", "xyz" finds nothing. */
void nearest_offer(struct nearest *nearest, const char *candidate)
{
    unsigned distance = nearest_distance(nearest->wanted, slice_of(candidate));
    unsigned allowed = (unsigned)nearest->wanted.len / 3;

    if (allowed < 2)
        allowed = nearest->wanted.len < 3 ? 1 : 2;
    if (distance > allowed || (nearest->name != NULL && distance >= nearest->distance))
        return;
    nearest->name = candidate;
    nearest->distance = distance;
}
