// What README.md shows of the skeleton is what the skeleton has.
#include <gtest/gtest.h>

#include "tests/support/excerpt.h"

namespace corerig {
namespace {

constexpr std::string_view kHeading = "## A workload of your own", kFolder = "scenarios/skeleton/";

TEST(Readme, ShowsTheSkeletonAsItIs) {
  const auto excerpts = ExcerptsOf(Contents("README.md"), kHeading, kFolder);
  ASSERT_GE(excerpts.size(), 3u);
  for (const Excerpt& excerpt : Strangers(excerpts)) {
    ADD_FAILURE() << excerpt.file << " has not, without a gap:\n" << excerpt.code;
  }
}

TEST(Readme, ALineThatIsNotInTheFileIsFound) {
  std::string readme = Contents("README.md");
  const auto code = readme.find("    int main(", readme.find(kHeading));
  ASSERT_NE(code, std::string::npos);
  readme.insert(code + 4, "x");
  EXPECT_EQ(Strangers(ExcerptsOf(readme, kHeading, kFolder)).size(), 1u);
}

}  // namespace
}  // namespace corerig
