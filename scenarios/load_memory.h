// Workload "load/memory": reads, writes, copies or follows a chain of pointers through memory of a stated size, to put
// a known pressure on caches and memory, and to say what they gave.
//
// A unit of work is a fixed amount of it: 4 MiB read or written (as STREAM counts: bytes read plus bytes written), or
// 32768 hops of the chain. The footprint belongs to each worker, and a walk goes through all of it before it begins
// again. A worker's first units fill the footprint, 4 MiB each, and do nothing else.
//
//   read    sums an array            write   fills one
//   copy    a = b, half each         triad   a = b + 3 c, a third each         chase   one cache line after another
//
// What is read is known: sums are compared with arithmetic, and the line at which a chain arrives with its order. One
// unit in sixteen wipes what it is to write and looks at it afterwards; those are not timed.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

WorkloadType LoadMemory();

}  // namespace corerig
