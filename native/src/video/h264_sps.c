#include "h264.h"

#include <string.h>

enum { SPS_MAX = 512 }; /* bytes read of one: with every scaling list there is, less */

/* Bits from the most significant down. `bad`: there were fewer than the syntax asks for, or a
 * number was larger than any syntax allows; every bit after that is 0. */
struct bits {
    uint8_t data[SPS_MAX];
    size_t at, size; /* in bits */
    bool bad;
};

static uint64_t take(struct bits *bits, unsigned count)
{
    uint64_t value = 0;
    if (bits->bad || count > bits->size - bits->at) {
        bits->bad = true;
        return 0;
    }
    for (; count; count--, bits->at++)
        value = value << 1 | (bits->data[bits->at / 8] >> (7 - bits->at % 8) & 1);
    return value;
}

/* ue(v), ITU-T H.264 section 9.1 */
static uint64_t take_unsigned(struct bits *bits)
{
    unsigned zeros = 0;
    while (!take(bits, 1)) {
        if (bits->bad || ++zeros > 31) {
            bits->bad = true;
            return 0;
        }
    }
    return (UINT64_C(1) << zeros) - 1 + take(bits, zeros);
}

/* se(v) */
static int64_t take_signed(struct bits *bits)
{
    const int64_t number = (int64_t)take_unsigned(bits);
    return number & 1 ? (number + 1) / 2 : -(number / 2);
}

/* The unit's bytes after its header, without emulation prevention (section 7.4.1), or, `raw`,
 * with it. */
static void load(struct bits *bits, const uint8_t *unit, size_t size, bool raw)
{
    size_t used = 0, zeros = 0;
    for (size_t at = 1; at < size; at++) {
        if (!raw && zeros >= 2 && unit[at] == 3) {
            zeros = 0;
            continue;
        }
        zeros = unit[at] ? 0 : zeros + 1;
        bits->data[used++] = unit[at];
    }
    bits->size = 8 * used;
}

/* The profiles whose parameter sets have chroma_format_idc. */
static bool is_high(uint64_t profile)
{
    static const uint8_t high[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138};
    return memchr(high, (int)profile, sizeof high) != NULL;
}

/* Profiles of which the standard and FFmpeg do not say the same: nobody sends them, and who
 * did could claim one size to us and another one to the decoder. */
static bool is_disputed(uint64_t profile)
{
    return profile == 134 || profile == 135 || profile == 139 || profile == 144;
}

static void skip_scaling_list(struct bits *bits, unsigned size)
{
    uint8_t last = 8, following = 8;
    for (unsigned i = 0; i < size && !bits->bad; i++) {
        if (following)
            following = (uint8_t)(last + take_signed(bits));
        last = following ? following : last;
    }
}

/* chroma_format_idc; 1 is 4:2:0. */
static uint64_t read_chroma(struct bits *bits)
{
    const uint64_t chroma = take_unsigned(bits);
    if (chroma == 3)
        take(bits, 1);   /* separate_colour_plane_flag */
    take_unsigned(bits); /* bit_depth_luma_minus8 */
    take_unsigned(bits); /* bit_depth_chroma_minus8 */
    take(bits, 1);       /* qpprime_y_zero_transform_bypass_flag */
    if (take(bits, 1))   /* seq_scaling_matrix_present_flag */
        for (unsigned number = 0; number < (chroma == 3 ? 12 : 8); number++)
            if (take(bits, 1))
                skip_scaling_list(bits, number < 6 ? 16 : 64);
    return chroma;
}

static void skip_order_count(struct bits *bits)
{
    const uint64_t kind = take_unsigned(bits);
    if (kind == 0)
        take_unsigned(bits); /* log2_max_pic_order_cnt_lsb_minus4 */
    if (kind != 1)
        return;
    take(bits, 1); /* delta_pic_order_always_zero_flag */
    take_signed(bits);
    take_signed(bits);
    const uint64_t count = take_unsigned(bits); /* num_ref_frames_in_pic_order_cnt_cycle */
    bits->bad |= count > 255;
    for (uint64_t i = 0; i < count && !bits->bad; i++)
        take_signed(bits);
}

