// A laser beam from many poses at once: how far it goes in a map of walls, against what was measured.
//
// Vectorised for the CPU it runs on; the same bits on any.
#pragma once

#include <cstddef>

namespace corerig {

// From (x, y) to (x + dx, y + dy), metres.
struct Wall {
  double x = 0, y = 0, dx = 0, dy = 0;
};

struct Map {
  const Wall* walls = nullptr;
  std::size_t count = 0;
  double reach = 0;  // of the laser: what it returns where no wall is nearer
};

// One beam: its direction against the pose's heading, and its range.
struct Beam {
  double cosine = 1, sine = 0;
  double range = 0;
};

// Poses are taken in groups of so many.
inline constexpr std::size_t kPoseGroup = 8;

// Arrays of `count` poses, a multiple of kPoseGroup: places, and cosine and sine of headings.
struct Poses {
  std::size_t count = 0;
  const double *x = nullptr, *y = nullptr, *cosine = nullptr, *sine = nullptr;
};

// Adds the square of (range in the map - range of the beam), m^2, to each pose's `squares`.
using BeamFunction = void(const Map& map, const Beam& beam, const Poses& poses, double* squares);
BeamFunction AddSquaredErrors;

// What AddSquaredErrors chooses among.
namespace baseline {
BeamFunction AddSquaredErrors;
}
#ifdef __x86_64__
namespace avx2 {
BeamFunction AddSquaredErrors;
}
#endif

}  // namespace corerig
