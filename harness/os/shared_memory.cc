#include "harness/os/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010  // linux/fcntl.h, since 5.1
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // linux/memfd.h, since 6.3
#endif

namespace corerig {

Result<Fd> CreateSharedMemory(const char* name, std::size_t size) {
  // A kernel with vm.memfd_noexec=2 allows no memory that could be made executable; one before 6.3 knows no such flag.
  Fd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL));
  if (!fd.valid() && errno == EINVAL) fd = Fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return Fail("cannot create shared memory ", name, ": ", ErrnoText(errno));
  if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return Fail("cannot give shared memory ", name, " ", size, " bytes: ", ErrnoText(errno));
  }
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    return Fail("cannot seal shared memory ", name, ": ", ErrnoText(errno));
  }
  return fd;
}

[[gnu::hot]] Status SealAgainstNewWriters(int fd) {
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0) return Fail("cannot seal shared memory: ", ErrnoText(errno));
  return {};
}

[[gnu::hot]] Result<Mapping> Mapping::Map(int fd, std::size_t size, Access access) {
  struct stat status = {};
  if (fstat(fd, &status) != 0) return Fail("cannot stat shared memory: ", ErrnoText(errno));
  if (static_cast<std::size_t>(status.st_size) < size) {
    return Fail("shared memory holds ", status.st_size, " bytes; ", size, " were expected");
  }
  const int protection = access == Access::kReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* base = mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return Fail("cannot map shared memory: ", ErrnoText(errno));
  return Mapping(base, size);
}

[[gnu::hot]] Mapping::~Mapping() {
  if (base_ != nullptr) munmap(base_, size_);
}

}  // namespace corerig