static uint64_t less(uint64_t whole, uint64_t cropped)
{
    return whole > cropped ? whole - cropped : 0;
}

/* Section 7.4.2.1.1: the offsets are in units of chroma samples, and of both fields. */
static void crop(struct bits *bits, uint64_t chroma, uint64_t fields, struct mcu_size *claimed)
{
    const uint64_t across = chroma == 1 || chroma == 2 ? 2 : 1;
    const uint64_t down = (chroma == 1 ? 2 : 1) * fields;
    const uint64_t left = take_unsigned(bits), right = take_unsigned(bits);
    const uint64_t top = take_unsigned(bits), bottom = take_unsigned(bits);
    claimed->width = (uint32_t)less(claimed->coded_width, across * (left + right));
    claimed->height = (uint32_t)less(claimed->coded_height, down * (top + bottom));
}

static uint64_t area(const struct mcu_size *size)
{
    return (uint64_t)size->coded_width * size->coded_height;
}

enum { UNREADABLE = -1, TOO_LARGE = -2 };

static int read_as(const uint8_t *unit, size_t size, bool raw, struct mcu_size *claimed)
{
    struct bits bits = {.at = 0};
    load(&bits, unit, size, raw);
    const uint64_t profile = take(&bits, 8);
    bits.bad |= is_disputed(profile);
    take(&bits, 16);      /* constraint flags, level */
    take_unsigned(&bits); /* seq_parameter_set_id */
    const uint64_t chroma = is_high(profile) ? read_chroma(&bits) : 1;
    take_unsigned(&bits); /* log2_max_frame_num_minus4 */
    skip_order_count(&bits);
    take_unsigned(&bits); /* max_num_ref_frames */
    take(&bits, 1);       /* gaps_in_frame_num_value_allowed_flag */
    const uint64_t width = 16 * (take_unsigned(&bits) + 1);
    const uint64_t map_height = 16 * (take_unsigned(&bits) + 1);
    const unsigned fields = 2 - (unsigned)take(&bits, 1); /* frame_mbs_only_flag */
    const uint64_t height = map_height * fields;
    if (bits.bad)
        return UNREADABLE;
    if (width > UINT16_MAX || height > UINT16_MAX)
        return TOO_LARGE;
    *claimed = (struct mcu_size){(uint32_t)width, (uint32_t)height, (uint32_t)width,
                                 (uint32_t)height};
    take(&bits,
         fields);       /* mb_adaptive_frame_field_flag of fields, direct_8x8_inference_flag */
    if (take(&bits, 1)) /* frame_cropping_flag */
        crop(&bits, chroma, fields, claimed);
    return bits.bad || !claimed->width || !claimed->height ? UNREADABLE : 0;
}

/* FFmpeg reads a set that it refuses once more with its emulation prevention left in, and then
 * believes that: the larger size counts. */
static int read_sps(const uint8_t *unit, size_t size, struct mcu_size *claimed)
{
    struct mcu_size raw;
    if (read_as(unit, size, false, claimed) < 0)
        return -1;
    const int again = read_as(unit, size, true, &raw);
    if (again == 0 && area(&raw) > area(claimed))
        *claimed = raw;
    return again == TOO_LARGE ? -1 : 0;
}

/* Every parameter set is read, wherever a decoder would find one. */
int mcu_h264_size(const uint8_t *picture, size_t size, struct mcu_size *claimed)
{
    const uint8_t *end = picture + size, *at = mcu_nal_start_code(picture, end);
    int found = 0;
    for (; end - at > 3; at = mcu_nal_start_code(at + 3, end)) {
        const uint8_t *unit = at + 3;
        if ((unit[0] & 0x1F) != MCU_H264_SPS)
            continue;
        const uint8_t *most = end - unit > SPS_MAX ? unit + SPS_MAX : end;
        struct mcu_size one;
        if (read_sps(unit, (size_t)(mcu_nal_start_code(unit, most) - unit), &one) < 0)
            return -1;
        if (!found || area(&one) > area(claimed))
            *claimed = one;
        found = 1;
    }
    return found;
}
