"""The codecs in C against FFmpeg's, on speech and tones, both ways; and what becomes of a packet that is lost."""

from collections.abc import Iterable

import av
import native_sound as sound
import numpy as np
import pytest
from native_sound import G722, OPUS, PCMA, PCMU, TICK, Decoder, Encoder, Samples, snr_db, tone

from mcu.demo.voice import speech

VOICE = speech(4.0, 130, 5)[: 190 * TICK]


def context(name: str, mode: str, rate: int) -> av.AudioCodecContext:
    made: av.AudioCodecContext = av.CodecContext.create(name, mode)  # type: ignore[call-overload]
    made.sample_rate, made.layout, made.format = rate, "mono", "s16"
    return made


def ffmpeg_decodes(name: str, packets: Iterable[bytes], rate: int) -> Samples:
    decoder = context(name, "r", rate)
    resampler = av.AudioResampler("s16", "mono", rate)
    made = []
    for packet in packets:
        for frame in decoder.decode(av.Packet(packet)):
            made += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    joined: Samples = np.concatenate(made)
    return joined


def ffmpeg_encodes(name: str, samples: Samples, rate: int) -> list[bytes]:
    encoder = context(name, "w", rate)
    size = rate // 50
    packets = []
    for number, start in enumerate(range(0, len(samples) - size + 1, size)):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + size].copy(), "s16", "mono")
        frame.sample_rate, frame.pts = rate, number * size
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def likeness_db(want: Samples, got: Samples) -> float:
    return snr_db(*sound.aligned(want, got))


def band(samples: Samples, hertz: float) -> Samples:
    """What of it lies below."""
    spectrum = np.fft.rfft(samples)
    spectrum[int(hertz * len(samples) / sound.RATE) :] = 0
    return np.round(np.fft.irfft(spectrum, len(samples))).astype(np.int16)


# Opus keeps no waveform, so its figures are modest; what a swapped byte or a wrong rate does to them is not.
@pytest.mark.parametrize(("said", "least"), [(VOICE, 5), (tone(440, 3), 15), (tone(1_000, 3), 15)])
def test_ffmpeg_hears_the_opus_that_we_encode(said: Samples, least: float) -> None:
    heard = ffmpeg_decodes("libopus", Encoder(OPUS).packets(said), sound.RATE)
    assert likeness_db(said, heard) > least


@pytest.mark.parametrize(("said", "least"), [(VOICE, 5), (tone(440, 3), 15)])
def test_we_hear_the_opus_that_ffmpeg_encodes(said: Samples, least: float) -> None:
    heard = Decoder(OPUS).all(ffmpeg_encodes("libopus", said, sound.RATE))
    assert likeness_db(said, heard) > least


def test_we_and_ffmpeg_decode_the_same_opus_to_the_same_samples() -> None:
    packets = Encoder(OPUS).packets(VOICE)
    theirs, ours = sound.aligned(ffmpeg_decodes("libopus", packets, sound.RATE), Decoder(OPUS).all(packets))
    assert np.abs(theirs.astype(int) - ours).max() <= 2


def test_a_stereo_packet_is_heard_as_mono() -> None:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = sound.RATE, "stereo", "s16"
    packets = []
    said = tone(440, 2)
    for tick in sound.ticks(said):
        frame = av.AudioFrame.from_ndarray(np.repeat(tick, 2)[None, :], "s16", "stereo")
        frame.sample_rate = sound.RATE
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    assert likeness_db(said, Decoder(OPUS).all(packets)) > 15


@pytest.mark.parametrize(("said", "least"), [(VOICE, 18), (tone(440, 3), 18), (tone(2_500, 3), 18)])
def test_ffmpeg_hears_the_g722_that_we_encode(said: Samples, least: float) -> None:
    packets = Encoder(G722).packets(said)
    assert {len(packet) for packet in packets} == {160}
    low = said[::3] if said is not VOICE else band(said, 7_200)[::3]
    assert likeness_db(low, ffmpeg_decodes("g722", packets, 16_000)) > least


@pytest.mark.parametrize(("said", "least"), [(VOICE, 18), (tone(440, 3), 18), (tone(2_500, 3), 18)])
def test_we_hear_the_g722_that_ffmpeg_encodes(said: Samples, least: float) -> None:
    packets = ffmpeg_encodes("g722", band(said, 7_200)[::3].copy(), 16_000)
    heard = Decoder(G722).all([packet for packet in packets if packet])
    assert likeness_db(band(said, 7_200), heard) > least


@pytest.mark.parametrize("codec", [PCMA, PCMU])
@pytest.mark.parametrize(("said", "least"), [(VOICE, 30), (tone(440, 3), 30), (tone(2_500, 3), 30)])
def test_g711_keeps_what_lies_below_3600_hz(codec: int, said: Samples, least: float) -> None:
    heard = Decoder(codec).all(Encoder(codec).packets(said))
    assert likeness_db(band(said, 3_600), band(heard, 3_600)) > least


def lost_every(packets: list[bytes], period: int) -> list[int]:
    """Places of packets that are lost, none of which is the first or the last."""
    return list(range(period, len(packets) - 1, period))


def repaired(codec: int, packets: list[bytes], lost: list[int], *, fec: bool) -> Samples:
    decoder, made = Decoder(codec), []
    for place, packet in enumerate(packets):
        if place not in lost:
            made.append(decoder.decode(packet))
            continue
        recovered = decoder.fec(packets[place + 1]) if fec else np.zeros(0, np.int16)
        made.append(recovered if len(recovered) else decoder.conceal())
    return np.concatenate(made)


