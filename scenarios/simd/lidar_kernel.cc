// Compiled once for each instruction set, into the namespace named so.
#include "scenarios/simd/lanes.h"
#include "scenarios/simd/lidar.h"

#ifndef CORERIG_ISA
#define CORERIG_ISA baseline
#endif

namespace corerig::CORERIG_ISA {

void AddSquaredErrors(const Map& map, const Beam& beam, const Poses& poses, double* squares) {
  // Walls that meet in a corner leave no gap for a ray to slip through.
  constexpr double kSlack = 1e-9;
  for (std::size_t i = 0; i < poses.count; i += kLanes) {
    const Lanes x = Load(poses.x + i), y = Load(poses.y + i);
    const Lanes cosine = Load(poses.cosine + i), sine = Load(poses.sine + i);
    const Lanes ray_x = cosine * beam.cosine - sine * beam.sine, ray_y = sine * beam.cosine + cosine * beam.sine;
    Lanes nearest = All(map.reach);
    for (std::size_t w = 0; w < map.count; ++w) {
      const Wall& wall = map.walls[w];
      // pose + t ray = wall's beginning + u wall. A ray along the wall divides by 0 and meets it nowhere.
      const Lanes to_x = wall.x - x, to_y = wall.y - y;
      const Lanes across = 1 / (ray_x * wall.dy - ray_y * wall.dx);
      const Lanes t = (to_x * wall.dy - to_y * wall.dx) * across;
      const Lanes u = (to_x * ray_y - to_y * ray_x) * across;
      const LaneBits hit =
          (LaneBits)(t > 0) & (LaneBits)(t < nearest) & (LaneBits)(u >= -kSlack) & (LaneBits)(u <= 1 + kSlack);
      nearest = Select(hit, t, nearest);
    }
    const Lanes error = nearest - beam.range;
    Store(Load(squares + i) + error * error, squares + i);
  }
}

}  // namespace corerig::CORERIG_ISA
