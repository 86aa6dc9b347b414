// A camera of 640 x 480 pixels: grey with 8 bits (format gray8), or the raw mosaic of a colour sensor, 12 bits in 16
// (raw16), one exposed frame after the other as a capture driver hands them over.
//
// Sources: onsemi AR0130CS/D Rev. 15, Table 1 (1/3 inch, 12 bits, VGA at 45 fps of the full field of view and 60 of a
// part, SNR max 44 dB, dynamic range 82 dB); EMVA 1288 Release 3.1, section 2 (electrons, shot and read noise; the
// signal-to-noise ratio at saturation is the root of the full well, the dynamic range its ratio to the read noise); the
// kernel's userspace-api/media/v4l, pixfmt-yuv-luma (GREY) and pixfmt-srggb12 (RG12: rows RGRG and GBGB, 16-bit words,
// little-endian, the four high bits zero).
//
// A capture driver hands out bare payload and tells the rest beside it (struct v4l2_buffer). Here a header says it,
// made for this rig, 64 bytes, little-endian:
//
//   0   magic 89 43 41 4D      4  version 1 (2 bytes)      6  bytes of this header (2)
//   8   pixel format: the four characters GREY or RG12     12 width (2)      14 height (2)
//   16  sequence (4, wraps)    20 bytes of payload (4)
//   24  the sensor's clock at the end of exposure, ns (8)  32 exposure, us (4)     36 zero (12)
//   48  checksum of the payload (8)                        56 zero (4)       60 CRC-32C of bytes 0 to 59
//
// The payload's checksum costs a receiver less than reading the payload: words of 32 bits, little-endian, go in turn to
// 16 lanes, each with the sum a of its words and the sum b of its a's after every word, modulo 2^32. From h = 0, for
// lane 0 to 15 first a, then b: h = (h ^ x) * 0x9E3779B97F4A7C15, h ^= h >> 32. (Fletcher's sums; RFC 1146, appendix
// A.)
//
// The check: the whole header and the checksum. A flipped bit, and any damage within one lane's word, is seen for sure;
// anything else passes once in 2^64, and a payload that takes no part of it in once in 2^32 (the header's CRC).
//
// Scene: a bright disc that goes round before a gradient; the value is where its centre is, in pixels from the left
// border of the image, which the decoder reads off every fourth row.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Camera();

}  // namespace corerig
