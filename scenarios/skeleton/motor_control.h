// A speed controller tried on many motors. It is the skeleton of a workload: small, complete, built and tested, to be
// copied; README.md, "A workload of your own", says in which order. corerig itself does not have it.
//
// (A header says what one unit of work computes, and where the formula is from.)
// A motor is a lag of first order whose time constant T' is that of its data sheet, T, but for some per cent: drawn by
// the number of the motor, so that it does not matter which worker tries it. A proportional-integral controller whose
// integral time is T cancels that lag (pole-zero cancellation; Åström and Hägglund, "PID Controllers", ISA 1995): for
// T' = T the speed goes to its set point as 1 - exp(-t gain / T). One unit of work is 32 motors, one second each at
// 10 kHz.
//
// (Then what makes an answer right.)
// Each motor has come to its set point by the end, to one in a thousand, or the run fails.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

WorkloadType MotorControl();

}  // namespace corerig
