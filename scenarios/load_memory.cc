#include "scenarios/load_memory.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/os/clock.h"
#include "scenarios/memory_kernels.h"
#include "scenarios/worker_results.h"

namespace corerig {
namespace {

constexpr std::size_t kUnitBytes = 4 << 20, kUnitWords = kUnitBytes / sizeof(std::uint64_t);
constexpr std::size_t kUnitHops = 1 << 15, kLinesPerFill = kUnitBytes / sizeof(ChainLine);
constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kCheckEvery = 16;

enum class Pattern { kRead, kWrite, kCopy, kTriad, kChase };

struct Shape {
  Pattern pattern = Pattern::kRead;
  std::size_t arrays = 1;        // that the footprint is shared by
  std::size_t words = 0;         // of each array; a chain is one array
  std::uint64_t fill_units = 0;  // until all of it is filled
  std::size_t bytes() const { return arrays * words * sizeof(std::uint64_t); }
};

Result<Shape> ShapeOf(const WorkerJob& job) {
  Shape shape;
  const std::string_view pattern = job.Word("pattern");
  constexpr std::pair<std::string_view, Pattern> kPatterns[] = {{"read", Pattern::kRead},
                                                                {"write", Pattern::kWrite},
                                                                {"copy", Pattern::kCopy},
                                                                {"triad", Pattern::kTriad},
                                                                {"chase", Pattern::kChase}};
  const auto* const known =
      std::find_if(std::begin(kPatterns), std::end(kPatterns), [&](const auto& row) { return row.first == pattern; });
  if (known == std::end(kPatterns)) {
    return Fail("pattern is \"", pattern, "\"; write \"read\", \"write\", \"copy\", \"triad\" or \"chase\"");
  }
  shape.pattern = known->second;
  shape.arrays = shape.pattern == Pattern::kTriad ? 3 : shape.pattern == Pattern::kCopy ? 2 : 1;
  const Bytes footprint = job.Size("footprint");
  if (footprint.count < 3 * kPage || footprint.count > std::numeric_limits<std::size_t>::max() / 4) {
    return Fail("footprint is ", ToText(footprint), "; write one from \"12KiB\" to what the board's memory holds");
  }
  // Whole cache lines.
  shape.words = static_cast<std::size_t>(footprint.count) / shape.arrays / sizeof(ChainLine) * sizeof(ChainLine) /
                sizeof(std::uint64_t);
  shape.fill_units = (shape.bytes() + kUnitBytes - 1) / kUnitBytes;
  WorkerJob first = job;
  first.index = 0;
  if (job.units && first.UnitsOfWorker() < shape.fill_units + 2) {
    return Fail("units gives each worker ", first.UnitsOfWorker(), ", of which ", shape.fill_units,
                " only fill the footprint of ", ToText(footprint), "; write at least ",
                (shape.fill_units + 2) * first.UnitStep());
  }
  return shape;
}

// A worker's result.
struct Seen {
  std::uint64_t units = 0;
  std::uint64_t timed = 0;  // of them
  std::int64_t nanos = 0;   // that the timed ones took
  std::int64_t best = 0;    // the fastest of them; 0: none
  std::uint64_t checked = 0, wrong = 0;
};

// Memory that nobody has touched yet.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : data_(::operator new (bytes, std::align_val_t{kPage}, std::nothrow)) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { ::operator delete (data_, std::align_val_t{kPage}); }
  void* get() const { return data_; }

 private:
  void* data_;
};

class Worker : public Workload {
 public:
  std::size_t WriteResult(std::span<std::byte> out) const override {
    std::memcpy(out.data(), &seen_, sizeof seen_);
    return sizeof seen_;
  }

  void RunUnit(std::uint64_t) override {
    const std::uint64_t unit = seen_.units++;
    if (unit < fill_units_) {
      Fill(unit);
      return;
    }
    const bool wipes = (unit - fill_units_) % kCheckEvery == 0;
    if (wipes) Prepare();
    const Nanos begin = MonotonicNow();
    const bool right = Walk();
    const std::int64_t took = std::max<std::int64_t>((MonotonicNow() - begin).count(), 1);
    if (wipes || ChecksEveryUnit()) {
      ++seen_.checked;
      if (!right || !IsRight()) ++seen_.wrong;
    }
    if (wipes) return;
    ++seen_.timed;
    seen_.nanos += took;
    seen_.best = seen_.best == 0 ? took : std::min(seen_.best, took);
  }

 protected:
  explicit Worker(const Shape& shape) : fill_units_(shape.fill_units) {}

 private:
  virtual void Fill(std::uint64_t part) = 0;
  // Before a unit that is looked at afterwards: makes sure that what it leaves is its own.
  virtual void Prepare() = 0;
  virtual bool Walk() = 0;  // false: what was read on the way is not what was written
  virtual bool IsRight() const = 0;
  virtual bool ChecksEveryUnit() const = 0;

