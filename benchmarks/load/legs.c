#include "load.h"

#include <stdlib.h>
#include <string.h>

static void wrong(uint32_t leg, const char *what)
{
    fprintf(stderr, "load: leg %u: %s\n", leg, what);
    exit(2);
}

size_t little(const uint8_t *at, size_t bytes)
{
    size_t value = 0;
    for (size_t i = bytes; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

/* Entries of `head` bytes, the last `count_bytes` of which are the size of what follows. */
static struct loop read_loop(uint32_t leg, const char *path, size_t head, size_t count_bytes)
{
    struct loop loop = {0};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        wrong(leg, "its sound or picture cannot be opened");
    loop.size = (size_t)ftell(file);
    rewind(file);
    loop.data = malloc(loop.size);
    loop.at = malloc(sizeof *loop.at * (loop.size / head + 1));
    if (!loop.data || !loop.at || fread(loop.data, 1, loop.size, file) != loop.size)
        wrong(leg, "its sound or picture cannot be read");
    fclose(file);
    for (size_t at = 0; at + head <= loop.size;
         at += head + little(loop.data + at + head - count_bytes, count_bytes))
        loop.at[loop.count++] = at;
    if (!loop.count)
        wrong(leg, "its sound or picture is empty");
    return loop;
}

/* <ssrc>:<payload type>:<codec>:<rid>:<file> */
static void read_layer(struct leg *leg, char *value)
{
    char *parts[5];
    for (int i = 0; i < 5; i++) {
        parts[i] = value;
        value = value ? strchr(value, i < 4 ? ':' : '\0') : NULL;
        if (!value || leg->layer_count == LAYERS_MAX)
            wrong(leg->number, "a layer makes no sense");
        *value++ = 0;
    }
    struct layer *layer = &leg->layers[leg->layer_count++];
    layer->ssrc = (uint32_t)strtoul(parts[0], NULL, 10);
    layer->type = (uint8_t)atoi(parts[1]);
    layer->codec = strcmp(parts[2], "vp8") ? MCU_H264 : MCU_VP8;
    snprintf(layer->rid, sizeof layer->rid, "%s", parts[3]);
    layer->pictures = read_loop(leg->number, parts[4], 4, 4);
    layer->kept = calloc(KEPT, sizeof *layer->kept);
    if (!layer->kept)
        wrong(leg->number, "there is no memory for its pictures");
}

static enum mcu_srtp_profile profile_named(uint32_t leg, const char *name)
{
    static const char *const names[MCU_SRTP_PROFILES] = {
        [MCU_SRTP_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
        [MCU_SRTP_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
        [MCU_SRTP_AES256_CM_SHA1_80] = "AES256_CM_SHA1_80",
        [MCU_SRTP_AES128_CM_SHA1_80] = "AES128_CM_SHA1_80",
    };
    for (int i = 0; i < MCU_SRTP_PROFILES; i++)
        if (names[i] && !strcmp(names[i], name))
            return (enum mcu_srtp_profile)i;
    wrong(leg, "its SRTP profile is not known");
    return MCU_SRTP_PROFILES;
}

static void set_keys(struct leg *leg, enum mcu_srtp_profile profile, const char *hex)
{
    const size_t size = mcu_srtp_key_size(profile);
    uint8_t keys[2][64];
    const char *at = hex;
    for (int direction = 0; direction < 2; direction++, at++) /* past the colon */
        for (size_t i = 0; i < size; i++, at += 2)
            if (sscanf(at, "%2hhx", &keys[direction][i]) != 1)
                wrong(leg->number, "its keys are too short");
    leg->sending = mcu_srtp_new(profile, keys[0], true);
    leg->receiving = mcu_srtp_new(profile, keys[1], false);
    if (!leg->sending || !leg->receiving)
        wrong(leg->number, "its keys are refused");
}

static void copy(struct leg *leg, char *to, size_t room, const char *from)
{
    if (strlen(from) >= room)
        wrong(leg->number, "a word is too long");
    strcpy(to, from);
}

/* Words of pictures. */
static bool take_picture_word(struct leg *leg, const char *name, char *value, char *colon)
{
    if (!strcmp(name, "layer"))
        read_layer(leg, value);
    else if (!strcmp(name, "mid") && colon) {
        leg->extensions.mid = (uint8_t)atoi(value);
        copy(leg, leg->mid, sizeof leg->mid, colon + 1);
    } else if (!strcmp(name, "rid"))
        leg->extensions.rid = (uint8_t)atoi(value);
    else if (!strcmp(name, "fps") && atoi(value) > 0)
        leg->picture_every = 1000000 / atoi(value);
    else if (!strcmp(name, "sees"))
        leg->seen.type = (uint8_t)atoi(value);
    else if (!strcmp(name, "again"))
        leg->seen.again = (uint8_t)atoi(value);
    else if (!strcmp(name, "wide"))
        leg->extensions.sequence = (uint8_t)atoi(value);
    else if (!strcmp(name, "miss"))
        leg->miss = (uint32_t)atoi(value);
    else if (!strcmp(name, "rate"))
        leg->rate = strtoull(value, NULL, 10);
    else
        return false;
    return true;
}

static void take_word(struct leg *leg, char *name, char *value, enum mcu_srtp_profile *profile,
                      char *ufrags[2])
{
    char *colon = strchr(value, ':');
    if (take_picture_word(leg, name, value, colon))
        return;
    if (!strcmp(name, "profile"))
        *profile = profile_named(leg->number, value);
    else if (!strcmp(name, "keys"))
        set_keys(leg, *profile, value);
    else if (!strcmp(name, "ssrc"))
        leg->ssrc = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "type"))
        leg->type = (uint8_t)atoi(value);
    else if (!strcmp(name, "step"))
        leg->step = (uint32_t)atoi(value);
    else if (!strcmp(name, "level"))
        leg->extensions.level = (uint8_t)atoi(value);
    else if (!strcmp(name, "sound"))
        leg->sound = read_loop(leg->number, value, 3, 2);
    else if (!strcmp(name, "phase"))
        leg->next = (size_t)atoi(value);
    else if (!strcmp(name, "record"))
        leg->record = (unsigned)atoi(value);
    else if (!strcmp(name, "loss"))
        leg->loss = (uint32_t)atoi(value);
    else if (!strcmp(name, "far"))
        leg->far = atoi(value) * (int64_t)1000;
    else if (!strcmp(name, "lossy"))
        leg->lossy = (uint32_t)atoi(value);
    else if (!strcmp(name, "jitter"))
        leg->jitter = atoi(value) * (int64_t)1000;
    else if (!strcmp(name, "pace"))
        leg->pace = (uint32_t)atoi(value);
    else if (!strcmp(name, "every"))
        leg->every = (uint32_t)atoi(value);
    else if (!strcmp(name, "ours") && colon) {
        *colon = 0;
        ufrags[0] = value;
        copy(leg, leg->password_here, sizeof leg->password_here, colon + 1);
    } else if (!strcmp(name, "theirs") && colon) {
        *colon = 0;
        ufrags[1] = value;
        copy(leg, leg->password_there, sizeof leg->password_there, colon + 1);
    } else
        wrong(leg->number, "a word is not known");
}

static void read_leg(struct leg *leg, char *line)
{
    enum mcu_srtp_profile profile = MCU_SRTP_PROFILES;
    char *ufrags[2] = {NULL, NULL};
    leg->step = 960;
    leg->fd = (int)strtol(line, &line, 10);
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
        char *value = strchr(word, '=');
        if (!value)
            wrong(leg->number, "a word has no value");
        *value++ = 0;
        take_word(leg, word, value, &profile, ufrags);
    }
    if (!leg->sound.count)
        wrong(leg->number, "it has no sound");
    leg->next %= leg->sound.count;
    leg->ice = ufrags[0] && ufrags[1];
    if (leg->ice)
        snprintf(leg->user_there, sizeof leg->user_there, "%s:%s", ufrags[1], ufrags[0]);
}

size_t read_legs(struct leg *legs, size_t room)
{
    static char line[8192];
    size_t count = 0;
    while (count < room && fgets(line, sizeof line, stdin) && line[0] != '\n') {
        legs[count].number = (uint32_t)count;
        legs[count].chance = (uint32_t)count * 2654435761u + 1;
        read_leg(&legs[count], line);
        time_packets(&legs[count]);
        count++;
    }
    return count;
}
