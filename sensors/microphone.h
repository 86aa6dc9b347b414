// A digital microphone, TDK InvenSense ICS-43434, as its I2S bus reaches a program: periods of S32_LE samples.
//
// Sources: data sheet DS-000069 Rev. 1.2, first page and Table 1 (sensitivity -26 dBFS at 94 dB SPL and 1 kHz, 65 dBA
// signal-to-noise ratio, rates to 51.6 kHz, 24 bits, two's complement); ALSA's S32_LE for 24 bits left-justified in 32;
// IEC 61672-1, 5.5 (A-weighting).
//
// The wire is that of `arecord -t raw -f S32_LE -c 1`: samples of 4 bytes, little-endian, the lowest byte zero, and
// nothing else. A frame is a period of `batch` samples (default 10 ms).
//
// What a receiver can check is that lowest byte. Bytes that went missing are seen by it, unless they are a whole number
// of samples; the decoder then finds its place among the four again by the byte that stays zero, within a period or
// two. A flipped bit elsewhere passes. There is no counter: a frame is known by its place in the bytes alone, so after
// a loss within a frame (a full pipe) the borders of all frames are elsewhere, and all that comes is ambiguous. A real
// program has no other means; it would hear a click.
//
// Sound: a tone of 1 kHz around 1 Pa (94 dB SPL), slowly louder and softer, and the part's own noise, white. The value
// is the sound pressure of the period, RMS.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Microphone();

}  // namespace corerig
