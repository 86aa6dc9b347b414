// Code that a document shows, and the files that it is said to be of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corerig {

// A piece of code without a gap.
struct Excerpt {
  std::string file, code;
};

// The indented lines of the document's section `heading`. Their file is the one of `folder` that was named last, by a
// link, before them; a line "…" is a gap.
std::vector<Excerpt> ExcerptsOf(const std::string& document, std::string_view heading, std::string_view folder);

// Of a file that the test names as data, by its path in the tree.
std::string Contents(const std::string& path);

// The excerpts whose file does not hold them: nothing if the document shows the files as they are.
std::vector<Excerpt> Strangers(const std::vector<Excerpt>& excerpts);

}  // namespace corerig
