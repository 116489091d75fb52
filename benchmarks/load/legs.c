#include "load.h"

#include <stdlib.h>
#include <string.h>

static void wrong(uint32_t leg, const char *what)
{
    fprintf(stderr, "load: leg %u: %s\n", leg, what);
    exit(2);
}

static struct sound read_sound(uint32_t leg, const char *path)
{
    struct sound sound = {0};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        wrong(leg, "its sound cannot be opened");
    sound.size = (size_t)ftell(file);
    rewind(file);
    sound.data = malloc(sound.size);
    sound.at = malloc(sizeof *sound.at * (sound.size / 3 + 1));
    if (!sound.data || !sound.at || fread(sound.data, 1, sound.size, file) != sound.size)
        wrong(leg, "its sound cannot be read");
    fclose(file);
    for (size_t at = 0; at + 3 <= sound.size;
         at += 3 + ((size_t)sound.data[at + 1] | (size_t)sound.data[at + 2] << 8))
        sound.at[sound.count++] = at;
    if (!sound.count)
        wrong(leg, "its sound is empty");
    return sound;
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

static void take_word(struct leg *leg, char *name, char *value, enum mcu_srtp_profile *profile,
                      char *ufrags[2])
{
    char *colon = strchr(value, ':');
    if (!strcmp(name, "profile"))
        *profile = profile_named(leg->number, value);
    else if (!strcmp(name, "keys"))
        set_keys(leg, *profile, value);
    else if (!strcmp(name, "ssrc"))
        leg->ssrc = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "type"))
        leg->type = (uint8_t)atoi(value);
    else if (!strcmp(name, "level"))
        leg->extensions.level = (uint8_t)atoi(value);
    else if (!strcmp(name, "sound"))
        leg->sound = read_sound(leg->number, value);
    else if (!strcmp(name, "phase"))
        leg->next = (size_t)atoi(value);
    else if (!strcmp(name, "record"))
        leg->record = atoi(value);
    else if (!strcmp(name, "loss"))
        leg->loss = (uint32_t)atoi(value);
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
        count++;
    }
    return count;
}
