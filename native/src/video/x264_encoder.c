#include "encoder.h"

#include <mcu/change.h>
#include <mcu/payload.h>
#include <mcu/rate.h>

#include <stdlib.h>
#include <x264.h>

#define NEVER (1 << 30)     /* pictures between key frames: only when asked for */
#define CONTENT_VBV_MS 1500 /* text that is sharp at once is worth the wait */
#define SIDE_MAX 16384
#define UNFILTERED (-6) /* offset, with which x264 leaves the filter out up to MCU_QP_FINE */

struct h264_encoder {
    struct mcu_picture_encoder head;
    x264_t *x264;
    x264_param_t param;
    bool begun;
    struct mcu_rate rate; /* of people, and so is `change` */
    struct mcu_change change;
};

static void aim(x264_param_t *param, int bits_per_second)
{
    const int kilobits = bits_per_second / 1000;
    param->rc.i_bitrate = param->rc.i_vbv_max_bitrate = kilobits;
}

static int choose(x264_param_t *param, const struct mcu_picture_settings *settings)
{
    const char *tune = settings->content ? "stillimage,zerolatency" : "zerolatency";
    if (x264_param_default_preset(param, "superfast", tune))
        return -1;
    param->i_log_level = X264_LOG_NONE;
    param->cpu &= ~(uint32_t)X264_CPU_AVX512;
    param->i_threads = 1;
    param->b_sliced_threads = 0;
    param->i_csp = X264_CSP_I420;
    param->i_width = settings->width;
    param->i_height = settings->height;
    param->i_timebase_num = 1;
    param->i_timebase_den = MCU_PICTURE_CLOCK;
    param->i_fps_num = (uint32_t)settings->fps;
    param->i_fps_den = 1;
    param->i_keyint_max = NEVER;
    param->i_scenecut_threshold = 0;
    param->i_slice_max_size = settings->slice_max;
    if (settings->content) {
        param->analyse.inter = X264_ANALYSE_I4x4;
        param->rc.i_rc_method = X264_RC_ABR;
        param->rc.i_vbv_buffer_size =
            (int)((int64_t)settings->bits_per_second * CONTENT_VBV_MS / 1000000);
        aim(param, settings->bits_per_second);
    } else {
        param->analyse.inter = 0;
        param->analyse.b_dct_decimate = 0;
        param->rc.i_rc_method = X264_RC_CQP;
        /* Each picture has its own quantiser. x264 bounds it by those of I and B pictures,
         * which are these factors away, 20 steps each. */
        param->rc.i_qp_constant = (MCU_QP_LEAST + MCU_QP_MOST) / 2;
        param->rc.f_ip_factor = param->rc.f_pb_factor = 10;
    }
    return x264_param_apply_profile(param, "baseline");
}

static void free_h264(struct mcu_picture_encoder *object)
{
    struct h264_encoder *encoder = (struct h264_encoder *)object;
    if (encoder->x264)
        x264_encoder_close(encoder->x264);
    mcu_change_end(&encoder->change);
    free(encoder);
}

static int retarget_h264(struct mcu_picture_encoder *object, int bits_per_second)
{
    struct h264_encoder *encoder = (struct h264_encoder *)object;
    if (bits_per_second < 1000)
        return -1;
    if (!object->settings.content) {
        mcu_rate_retarget(&encoder->rate, bits_per_second);
        return 0;
    }
    x264_param_t param = encoder->param;
    aim(&param, bits_per_second);
    if (x264_encoder_reconfig(encoder->x264, &param))
        return -1;
    encoder->param = param;
    return 0;
}

/* x264 copies the planes. */
static void show(x264_picture_t *in, const struct mcu_i420 *picture)
{
    x264_picture_init(in);
    in->img.i_csp = X264_CSP_I420;
    in->img.i_plane = 3;
    for (int plane = 0; plane < 3; plane++) {
        in->img.plane[plane] = picture->plane[plane];
        in->img.i_stride[plane] = (int)picture->stride[plane];
    }
}

