// PNI RM3100: geomagnetic sensor (three coils and the MagI2C chip), read as an image of its registers.
//
// Source: RM3100 & RM2100 Sensor Suite User Manual (PNI document 1017252), tables 3-1 (performance), 5-1 (registers)
// and 5-8 (results), section 5.4.1 (status), 5.6.3 (revision).
//
// The wire, 11 bytes, in the order in which a driver reads the registers:
//
//   0       0x34 STATUS: bit 7 DRDY; the others are indeterminate
//   1..9    0x24..0x2C MX MY MZ: three times 24 bits, two's complement, big-endian; 75 LSB/uT at 200 cycle counts
//   10      0x36 REVID: 0x22
//
// What a receiver can check is the length, DRDY, REVID and that no axis is beyond the part's range of +-800 uT. There
// is no CRC, no counter and no stamp: a flipped bit passes unless it leaves the range or hits those nine bits, and the
// next image is told from this one by its measurement alone. So the wire's key is a hash of the nine measured bytes:
// the body turns fast enough that neighbours differ. A flipped bit that passes has a key that nothing was sent with,
// and shows as `ambiguous`: the receiver took it for good, the truth knows no such image.
//
// The model: the earth's field at 47.6 N, 9.45 E (horizontal 21.5 uT, 4 degrees east of north, 43.4 uT down: about what
// the World Magnetic Model has there) in a body that turns about the vertical once in 8 s and nods by 10 degrees; white
// noise of 15 nT per reading (table 3-1, at 200 cycle counts), whatever the rate.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Rm3100();

}  // namespace corerig
