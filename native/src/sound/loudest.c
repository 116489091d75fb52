#include <mcu/loudest.h>

#include <math.h>

/* Among legs that are equally loud the first in the list comes first. */
struct rank {
    double level;
    size_t place;
};

static bool before(struct rank a, struct rank b)
{
    return a.level < b.level || (a.level == b.level && a.place < b.place);
}

static struct rank rank_of(struct mcu_standing **standings, size_t place)
{
    const struct mcu_standing *standing = standings[place];
    return (struct rank){standing->level - (standing->chosen ? MCU_LEAD : 0), place};
}

static bool talks(const struct mcu_standing *standing)
{
    return standing->level < (standing->chosen ? MCU_TALKS_UNTIL : MCU_TALKS_FROM);
}

static void follow(struct mcu_standing *standing, int level)
{
    standing->level = fmin(level, standing->level + MCU_FADES_BY);
}

/* The first of those who talk and come after `after`; false: there is none. */
static bool next_talker(struct mcu_standing **standings, size_t count, struct rank after,
                        struct rank *found)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const struct rank rank = rank_of(standings, i);
        if (!talks(standings[i]) || !before(after, rank) || (any && !before(rank, *found)))
            continue;
        *found = rank;
        any = true;
    }
    return any;
}

int mcu_loudest(struct mcu_standing **standings, const int *levels, size_t count, size_t most)
{
    for (size_t i = 0; i < count; i++)
        follow(standings[i], levels[i]);
    struct rank last = {-INFINITY, 0};
    size_t chosen = 0;
    while (chosen < most && next_talker(standings, count, last, &last))
        chosen++;
    for (size_t i = 0; i < count; i++)
        standings[i]->chosen =
            chosen && talks(standings[i]) && !before(last, rank_of(standings, i));
    if (!most)
        return 0;
    const double bar = chosen < most ? MCU_TALKS_FROM : ceil(last.level);
    return bar < MCU_TALKS_FROM ? (int)bar : MCU_TALKS_FROM;
}