  const std::uint64_t fill_units_;
  Seen seen_;
};

// All patterns but the chain.
class ArrayWorker final : public Worker {
 public:
  ArrayWorker(const Shape& shape, const WorkerJob& job, std::unique_ptr<Memory> memory)
      : Worker(shape),
        pattern_(shape.pattern),
        words_(shape.words),
        share_(kUnitWords / shape.arrays),
        memory_(std::move(memory)) {
    auto* const base = static_cast<std::uint64_t*>(memory_->get());
    for (std::size_t a = 0; a < 3; ++a) {
      array_[a] = base + (a < shape.arrays ? a * words_ : 0);
      first_[a] = job.seed + static_cast<std::uint64_t>(job.index) * 1'000'003 + a;
    }
    all_words_ = shape.arrays * words_;
  }

 private:
  // Pass p of "write" writes this sequence.
  std::uint64_t FirstOfPass(std::uint64_t pass) const { return first_[0] + pass * 0xD1B54A32D192ED03; }

  void Fill(std::uint64_t part) override {
    std::size_t at = static_cast<std::size_t>(part) * kUnitWords;
    const std::size_t end = std::min(at + kUnitWords, all_words_);
    while (at < end) {
      const std::size_t a = at / words_, in = at % words_, count = std::min(end - at, words_ - in);
      FillWithWords(array_[a] + in, count, WordAt(first_[a], in));
      at += count;
    }
  }

  void Prepare() override {
    if (pattern_ == Pattern::kRead) return;
    // What the unit is about to write, or all if it writes more than that.
    const std::size_t count = std::min(share_, words_), here = std::min(count, words_ - at_);
    std::memset(array_[0] + at_, 0, here * sizeof(std::uint64_t));
    std::memset(array_[0], 0, (count - here) * sizeof(std::uint64_t));
  }

  bool Walk() override {
    bool right = true;
    for (std::size_t left = share_; left > 0;) {
      const std::size_t count = std::min(left, words_ - at_);
      std::uint64_t* const out = array_[0] + at_;
      switch (pattern_) {
        case Pattern::kRead:
          right &= Sum(out, count) == SumOfWords(WordAt(first_[0], at_), count);
          break;
        case Pattern::kWrite:
          FillWithWords(out, count, WordAt(FirstOfPass(pass_), at_));
          break;
        case Pattern::kCopy:
          Copy(out, array_[1] + at_, count);
          break;
        case Pattern::kTriad:
        case Pattern::kChase:
          Triad(out, array_[1] + at_, array_[2] + at_, count);
          break;
      }
      left -= count;
      at_ += count;
      if (at_ == words_) {
        at_ = 0;
        ++pass_;
      }
    }
    return right;
  }

  // What the last unit has written: the words before at_, and, in the pass before, those at the array's end.
  bool IsRight() const override {
    if (pattern_ == Pattern::kRead) return true;  // Walk has seen to it
    const std::size_t count = std::min(share_, words_), here = std::min(count, at_), before = count - here;
    return Holds(at_ - here, here, pass_) && (before == 0 || Holds(words_ - before, before, pass_ - 1));
  }

  bool Holds(std::size_t at, std::size_t count, std::uint64_t pass) const {
    const auto expected = [&](std::uint64_t first) { return SumOfWords(WordAt(first, at), count); };
    std::uint64_t sum = 0;
    if (pattern_ == Pattern::kWrite) sum = expected(FirstOfPass(pass));
    if (pattern_ == Pattern::kCopy) sum = expected(first_[1]);
    if (pattern_ == Pattern::kTriad) sum = expected(first_[1]) + 3 * expected(first_[2]);
    return Sum(array_[0] + at, count) == sum;
  }

  bool ChecksEveryUnit() const override { return pattern_ == Pattern::kRead; }

  const Pattern pattern_;
  const std::size_t words_;  // of each array
  const std::size_t share_;  // of each array, in a unit
  const std::unique_ptr<Memory> memory_;
  std::size_t all_words_ = 0;
  std::uint64_t* array_[3] = {};  // the first is written to; read if nothing is
  std::uint64_t first_[3] = {};   // of the sequence that each was filled with
  std::size_t at_ = 0;            // where the walk is
  std::uint64_t pass_ = 0;
};

class ChainWorker final : public Worker {
 public:
  ChainWorker(const Shape& shape, std::unique_ptr<Memory> memory)
      : Worker(shape),
        count_(shape.bytes() / sizeof(ChainLine)),
        order_(count_),
        memory_(std::move(memory)),
        lines_(static_cast<ChainLine*>(memory_->get())),
        at_(lines_) {}

 private:
  void Fill(std::uint64_t part) override {
    const std::uint64_t begin = part * kLinesPerFill, end = std::min<std::uint64_t>(begin + kLinesPerFill, count_);
    for (std::uint64_t i = begin; i < end; ++i) new (lines_ + i) ChainLine{lines_ + order_.Next(i)};
  }

  void Prepare() override { before_ = at_; }

  bool Walk() override {
    at_ = Follow(at_, kUnitHops);
    return true;
  }

  bool IsRight() const override {
    auto line = static_cast<std::uint64_t>(before_ - lines_);
    for (std::size_t i = 0; i < kUnitHops; ++i) line = order_.Next(line);
    return at_ == lines_ + line;
  }

