#include "encoder.h"

#include <mcu/payload.h>

#include <stdlib.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

/* How far a key frame may run ahead of the rate: ms, and % of an ordinary picture. Text that
 * is sharp at once is worth the wait. */
#define BUFFER 400
#define BUFFER_CONTENT 1200
#define KEY 300
#define KEY_CONTENT 1000

struct vp8_encoder {
    struct mcu_picture_encoder head;
    vpx_codec_ctx_t codec;
    vpx_codec_enc_cfg_t settings;
    unsigned long duration; /* of a picture, in 90 kHz */
};

static unsigned kilobits(int bits_per_second)
{
    return (unsigned)(bits_per_second + 500) / 1000;
}

static void choose(vpx_codec_enc_cfg_t *settings, int width, int height, int bits_per_second,
                   bool content)
{
    const unsigned buffer = content ? BUFFER_CONTENT : BUFFER;
    settings->g_w = (unsigned)width;
    settings->g_h = (unsigned)height;
    settings->g_threads = 1;
    settings->g_timebase.num = 1;
    settings->g_timebase.den = MCU_PICTURE_CLOCK;
    settings->g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
    settings->g_lag_in_frames = 0;
    settings->rc_end_usage = VPX_CBR;
    settings->rc_target_bitrate = kilobits(bits_per_second);
    settings->rc_min_quantizer = 2;
    settings->rc_max_quantizer = 60;
    settings->rc_undershoot_pct = 95;
    settings->rc_overshoot_pct = 15;
    settings->rc_buf_initial_sz = settings->rc_buf_optimal_sz = buffer;
    settings->rc_buf_sz = buffer * 5 / 4;
    settings->kf_mode = VPX_KF_DISABLED; /* only when asked for */
}

static bool tune(vpx_codec_ctx_t *codec, bool content)
{
    return !vpx_codec_control(codec, VP8E_SET_CPUUSED, -14) &&
           !vpx_codec_control(codec, VP8E_SET_NOISE_SENSITIVITY, 0) &&
           !vpx_codec_control(codec, VP8E_SET_STATIC_THRESHOLD, 100) &&
           !vpx_codec_control(codec, VP8E_SET_SCREEN_CONTENT_MODE, content) &&
           !vpx_codec_control(codec, VP8E_SET_ENABLEAUTOALTREF, 0) &&
           !vpx_codec_control(codec, VP8E_SET_MAX_INTRA_BITRATE_PCT,
                              content ? KEY_CONTENT : KEY);
}

static void free_vp8(struct mcu_picture_encoder *encoder)
{
    vpx_codec_destroy(&((struct vp8_encoder *)encoder)->codec);
    free(encoder);
}

static int retarget_vp8(struct mcu_picture_encoder *object, int bits_per_second)
{
    struct vp8_encoder *encoder = (struct vp8_encoder *)object;
    vpx_codec_enc_cfg_t settings = encoder->settings;
    settings.rc_target_bitrate = kilobits(bits_per_second);
    if (!settings.rc_target_bitrate || vpx_codec_enc_config_set(&encoder->codec, &settings))
        return -1;
    encoder->settings = settings;
    return 0;
}

/* libvpx reads the planes and keeps nothing of them. */
static vpx_image_t image_of(const struct mcu_i420 *picture)
{
    vpx_image_t image = {0};
    image.fmt = VPX_IMG_FMT_I420;
    image.w = image.d_w = (unsigned)picture->width;
    image.h = image.d_h = (unsigned)picture->height;
    image.x_chroma_shift = image.y_chroma_shift = 1;
    image.bps = 12;
    for (int plane = 0; plane < 3; plane++) {
        image.planes[plane] = picture->plane[plane];
        image.stride[plane] = (int)picture->stride[plane];
    }
    return image;
}

static int encode_vp8(struct mcu_picture_encoder *object, const struct mcu_i420 *picture,
                      int64_t timestamp, bool key, struct mcu_encoded_picture *encoded)
{
    struct vp8_encoder *encoder = (struct vp8_encoder *)object;
    const vpx_image_t image = image_of(picture);
    if (vpx_codec_encode(&encoder->codec, &image, timestamp, encoder->duration,
                         key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME))
        return -1;
    vpx_codec_iter_t at = NULL;
    const vpx_codec_cx_pkt_t *packet;
    while ((packet = vpx_codec_get_cx_data(&encoder->codec, &at)))
        if (packet->kind == VPX_CODEC_CX_FRAME_PKT && packet->data.frame.sz) {
            encoded->data = packet->data.frame.buf;
            encoded->size = packet->data.frame.sz;
            encoded->key = packet->data.frame.flags & VPX_FRAME_IS_KEY;
            return 1; /* without lookahead there is one for each picture */
        }
    return 0;
}

static const struct encoder_kind VP8 = {free_vp8, retarget_vp8, encode_vp8};

struct mcu_picture_encoder *mcu_vp8_encoder_new(const struct mcu_picture_settings *settings)
{
    const int width = settings->width, height = settings->height;
    if (width < 1 || height < 1 || width > 16383 || height > 16383 || settings->fps < 1 ||
        kilobits(settings->bits_per_second) < 1)
        return NULL;
    struct vp8_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return NULL;
    encoder->head = (struct mcu_picture_encoder){&VP8, *settings};
    encoder->duration = (unsigned long)(MCU_PICTURE_CLOCK / settings->fps);
    if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &encoder->settings, 0))
        goto refused;
    choose(&encoder->settings, width, height, settings->bits_per_second, settings->content);
    if (vpx_codec_enc_init(&encoder->codec, vpx_codec_vp8_cx(), &encoder->settings, 0))
        goto refused;
    if (tune(&encoder->codec, settings->content))
        return &encoder->head;
    vpx_codec_destroy(&encoder->codec);
refused:
    free(encoder);
    return NULL;
}
