// What is learned from, before it is split and standardised: rows of numbers with what is to be said of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace corerig {

// What a model is to do with a row: name its class, reproduce it (a row that it reproduces badly is an anomaly), or say
// a value.
enum class Goal { kClassify, kReconstruct, kPredict };

struct Examples {
  std::string name;         // for messages: "data.csv"
  std::size_t columns = 0;  // of each row
  bool one_unit = false;    // all columns are of one quantity: to reproduce them, how they compare is kept
  std::vector<float> values = {};
  std::vector<std::int32_t> labels = {};  // class of each row; of kReconstruct 0: healthy, 1: faulty; of kPredict empty
  std::vector<float> targets = {};        // the value of each row; of kPredict alone
  std::vector<std::string> classes = {};  // their names

  std::size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
};

}  // namespace corerig
