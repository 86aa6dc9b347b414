#include "harness/os/cgroup.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "harness/base/text.h"
#include "harness/os/process.h"

namespace corerig {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// A Debian 12 machine.
constexpr std::string_view kMountsV2 =
    "24 31 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
    "32 24 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "
    "rw,nsdelegate,memory_recursiveprot\n";
// A board with an old init: each controller for itself, and v2 beside them without any.
constexpr std::string_view kMountsV1 =
    "30 24 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n"
    "35 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct\n"
    "36 30 0:32 / /sys/fs/cgroup/memory rw,nosuid shared:16 - cgroup cgroup rw,memory\n";

TEST(ParseCgroupPlace, OfV2) {
  const auto place = ParseCgroupPlace("0::/user.slice/user-0.slice/session-4.scope\n", kMountsV2);
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(*place, (CgroupPlace{CgroupVersion::kV2, "/sys/fs/cgroup", "/user.slice/user-0.slice/session-4.scope"}));
}

TEST(ParseCgroupPlace, V1HasTheControllerWhereBothAreMounted) {
  const auto place = ParseCgroupPlace("5:memory:/board/shell:1\n3:cpu,cpuacct:/\n0::/other\n", kMountsV1);
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(*place, (CgroupPlace{CgroupVersion::kV1, "/sys/fs/cgroup/memory", "/board/shell:1"}));
}

TEST(ParseCgroupPlace, TheTopIsAnEmptyPath) {
  EXPECT_EQ(ParseCgroupPlace("0::/\n", kMountsV2)->path, "");
  EXPECT_EQ(ParseCgroupPlace("4:memory:/\n", kMountsV1)->path, "");
}

TEST(ParseCgroupPlace, BelowTheMountOfAContainer) {
  constexpr std::string_view kMounts =
      "36 30 0:32 /docker/ab /sys/fs/my\\040cgroup ro,nosuid - cgroup cgroup rw,memory\n";
  const auto place = ParseCgroupPlace("4:memory:/docker/ab/run\n", kMounts);
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(*place, (CgroupPlace{CgroupVersion::kV1, "/sys/fs/my cgroup", "/run"}));
  EXPECT_EQ(ParseCgroupPlace("4:memory:/docker/ab\n", kMounts)->path, "");
  for (const std::string_view outside : {"4:memory:/docker/abc\n", "4:memory:/\n"}) {
    EXPECT_FALSE(ParseCgroupPlace(outside, kMounts)) << outside;
  }
  EXPECT_FALSE(ParseCgroupPlace("0::/../above\n", kMountsV2));
}

TEST(ParseCgroupPlace, SaysWhatIsMissing) {
  EXPECT_EQ(ParseCgroupPlace("3:cpu:/\n", kMountsV1).error().message,
            "the kernel has no control groups with the memory controller (CONFIG_MEMCG)");
  EXPECT_EQ(ParseCgroupPlace("", "").error().message,
            "the kernel has no control groups with the memory controller (CONFIG_MEMCG)");
  EXPECT_EQ(ParseCgroupPlace("0::/\n", "32 24 0:28 / /proc rw - proc proc rw\n").error().message,
            "no control groups with the memory controller are mounted");
}

TEST(ParseCgroupPlace, OfEveryPrefixIsAPlaceOrAnError) {
  constexpr std::string_view kCgroup = "4:memory:/board\n0::/other\n";
  for (std::size_t a = 0; a <= kCgroup.size(); ++a) {
    for (std::size_t b = 0; b <= kMountsV1.size(); ++b) {
      const auto place = ParseCgroupPlace(kCgroup.substr(0, a), kMountsV1.substr(0, b));
      EXPECT_TRUE(place ? !place->mount_point.empty() : !place.error().message.empty());
    }
  }
}

TEST(ParseKeyedCount, TakesTheWholeWordAndTheWholeNumber) {
  constexpr std::string_view kEvents = "low 0\nhigh 0\nmax 31\noom 2\noom_kill 1\noom_group_kill 0\n";
  EXPECT_EQ(*ParseKeyedCount(kEvents, "max"), 31u);
  EXPECT_EQ(*ParseKeyedCount(kEvents, "oom"), 2u);
  EXPECT_EQ(*ParseKeyedCount(kEvents, "oom_kill"), 1u);
  for (const std::string_view wrong : {"", "oom_kill", "oom_kill ", "oom_kill x", "oom_kill -1", "oom_kill 1 ",
                                       "oom_kill  1", "oom_kill 99999999999999999999", "oom_kill 1\noom_kill 1"}) {
    EXPECT_FALSE(ParseKeyedCount(wrong, "oom_kill")) << wrong;
  }
}

// A tree that looks like the kernel's to the code under test. Directories made in it stay empty, so that the group to
// be made is laid out beforehand.
class FakeTree {
 public:
  FakeTree() : root_(StrCat(getenv("TEST_TMPDIR"), "/cgroup-", ++count_)) {
    Write("/proc/self/mountinfo", kMountsV2);
    Write("/proc/self/cgroup", "0::/user.slice/session.scope\n");
    Write("/sys/fs/cgroup/cgroup.subtree_control", "cpu memory\n");
    Write("/sys/fs/cgroup/user.slice/cgroup.subtree_control", "cpu memory pids\n");
    Write("/sys/fs/cgroup/user.slice/session.scope/cgroup.subtree_control", "\n");
  }
  const std::string& root() const { return root_; }
  void Write(const std::string& path, std::string_view text) const {
    for (auto slash = (root_ + path).find('/', 1); slash != std::string::npos;
         slash = (root_ + path).find('/', slash + 1)) {
      mkdir((root_ + path).substr(0, slash).c_str(), 0755);
    }
    std::ofstream(root_ + path) << text;
  }
  std::string Text(const std::string& path) const { return ReadFile(root_ + path).value_or("missing"); }
  // A group of this process, as the kernel would fill it.
  std::string LayOut(const std::string& parent, const std::string& name) const {
    const std::string group = StrCat(parent, "/corerig-", getpid(), "-", *StartTimeOf(getpid()), "-", name);
    for (const char* file : {"cgroup.procs", "memory.max", "memory.swap.max", "memory.oom.group"}) {
      Write(group + "/" + file, "");
    }
    return group;
  }

