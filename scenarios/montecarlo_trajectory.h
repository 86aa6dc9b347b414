// Workload "montecarlo/trajectory": where a car ends up that is steered blind, by rollouts through a vehicle model.
//
// The camera fails, the wheel is held: at each step the speed and the angle of the wheels are off by noise of their
// own, independent of all others', and the angle by a constant bias. Rollouts of the kinematic bicycle
// (scenarios/simd/rollout.h) tell the distribution of the lateral deviation after the horizon, and how likely the car
// has left its lane by then: what a sampling planner computes for each of its candidates.
//
// Means and the variance are known exactly, without linearising, as steps are independent. With u_k the way and t_k the
// turn of step k, the end is, as a complex number, z = sum of u_k exp(i (t_0 + ... + t_{k-1})), and so with
// f = E exp(i t), g = E u exp(i t), h = E exp(2 i t), by induction over the steps
//
//   E z = E u sum f^k     E |z|^2 = n E u^2 + 2 Re(g E u S)     E z^2 = E u^2 sum h^k + 2 g E u S'
//
// with S = sum over j < k of f^(k-j-1), S' = sum over j < k of h^j f^(k-j-1); the lateral deviation is Im z: its mean
// square is (E |z|^2 - Re E z^2) / 2. (Mean squared displacement of a correlated random walk: Kareiva and Shigesada,
// Oecologia 56, 1983.) f, g, h are integrals over one Gaussian variate: the speed's is done in closed form, the
// steering's by the trapezoidal rule.
#pragma once

#include "harness/child/workload.h"
#include "scenarios/simd/rollout.h"

namespace corerig {

inline constexpr std::size_t kRolloutsPerBlock = 512;

// Of where a vehicle is after some steps, in metres.
struct ExpectedEnd {
  double along_mean = 0;
  double lateral_mean = 0, lateral_variance = 0;
};
ExpectedEnd ExpectEnd(const VehicleModel& model, int steps);

WorkloadType MonteCarloTrajectory();

}  // namespace corerig
