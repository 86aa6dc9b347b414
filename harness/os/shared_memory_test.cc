#include "harness/os/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace corerig {
namespace {

constexpr std::size_t kSize = 10'000;

TEST(SharedMemory, IsZeroAndHasTheSizeAskedFor) {
  auto fd = CreateSharedMemory("zeros", kSize);
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_EQ(lseek(fd->get(), 0, SEEK_END), static_cast<off_t>(kSize));
  auto mapping = Mapping::Map(fd->get(), kSize, Mapping::Access::kRead);
  ASSERT_TRUE(mapping) << mapping.error().message;
  ASSERT_EQ(mapping->size(), kSize);
  for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(mapping->data()[i], std::byte{0}) << "byte " << i;
}

TEST(SharedMemory, IsClosedOnExec) {
  auto fd = CreateSharedMemory("private", kSize);
  ASSERT_TRUE(fd);
  EXPECT_EQ(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(SharedMemory, CanNeitherShrinkNorGrow) {
  auto fd = CreateSharedMemory("sealed", kSize);
  ASSERT_TRUE(fd);
  EXPECT_NE(ftruncate(fd->get(), kSize / 2), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(ftruncate(fd->get(), kSize * 2), 0);
  EXPECT_EQ(errno, EPERM);
}

TEST(SharedMemory, ShowsItsNameInTheMaps) {
  auto fd = CreateSharedMemory("corerig-named", kSize);
  ASSERT_TRUE(fd);
  auto mapping = Mapping::Map(fd->get(), kSize, Mapping::Access::kRead);
  ASSERT_TRUE(mapping);
  const auto maps = ReadFile("/proc/self/maps");
  ASSERT_TRUE(maps);
  EXPECT_NE(maps->find("memfd:corerig-named"), std::string::npos) << *maps;
}

TEST(SharedMemory, OneMappingSeesWhatAnotherWrote) {
  auto fd = CreateSharedMemory("two", kSize);
  ASSERT_TRUE(fd);
  auto writer = Mapping::Map(fd->get(), kSize, Mapping::Access::kReadWrite);
  auto reader = Mapping::Map(fd->get(), kSize, Mapping::Access::kRead);
  ASSERT_TRUE(writer && reader);
  *writer->At<std::uint32_t>(4096) = 0xC0FFEE;
  EXPECT_EQ(*reader->At<std::uint32_t>(4096), 0xC0FFEEu);
  EXPECT_EQ(static_cast<void*>(reader->At<std::uint32_t>(4096)), reader->data() + 4096);
}

TEST(SharedMemory, SealedItTakesNoNewWritersAndKeepsTheOldOne) {
  auto fd = CreateSharedMemory("last-writer", kSize);
  ASSERT_TRUE(fd);
  auto writer = Mapping::Map(fd->get(), kSize, Mapping::Access::kReadWrite);
  ASSERT_TRUE(writer);
  const auto sealed = SealAgainstNewWriters(fd->get());
  ASSERT_TRUE(sealed) << sealed.error().message;

  const auto second = Mapping::Map(fd->get(), kSize, Mapping::Access::kReadWrite);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "cannot map shared memory: Operation not permitted (EPERM)");
  EXPECT_LT(write(fd->get(), "x", 1), 0) << "write() must be refused like a mapping";

  auto reader = Mapping::Map(fd->get(), kSize, Mapping::Access::kRead);
  ASSERT_TRUE(reader) << reader.error().message;
  writer->data()[7] = std::byte{42};
  EXPECT_EQ(reader->data()[7], std::byte{42});
}

TEST(SharedMemory, WhatIsNoMemfdCannotBeSealed) {
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_EQ(SealAgainstNewWriters(null.get()).error().message, "cannot seal shared memory: Invalid argument (EINVAL)");
}

TEST(Mapping, RefusesAFileSmallerThanExpected) {
  auto fd = CreateSharedMemory("small", 100);
  ASSERT_TRUE(fd);
  EXPECT_EQ(Mapping::Map(fd->get(), 101, Mapping::Access::kRead).error().message,
            "shared memory holds 100 bytes; 101 were expected");
}

TEST(Mapping, RefusesADescriptorThatIsNotOpen) {
  EXPECT_EQ(Mapping::Map(-1, 1, Mapping::Access::kRead).error().message,
            "cannot stat shared memory: Bad file descriptor (EBADF)");
}

TEST(Mapping, StaysValidWhenTheDescriptorIsClosed) {
  auto fd = CreateSharedMemory("closed", kSize);
  ASSERT_TRUE(fd);
  auto mapping = Mapping::Map(fd->get(), kSize, Mapping::Access::kReadWrite);
  ASSERT_TRUE(mapping);
  fd->Close();
  std::memset(mapping->data(), 1, mapping->size());
  EXPECT_EQ(mapping->data()[kSize - 1], std::byte{1});
}

// mincore() says ENOMEM for addresses that nothing is mapped at.
bool IsMapped(const void* address) {
  unsigned char resident = 0;
  return mincore(const_cast<void*>(address), 1, &resident) == 0;
}

TEST(Mapping, IsUnmappedWhenItGoesOrIsReplaced) {
  auto fd = CreateSharedMemory("gone", kSize);
  ASSERT_TRUE(fd);
  const void *first = nullptr, *second = nullptr;
  {
    auto replaced = Mapping::Map(fd->get(), kSize, Mapping::Access::kRead);
    auto kept = Mapping::Map(fd->get(), kSize, Mapping::Access::kRead);
    ASSERT_TRUE(replaced && kept);
    first = replaced->data(), second = kept->data();
    ASSERT_TRUE(IsMapped(first) && IsMapped(second));
    *replaced = std::move(*kept);
    EXPECT_FALSE(IsMapped(first));
    EXPECT_EQ(replaced->data(), second);
    EXPECT_EQ(kept->data(), nullptr);
    EXPECT_TRUE(IsMapped(second));
  }
  EXPECT_FALSE(IsMapped(second));
}

}  // namespace
}  // namespace corerig
