/* What a peer sends as sound: payloads of any codec, lost ones between them. The first octet
 * says which codec; then each payload's length, 255 of which is a packet that is missing. */
#include <mcu/codec.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void heard(struct mcu_decoder *decoder, enum mcu_audio_codec codec,
                  const uint8_t *payload, size_t size, bool missing)
{
    int16_t out[MCU_PACKET_SAMPLES];
    const int duration = mcu_codec_duration(codec, payload, size);
    if (duration > MCU_PACKET_SAMPLES)
        abort();
    if (missing) {
        const int made = mcu_decode_fec(decoder, payload, size, MCU_TICK, out);
        if (made == 0)
            mcu_conceal(decoder, MCU_TICK, out);
        else if (made != MCU_TICK)
            abort();
    }
    const int made = mcu_decode(decoder, payload, size, out);
    if (made != -1 && made != duration)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const enum mcu_audio_codec codec = (enum mcu_audio_codec)(data[0] % MCU_AUDIO_CODECS);
    struct mcu_decoder *decoder = mcu_decoder_new(codec);
    bool missing = false;
    for (size_t at = 1; at < size;) {
        size_t length = data[at++];
        if (length == 255) {
            missing = true;
            continue;
        }
        length = length < size - at ? length : size - at;
        heard(decoder, codec, data + at, length, missing);
        missing = false;
        at += length;
    }
    mcu_decoder_free(decoder);
    return 0;
}