 private:
  static inline int count_ = 0;
  std::string root_;
};

TEST(MemoryGroupsOfV2, AreMadeInTheNearestGroupThatHandsTheControllerDown) {
  const FakeTree tree;
  tree.LayOut("/sys/fs/cgroup/user.slice", "trial");
  const std::string at = tree.LayOut("/sys/fs/cgroup/user.slice", "3");
  const auto groups = MemoryGroups::Find(tree.root());
  ASSERT_TRUE(groups) << groups.error().message;
  EXPECT_EQ(groups->directory(), tree.root() + "/sys/fs/cgroup/user.slice");
  const auto group = groups->Make(3, Bytes{64 * kMiB});
  ASSERT_TRUE(group) << group.error().message;
  EXPECT_EQ(tree.Text(at + "/memory.max"), "67108864");
  EXPECT_EQ(tree.Text(at + "/memory.swap.max"), "0");
  EXPECT_EQ(tree.Text(at + "/memory.oom.group"), "1");
  EXPECT_EQ(group->Read().peak, std::nullopt) << "before Linux 5.19";
  EXPECT_EQ(group->Read().oom_kills, std::nullopt);
  tree.Write(at + "/memory.peak", "66990080\n");
  tree.Write(at + "/memory.events", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n");
  EXPECT_EQ(group->Read().peak, 66990080u);
  EXPECT_EQ(group->Read().oom_kills, 1u);
  EXPECT_TRUE(group->Read().limit_met);
}

TEST(MemoryGroupsOfV2, AreRefusedWhereNobodyHandsTheControllerDown) {
  const FakeTree tree;
  tree.Write("/sys/fs/cgroup/cgroup.subtree_control", "cpu\n");
  tree.Write("/sys/fs/cgroup/user.slice/cgroup.subtree_control", "cpu pids\n");
  const auto groups = MemoryGroups::Find(tree.root());
  ASSERT_FALSE(groups);
  EXPECT_EQ(groups.error().message, StrCat("no control group from ", tree.root(),
                                           "/sys/fs/cgroup/user.slice/session.scope up hands the memory ",
                                           "controller down (\"memory\" in its cgroup.subtree_control)"));
}

TEST(MemoryGroupsOfV2, AreRefusedWhereNobodyMayJoin) {
  const FakeTree tree;
  for (const char* parent : {"/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"}) {
    const std::string trial = tree.root() + tree.LayOut(parent, "trial");
    unlink((trial + "/cgroup.procs").c_str());
    ASSERT_EQ(symlink("/dev/full", (trial + "/cgroup.procs").c_str()), 0);  // opened for writing, and takes nothing
  }
  const auto groups = MemoryGroups::Find(tree.root());
  ASSERT_FALSE(groups);
  EXPECT_TRUE(groups.error().message.starts_with("cannot join control group " + tree.root())) << groups.error().message;
  EXPECT_TRUE(groups.error().message.ends_with("No space left on device (ENOSPC)")) << groups.error().message;
}

TEST(MemoryGroups, AreRefusedWhereThereIsNoSuchTree) {
  const auto groups = MemoryGroups::Find("/nowhere");
  ASSERT_FALSE(groups);
  EXPECT_EQ(groups.error().message,
            "the kernel has no control groups (CONFIG_CGROUPS): cannot read /nowhere/proc/self/cgroup: No such file or "
            "directory (ENOENT)");
}

// From here on the kernel's own groups.

class LiveGroups : public testing::Test {
 protected:
  void SetUp() override {
    auto groups = MemoryGroups::Find();
    if (!groups) GTEST_SKIP() << groups.error().message;
    groups_.emplace(std::move(*groups));
  }

  // Not seen by ThreadSanitizer, whose shadow of every byte would be the group's as well.
  __attribute__((no_sanitize_thread)) static void TouchPages(volatile char* base, std::uint64_t bytes) {
    for (std::uint64_t at = 0; at < bytes; at += 4096) base[at] = 1;
  }

  // Runs a member of the group that touches `bytes` and then ends well; how it ended, as waitpid tells.
  static int Touch(const MemoryGroup& group, std::uint64_t bytes) {
    const pid_t child = fork();
    if (child == 0) {
      if (write(group.procs(), "0", 1) != 1) _exit(3);
      auto* base =
          static_cast<volatile char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      madvise(const_cast<char*>(base), bytes, MADV_NOHUGEPAGE);
      TouchPages(base, bytes);
      _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
  }

  std::optional<MemoryGroups> groups_;
};

TEST_F(LiveGroups, TellTheMostTheirMembersHad) {
  const auto group = groups_->Make(0, Bytes{64 * kMiB});
  ASSERT_TRUE(group) << group.error().message;
  ASSERT_EQ(Touch(*group, 32 * kMiB), 0);
  const auto seen = group->Read();
  if (!seen.peak) GTEST_SKIP() << "no memory.peak: Linux before 5.19";
  // Its page tables and the kernel's own memory come on top.
  EXPECT_NEAR(static_cast<double>(*seen.peak), 32.0 * kMiB, 0.04 * 32 * kMiB);
  EXPECT_EQ(seen.oom_kills, 0u);
  EXPECT_FALSE(seen.limit_met);
}

TEST_F(LiveGroups, KillWhoWantsMoreAndTell) {
  const auto group = groups_->Make(1, Bytes{16 * kMiB});
  ASSERT_TRUE(group) << group.error().message;
  const int status = Touch(*group, 24 * kMiB);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  const auto seen = group->Read();
  EXPECT_EQ(seen.oom_kills, 1u);
  EXPECT_TRUE(seen.limit_met);
  if (!seen.peak) GTEST_SKIP() << "no memory.peak: Linux before 5.19";
  EXPECT_NEAR(static_cast<double>(*seen.peak), 16.0 * kMiB, 0.02 * 16 * kMiB);
}

TEST_F(LiveGroups, AnOrdinaryKillIsNoOomKill) {
  const auto group = groups_->Make(2, Bytes{16 * kMiB});
  ASSERT_TRUE(group) << group.error().message;
  const pid_t child = fork();
  if (child == 0) {
    if (write(group->procs(), "0", 1) != 1) _exit(3);
    raise(SIGKILL);
  }
  waitpid(child, nullptr, 0);
  EXPECT_EQ(group->Read().oom_kills, 0u);
}

TEST_F(LiveGroups, AreGoneWithTheirObject) {
  std::string directory;
  {
    const auto group = groups_->Make(4, Bytes{16 * kMiB});
    ASSERT_TRUE(group) << group.error().message;
    directory = group->directory();
    EXPECT_EQ(access(directory.c_str(), F_OK), 0);
    auto moved = std::move(*const_cast<MemoryGroup*>(&*group));
    EXPECT_EQ(access(directory.c_str(), F_OK), 0);
  }
  EXPECT_NE(access(directory.c_str(), F_OK), 0);
  EXPECT_TRUE(RemoveGroup(directory)) << "one that is gone already is fine";
}

TEST_F(LiveGroups, OfAProcessThatWasCutOffAreRemovedByTheNext) {
  const pid_t child = fork();
  if (child == 0) {
    auto groups = MemoryGroups::Find();
    if (!groups) _exit(1);
    auto group = groups->Make(7, Bytes{16 * kMiB});
    _exit(group ? 0 : 2);  // without its destructor
  }
  int status = -1;
  waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  const auto left = [&] {
    int found = 0;
    DIR* directory = opendir(groups_->directory().c_str());
    while (const dirent* entry = readdir(directory)) {
      found += std::string_view(entry->d_name).starts_with(StrCat("corerig-", child, "-"));
    }
    closedir(directory);
    return found;
  };
  EXPECT_EQ(left(), 1);
  const auto own = groups_->Make(8, Bytes{16 * kMiB});
  ASSERT_TRUE(own);
  ASSERT_TRUE(MemoryGroups::Find());
  EXPECT_EQ(left(), 0);
  EXPECT_EQ(access(own->directory().c_str(), F_OK), 0) << "one of a living process stays";
}

}  // namespace
}  // namespace corerig
