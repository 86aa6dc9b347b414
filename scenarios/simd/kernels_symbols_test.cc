#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace corerig {
namespace {

// Lines of `nm --portability`: "name type value size", after one that ends in a colon for each object.
TEST(Kernels256, DefineNothingForOthersButTheirTable) {
  std::ifstream file("scenarios/simd/kernels_256_symbols.txt");
  if (!file) GTEST_SKIP() << "no vectors of 256 bits on this architecture";
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() != ':') names.push_back(line.substr(0, line.find(' ')));
  }
  EXPECT_EQ(names, std::vector<std::string>{"_ZN7corerig11kKernels256E"});
}

}  // namespace
}  // namespace corerig