def resemblance(want: Samples, got: Samples, lost: list[int]) -> float:
    """Correlation of the lost ticks alone with what they were."""
    a = np.concatenate([want[place * TICK : (place + 1) * TICK] for place in lost]).astype(np.float64)
    b = np.concatenate([got[place * TICK : (place + 1) * TICK] for place in lost]).astype(np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def onsets(samples: Samples) -> list[int]:
    """Ticks that are twice as loud as the one before: syllables begin there, and no concealment can know them."""
    loudness = [float(np.sqrt((tick.astype(np.float64) ** 2).mean())) for tick in sound.ticks(samples)]
    places = range(1, len(loudness) - 1)
    return [place for place in places if loudness[place] > 2 * loudness[place - 1] and loudness[place] > 500]


def test_a_lost_opus_packet_of_speech_is_recovered_from_the_next() -> None:
    packets = Encoder(OPUS, bits=40_000, loss=10).packets(VOICE)
    lost = onsets(VOICE)
    assert len(lost) > 8
    whole = Decoder(OPUS).all(packets)
    recovered = resemblance(whole, repaired(OPUS, packets, lost, fec=True), lost)
    concealed = resemblance(whole, repaired(OPUS, packets, lost, fec=False), lost)
    assert recovered > 0.9
    assert concealed < 0.6


@pytest.mark.parametrize(("complexity", "bits"), [(0, 48_000), (1, 48_000), (2, 40_000), (5, 40_000), (9, 40_000)])
def test_speech_carries_fec_at_the_bitrates_that_the_manual_names(complexity: int, bits: int) -> None:
    packets = Encoder(OPUS, bits=bits, loss=5, complexity=complexity).packets(VOICE)
    decoder = Decoder(OPUS)
    decoder.decode(packets[0])
    after_onsets = [packets[place + 1] for place in onsets(VOICE)]
    assert all(len(decoder.fec(packet)) == TICK for packet in after_onsets)


def test_a_packet_says_whether_it_carries_the_one_before() -> None:
    packets = Encoder(OPUS, loss=0).packets(VOICE)
    decoder = Decoder(OPUS)
    decoder.decode(packets[20])
    assert not len(decoder.fec(packets[22]))
    carried = Encoder(OPUS, bits=40_000, loss=10).packets(VOICE)
    decoder.decode(carried[20])
    assert len(decoder.fec(carried[22])) == TICK


@pytest.mark.parametrize("codec", [G722, PCMA, PCMU])
def test_a_lost_packet_of_a_codec_without_fec_is_concealed_by_its_pitch(codec: int) -> None:
    packets = Encoder(codec).packets(VOICE)
    lost = lost_every(packets, 7)
    whole = Decoder(codec).all(packets)
    assert resemblance(whole, repaired(codec, packets, lost, fec=False), lost) > 0.5


@pytest.mark.parametrize("codec", [G722, PCMA, PCMU])
@pytest.mark.parametrize("hertz", [110, 170, 320])
def test_concealment_of_a_tone_has_no_click_at_either_end(codec: int, hertz: int) -> None:
    said = tone(hertz, 2)
    packets = Encoder(codec).packets(said)
    whole = Decoder(codec).all(packets)
    made = repaired(codec, packets, [40, 60, 61], fec=False)
    settled = slice(20 * TICK, None)
    assert sound.roughest_step(made[settled]) < 3 * sound.roughest_step(whole[settled])


@pytest.mark.parametrize("codec", [G722, PCMA, PCMU])
def test_concealment_of_what_never_repeats_has_no_click_either(codec: int) -> None:
    """Two tones without a common period: the seams are then only as smooth as they are made."""
    said = (tone(200, 2) // 2 + tone(283, 2) // 2).astype(np.int16)
    packets = Encoder(codec).packets(said)
    whole = Decoder(codec).all(packets)
    made = repaired(codec, packets, list(range(12, 95, 5)), fec=False)
    settled = slice(5 * TICK, None)
    assert sound.roughest_step(made[settled]) < 3 * sound.roughest_step(whole[settled])


@pytest.mark.parametrize("codec", [G722, PCMA, PCMU])
def test_what_stays_away_is_silence_after_60_ms(codec: int) -> None:
    decoder = Decoder(codec)
    decoder.all(Encoder(codec).packets(tone(200, 1)))
    made = np.concatenate([decoder.conceal() for _ in range(6)])
    assert np.abs(made[:480]).max() > 5_000
    assert np.abs(made[4 * TICK :]).max() <= 1


@pytest.mark.parametrize("hertz", [200, 440, 1_000])
@pytest.mark.parametrize("before", [np.zeros(len(VOICE), np.int16), VOICE])
def test_a_listener_changes_between_encoders_at_a_fresh_packet_without_a_thump(hertz: int, before: Samples) -> None:
    """As when a talker falls silent: its own encoder's packets, then the shared one's, which heard other things."""
    said = tone(hertz, 1.5)
    own, shared = Encoder(OPUS, bits=40_000), Encoder(OPUS, bits=40_000)
    decoder, made = Decoder(OPUS), []
    for place, (tick, other) in enumerate(zip(sound.ticks(said), sound.ticks(before), strict=False)):
        if place == 40:
            shared.fresh()
        packets = own.encode(tick), shared.encode(other if place < 37 else tick)
        made.append(decoder.decode(packets[place >= 40]))
    after = np.concatenate(made[40:44])
    assert np.abs(after).max() < 1.1 * 8_000  # 1.6 without
    assert sound.roughest_step(after) < sound.roughest_step(said) + 0.03 * 8_000
