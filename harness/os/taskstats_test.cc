#include "harness/os/taskstats.h"

#include <gtest/gtest.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <fstream>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::size_t kPages = 2048;

template <typename T>
std::string BytesOf(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string Attribute(std::uint16_t type, const std::string& content) {
  nlattr part = {.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + content.size()), .nla_type = type};
  std::string out = BytesOf(part) + content;
  out.resize((out.size() + 3) / 4 * 4);
  return out;
}

// A reply as the kernel writes it: pid, padding, figures.
std::string Reply(std::uint16_t version, std::uint64_t wpcopy_count, std::size_t figures_size = sizeof(taskstats)) {
  taskstats figures = {};
  figures.version = version;
  figures.wpcopy_count = wpcopy_count;
  const std::string group = Attribute(TASKSTATS_TYPE_TGID, BytesOf(std::uint32_t{42})) +
                            Attribute(TASKSTATS_TYPE_NULL, "") +
                            Attribute(TASKSTATS_TYPE_STATS, BytesOf(figures).substr(0, figures_size));
  const std::string body = BytesOf(genlmsghdr{}) + Attribute(TASKSTATS_TYPE_AGGR_TGID, group);
  nlmsghdr header = {};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.nlmsg_type = 30;
  return BytesOf(header) + body;
}

TEST(ParseCopyOnWriteFaults, ReadsTheCountOfVersionsThatHaveIt) {
  EXPECT_EQ(ParseCopyOnWriteFaults(Reply(13, 77)), 77u);
  EXPECT_EQ(ParseCopyOnWriteFaults(Reply(16, 78)), 78u);
  EXPECT_FALSE(ParseCopyOnWriteFaults(Reply(12, 77)));
  EXPECT_FALSE(ParseCopyOnWriteFaults(Reply(15, 77))) << "its fields lie elsewhere";
  EXPECT_FALSE(ParseCopyOnWriteFaults(Reply(13, 77, offsetof(taskstats, wpcopy_count) + 4)));
}

TEST(ParseCopyOnWriteFaults, AnErrorOfTheKernelIsTold) {
  nlmsghdr header = {};
  header.nlmsg_type = NLMSG_ERROR;
  header.nlmsg_len = sizeof header + sizeof(int);
  const auto parsed = ParseCopyOnWriteFaults(BytesOf(header) + BytesOf(-1));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message, "taskstats: Operation not permitted (EPERM)");
}

TEST(ParseCopyOnWriteFaults, NothingIsReadFromAReplyThatIsCutOff) {
  const std::string whole = Reply(13, 77);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseCopyOnWriteFaults(whole.substr(0, size))) << size;
    // Cut off, and owning up to it.
    std::string honest = whole.substr(0, size);
    const auto length = static_cast<std::uint32_t>(size);
    if (size >= sizeof length) std::memcpy(honest.data(), &length, sizeof length);
    EXPECT_FALSE(ParseCopyOnWriteFaults(honest)) << size;
  }
}

TEST(TaskStats, SaysHowToSwitchTheCountOn) {
  const std::string root = StrCat(getenv("TEST_TMPDIR"), "/taskstats");
  std::string path = root;
  mkdir(path.c_str(), 0755);
  for (const char* part : {"/proc", "/sys", "/kernel"}) mkdir((path += part).c_str(), 0755);
  std::ofstream(path + "/task_delayacct") << "0\n";
  EXPECT_EQ(TaskStats::Open(root).error().message,
            "the kernel's count of copy-on-write faults is off; before the run: sysctl kernel.task_delayacct=1");
  EXPECT_EQ(TaskStats::Open("/nowhere").error().message,
            "the kernel does not count copy-on-write faults (CONFIG_TASK_DELAY_ACCT, Linux 6.0)");
}

// The count switched on for a test, and put back.
class Counting {
 public:
  Counting() : before_(ReadFile(kPath).value_or("")) { (void)WriteExisting(kPath, "1"); }
  Counting(const Counting&) = delete;
  ~Counting() {
    if (!before_.empty()) (void)WriteExisting(kPath, before_);
  }

 private:
  static constexpr const char* kPath = "/proc/sys/kernel/task_delayacct";
  std::string before_;
};

// Not seen by ThreadSanitizer, whose shadow of every page would be copied as well.
__attribute__((no_sanitize_thread)) void Write(volatile char* pages, std::size_t written, char value) {
  for (std::size_t i = 0; i < written; ++i) pages[i * 4096] = value;
}

// A process that writes to `written` of the pages it has in common with us, and waits to be looked at.
std::uint64_t FaultsOfAChildThatWrites(const TaskStats& stats, volatile char* pages, std::size_t written) {
  int ready[2] = {-1, -1}, go[2] = {-1, -1};
  EXPECT_EQ(pipe(ready), 0);
  EXPECT_EQ(pipe(go), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(go[1]);
    Write(pages, written, 2);
    char byte = 0;
    if (write(ready[1], &byte, 1) == 1) (void)!read(go[0], &byte, 1);
    _exit(0);
  }
  char byte = 0;
  EXPECT_EQ(read(ready[0], &byte, 1), 1);
  const auto faults = stats.CopyOnWriteFaults(child);
  EXPECT_TRUE(faults) << faults.error().message;
  for (const int fd : {ready[0], ready[1], go[0], go[1]}) close(fd);
  waitpid(child, nullptr, 0);
  return faults.value_or(0);
}

TEST(TaskStats, CountsThePagesThatAForkedProcessWritesTo) {
  const Counting counting;
  const auto stats = TaskStats::Open();
  if (!stats) GTEST_SKIP() << stats.error().message;
  void* base = mmap(nullptr, kPages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(base, MAP_FAILED);
  madvise(base, kPages * 4096, MADV_NOHUGEPAGE);
  auto* pages = static_cast<volatile char*>(base);
  Write(pages, kPages, 1);

  // Stack and data of its own are written to as well: what one costs that writes to none of the pages.
  const auto none = static_cast<double>(FaultsOfAChildThatWrites(*stats, pages, 0));
  EXPECT_NEAR(static_cast<double>(FaultsOfAChildThatWrites(*stats, pages, kPages)) - none, kPages, 0.02 * kPages);
  EXPECT_NEAR(static_cast<double>(FaultsOfAChildThatWrites(*stats, pages, kPages / 4)) - none, kPages / 4,
              0.02 * kPages);

  // First touches of its own memory are no copies, though they are minor faults all the same.
  const auto before = stats->CopyOnWriteFaults(getpid());
  void* own = mmap(nullptr, kPages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(own, kPages * 4096, MADV_NOHUGEPAGE);
  Write(static_cast<volatile char*>(own), kPages, 1);
  const auto after = stats->CopyOnWriteFaults(getpid());
  ASSERT_TRUE(before && after);
  EXPECT_LT(*after - *before, 64u);
  munmap(own, kPages * 4096);
  munmap(base, kPages * 4096);
}

TEST(TaskStats, OfAProcessThatIsGoneThereIsNone) {
  const Counting counting;
  const auto stats = TaskStats::Open();
  if (!stats) GTEST_SKIP() << stats.error().message;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(stats->CopyOnWriteFaults(child));
}

}  // namespace
}  // namespace corerig
