#include "harness/os/perf_event.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace corerig {
namespace {

constexpr std::size_t kRing = 128;

// A ring that holds records of the given sizes from `tail` on, each filled with its number.
struct WrittenRing {
  std::vector<std::byte> bytes = std::vector<std::byte>(kRing);
  std::uint64_t tail = 0, head = 0;

  explicit WrittenRing(std::uint64_t from) : tail(from), head(from) {}
  void Write(std::uint16_t size, std::uint8_t number) {
    std::vector<std::byte> record(size, std::byte(number));
    const perf_event_header header = {.type = number, .misc = 0, .size = size};
    std::memcpy(record.data(), &header, sizeof header);
    for (const std::byte byte : record) bytes[head++ % kRing] = byte;
  }
};

struct Seen {
  std::uint32_t type;
  std::vector<std::byte> body;
};

std::uint64_t ReadAll(const WrittenRing& ring, std::vector<Seen>& seen) {
  std::vector<std::byte> scratch;
  return ForEachPerfRecord(ring.bytes, ring.tail, ring.head, scratch,
                           [&](const perf_event_header& header, std::span<const std::byte> body) {
                             seen.push_back({header.type, {body.begin(), body.end()}});
                           });
}

TEST(PerfRing, RecordsComeWholeAlsoWhereTheyWrapAround) {
  // Every place a record of 32 bytes can begin at, far beyond the first lap.
  for (std::uint64_t from = 1 << 20; from < (1 << 20) + kRing; from += 8) {
    WrittenRing ring(from);
    for (std::uint8_t number = 1; number <= 4; ++number) ring.Write(32, number);
    std::vector<Seen> seen;
    EXPECT_EQ(ReadAll(ring, seen), ring.head);
    ASSERT_EQ(seen.size(), 4u) << from;
    for (std::uint8_t i = 0; i < 4; ++i) {
      EXPECT_EQ(seen[i].type, i + 1u);
      EXPECT_EQ(seen[i].body, std::vector<std::byte>(24, std::byte(i + 1))) << "from " << from;
    }
  }
}

TEST(PerfRing, ARecordThatIsNotWholeStaysForTheNextLook) {
  WrittenRing ring(96);
  ring.Write(24, 1);
  ring.Write(40, 2);
  const std::uint64_t whole = ring.tail + 24;
  ring.head -= 8;
  std::vector<Seen> seen;
  EXPECT_EQ(ReadAll(ring, seen), whole);
  EXPECT_EQ(seen.size(), 1u);
}

TEST(PerfRing, ASizeThatNoRecordHasEndsTheLook) {
  WrittenRing ring(0);
  ring.Write(24, 1);
  ring.bytes[offsetof(perf_event_header, size)] = std::byte(0);
  std::vector<Seen> seen;
  EXPECT_EQ(ReadAll(ring, seen), ring.head) << "and does not go round for ever";
  EXPECT_TRUE(seen.empty());
}

TEST(PerfErrorText, SaysWhatWouldHelp) {
  EXPECT_EQ(PerfErrorText(EACCES, false, "4"),
            "perf_event_open is refused (kernel.perf_event_paranoid is 4); first: sudo sysctl "
            "kernel.perf_event_paranoid=2, or run with CAP_PERFMON");
  EXPECT_NE(PerfErrorText(EPERM, false, "2").find("seccomp"), std::string::npos);
  EXPECT_NE(PerfErrorText(EPERM, false, std::nullopt).find("--cap-add PERFMON"), std::string::npos);
  EXPECT_NE(PerfErrorText(ENOENT, true, "2").find("virtual machine"), std::string::npos);
  EXPECT_NE(PerfErrorText(EOPNOTSUPP, true, "2").find("CONFIG_ARM_PMU"), std::string::npos);
  EXPECT_EQ(PerfErrorText(ENOENT, false, "2"), "perf_event_open: No such file or directory (ENOENT)");
  EXPECT_NE(PerfErrorText(ENOSYS, false, std::nullopt).find("CONFIG_PERF_EVENTS"), std::string::npos);
  EXPECT_NE(PerfErrorText(EMFILE, false, "2").find("ulimit -n"), std::string::npos);
}

TEST(PerfEvent, CountsThePagesThatAreTouchedForTheFirstTime) {
  const auto event = PerfEvent::Open(CountingAttr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN, false), {});
  if (!event) GTEST_SKIP() << event.error().message;
  constexpr std::size_t kPages = 100;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, kPages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(madvise(memory, kPages * page, MADV_NOHUGEPAGE), 0);
  (void)event->Read();  // its own pages
  const auto before = event->Read();
  for (std::size_t i = 0; i < kPages; ++i) static_cast<volatile char*>(memory)[i * page] = 1;
  const auto after = event->Read();
  munmap(memory, kPages * page);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->value - before->value, kPages);
  EXPECT_EQ(after->running, after->enabled) << "a software counter is never put aside";
}

TEST(PerfEvent, OfATaskThatIsNoneSaysSo) {
  const auto event = PerfEvent::Open(CountingAttr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, false),
                                     {.tid = (1 << 22) + 1});  // beyond pid_max's largest
  ASSERT_FALSE(event);
  EXPECT_NE(event.error().message, "");
}

TEST(PerfRing, TakesTheLargestSizeThatTheKernelGrants) {
  perf_event_attr attr = CountingAttr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY, false);
  attr.exclude_kernel = 1;
  const auto event = PerfEvent::Open(attr, {});
  if (!event) GTEST_SKIP() << event.error().message;
  auto ring = PerfRing::Map(event->fd(), 100'000);
  ASSERT_TRUE(ring) << ring.error().message;
  EXPECT_EQ(ring->size(), 65536u) << "the power of two below";
  EXPECT_FALSE(ring->full());
  ring->Read([](const auto&, auto) { ADD_FAILURE() << "a counting event has no records"; });
}

}  // namespace
}  // namespace corerig
