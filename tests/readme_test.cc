// What README.md shows of the skeletons is what they have.
#include <gtest/gtest.h>

#include "tests/support/excerpt.h"

namespace corerig {
namespace {

struct Section {
  std::string_view heading, folder;
};

class Readme : public testing::TestWithParam<Section> {};

TEST_P(Readme, ShowsTheSkeletonAsItIs) {
  const auto excerpts = ExcerptsOf(Contents("README.md"), GetParam().heading, GetParam().folder);
  ASSERT_GE(excerpts.size(), 3u);
  for (const Excerpt& excerpt : Strangers(excerpts)) {
    ADD_FAILURE() << excerpt.file << " has not, without a gap:\n" << excerpt.code;
  }
}

TEST_P(Readme, ALineThatIsNotInTheFileIsFound) {
  std::string readme = Contents("README.md");
  const auto code = readme.find("    int main(", readme.find(GetParam().heading));
  ASSERT_NE(code, std::string::npos);
  readme.insert(code + 4, "x");
  EXPECT_EQ(Strangers(ExcerptsOf(readme, GetParam().heading, GetParam().folder)).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Skeletons, Readme,
                         testing::Values(Section{"## A sensor of your own", "sensors/skeleton/"},
                                         Section{"## A workload of your own", "scenarios/skeleton/"}),
                         [](const auto& section) {
                           return std::string(section.param.folder.substr(0, section.param.folder.find('/')));
                         });

}  // namespace
}  // namespace corerig