/* Bytes, 0 where there is no picture, or -1. */
static int encode_one(struct h264_encoder *encoder, x264_picture_t *in,
                      struct mcu_encoded_picture *encoded)
{
    x264_nal_t *units;
    x264_picture_t out;
    int count;
    const int size = x264_encoder_encode(encoder->x264, &units, &count, in, &out);
    if (size > 0) /* the units follow one another in memory */
        *encoded =
            (struct mcu_encoded_picture){units->p_payload, (size_t)size, out.b_keyframe != 0};
    return size;
}

/* Edges of blocks that are quantised so finely are not seen: the filter that smooths them is
 * left out, here and in each decoder (docs/adr/0041). 0, or -1. */
static int filter_edges(struct h264_encoder *encoder, int qp)
{
    x264_param_t *param = &encoder->param;
    const int offset = qp <= MCU_QP_FINE ? UNFILTERED : 0;
    if (offset == param->i_deblocking_filter_alphac0)
        return 0;
    param->i_deblocking_filter_alphac0 = param->i_deblocking_filter_beta = offset;
    return x264_encoder_reconfig(encoder->x264, param);
}

/* A picture of people at a quantiser: bytes, 0 where there is no picture, or -1. */
static int encode_at(struct h264_encoder *encoder, x264_picture_t *in, int qp,
                     struct mcu_encoded_picture *encoded)
{
    in->i_qpplus1 = 1 + qp;
    return filter_edges(encoder, qp) ? -1 : encode_one(encoder, in, encoded);
}

/* A key frame that comes out larger than there is room for is made again, once: how much there
 * is in a picture is known then, and a decoder that sees the second needs nothing of the
 * first.
 */
static int encode_people(struct h264_encoder *encoder, x264_picture_t *in, bool key,
                         const struct mcu_i420 *picture, struct mcu_encoded_picture *encoded)
{
    struct mcu_rate *rate = &encoder->rate;
    const struct mcu_newness newness = mcu_change_next(&encoder->change, picture);
    int qp = mcu_rate_choose(rate, in->i_pts, key, newness);
    int size = encode_at(encoder, in, qp, encoded);
    if (size > 0 && key && mcu_rate_is_too_much(rate, (size_t)size)) {
        mcu_rate_refuse(rate, newness, (size_t)size);
        in->i_pts++;
        qp = mcu_rate_choose(rate, in->i_pts, key, newness);
        size = encode_at(encoder, in, qp, encoded);
    }
    if (size > 0)
        mcu_rate_took(rate, key, newness, (size_t)size);
    return size;
}

static int encode_h264(struct mcu_picture_encoder *object, const struct mcu_i420 *picture,
                       int64_t timestamp, bool key, struct mcu_encoded_picture *encoded)
{
    struct h264_encoder *encoder = (struct h264_encoder *)object;
    x264_picture_t in;
    show(&in, picture);
    in.i_pts = timestamp;
    key = key || !encoder->begun;
    encoder->begun = true;
    in.i_type = key ? X264_TYPE_IDR : X264_TYPE_P;
    const int size = object->settings.content
                         ? encode_one(encoder, &in, encoded)
                         : encode_people(encoder, &in, key, picture, encoded);
    return size < 0 ? -1 : size > 0;
}

static const struct encoder_kind H264 = {free_h264, retarget_h264, encode_h264};

struct mcu_picture_encoder *mcu_h264_encoder_new(const struct mcu_picture_settings *settings)
{
    const int width = settings->width, height = settings->height;
    if (width < 2 || height < 2 || width > SIDE_MAX || height > SIDE_MAX ||
        settings->fps < 1 || settings->bits_per_second < 1000 || settings->slice_max < 0)
        return NULL;
    struct h264_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return NULL;
    encoder->head = (struct mcu_picture_encoder){&H264, *settings};
    mcu_rate_begin(&encoder->rate, settings->bits_per_second, settings->fps, width * height);
    if (!choose(&encoder->param, settings) &&
        !mcu_change_begin(&encoder->change, width, height) &&
        (encoder->x264 = x264_encoder_open(&encoder->param)))
        return &encoder->head;
    free_h264(&encoder->head);
    return NULL;
}