  bool ChecksEveryUnit() const override { return false; }

  const std::uint64_t count_;
  const ChainOrder order_;
  const std::unique_ptr<Memory> memory_;
  ChainLine* const lines_;
  const ChainLine* at_;
  const ChainLine* before_ = nullptr;  // where at_ was when the unit began
};

Result<std::unique_ptr<Workload>> Make(const WorkerJob& job, const Surroundings&) {
  const auto shape = ShapeOf(job);
  if (!shape) return Forward(shape);
  auto memory = std::make_unique<Memory>(shape->bytes());
  if (memory->get() == nullptr) {
    return Fail("footprint is ", ToText(job.Size("footprint")),
                ", and there is not so much memory; write a smaller one");
  }
  if (shape->pattern == Pattern::kChase) return std::make_unique<ChainWorker>(*shape, std::move(memory));
  return std::make_unique<ArrayWorker>(*shape, job, std::move(memory));
}

// Whether what a worker says can be true.
bool IsPossible(const Seen& seen, const WorkerJob& its) {
  constexpr std::uint64_t kMostUnits = std::uint64_t{1} << 45;
  if (seen.units > (its.units ? its.UnitsOfWorker() : kMostUnits)) return false;
  if (seen.timed > seen.units || seen.checked > seen.units || seen.wrong > seen.checked) return false;
  if (seen.timed == 0) return seen.nanos == 0 && seen.best == 0;
  return seen.best > 0 && seen.nanos > 0 && seen.best <= seen.nanos / static_cast<std::int64_t>(seen.timed);
}

Result<Answer> Merge(const WorkerJob& job, std::span<const WorkerResult> results) {
  const auto shape = ShapeOf(job);
  if (!shape) return Forward(shape);
  if (auto checked = CheckResults(job, results, sizeof(Seen)); !checked) return Forward(checked);
  std::uint64_t units = 0, timed = 0, checked = 0, wrong = 0;
  double nanos = 0, best = std::numeric_limits<double>::infinity(), rates = 0;
  std::string first_wrong;
  for (const WorkerResult& result : results) {
    Seen seen;
    std::memcpy(&seen, result.bytes.data(), sizeof seen);
    WorkerJob its = job;
    its.index = result.index;
    if (!IsPossible(seen, its)) {
      return Fail(NameOf(job, result), ": its counts contradict each other: ", seen.units, " units, ", seen.timed,
                  " timed, ", seen.checked, " checked, ", seen.wrong, " wrong, ", seen.nanos, " ns");
    }
    units += seen.units;
    checked += seen.checked;
    wrong += seen.wrong;
    if (seen.wrong > 0 && first_wrong.empty()) first_wrong = NameOf(job, result);
    if (seen.timed == 0) continue;
    timed += seen.timed;
    nanos += static_cast<double>(seen.nanos);
    best = std::min(best, static_cast<double>(seen.best));
    rates += static_cast<double>(seen.timed) / (static_cast<double>(seen.nanos) * 1e-9);
  }
  if (timed == 0) {
    return Fail("worker ", job.group, ": it was stopped before the footprint of ", ToText(job.Size("footprint")),
                " was filled; run longer, or write a smaller one");
  }
  Answer answer{.units = units, .figures = {}, .check = {}};
  if (shape->pattern == Pattern::kChase) {
    const double hops = static_cast<double>(timed) * kUnitHops;
    answer.figures = {
        {"accesses", hops, ""}, {"ns_per_access", nanos / hops, "ns"}, {"ns_per_access_best", best / kUnitHops, "ns"}};
  } else {
    // Elements that fit into a unit: a third of it is no whole number.
    const std::size_t words = kUnitWords / shape->arrays * shape->arrays;
    const auto bytes = static_cast<double>(words * sizeof(std::uint64_t));
    answer.figures = {{"bytes", static_cast<double>(timed) * bytes, "B"},
                      {"bytes_per_s", rates * bytes, "B/s"},
                      {"bytes_per_s_best", bytes / (best * 1e-9), "B/s"}};
  }
  answer.figures.push_back({"checked", static_cast<double>(checked), "units"});
  answer.check = {.passed = wrong == 0,
                  .text = wrong == 0 ? StrCat(checked, " units were checked, and all read what was written")
                                     : StrCat(wrong, " of ", checked, " checked units read something else than was ",
                                              "written, the first by ", first_wrong,
                                              ": this memory does not hold what it is given")};
  return answer;
}

}  // namespace

WorkloadType LoadMemory() {
  using Kind = ParameterInfo::Kind;
  return {.info = {.name = "load/memory",
                   .about = "reads, writes, copies or chases pointers through memory of a stated footprint",
                   .unit = "4 MiB of traffic, or 32768 hops",
                   .parameters = {{"footprint", Kind::kSize, "8MiB", "of each worker"},
                                  {"pattern", Kind::kWord, "read", "\"read\" \"write\" \"copy\" \"triad\" \"chase\""}}},
          .make = Make,
          .result_size = [](const WorkerJob&) { return sizeof(Seen); },
          .merge = Merge};
}

}  // namespace corerig
