#include "harness/report/chunk_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>

#include "harness/base/text.h"

namespace corerig {
namespace {

// The thread calls write and little else; the supervisor may have locked its memory, stacks included.
constexpr std::size_t kStackBytes = 128 * 1024;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() { Close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int Append(std::span<const std::uint8_t> chunk) {
    off_t to = end_;
    while (!chunk.empty()) {
      const ssize_t written = pwrite(fd_, chunk.data(), chunk.size(), to);
      if (written > 0) {
        to += written;
        chunk = chunk.subspan(static_cast<std::size_t>(written));
      } else if (written == 0 || errno != EINTR) {
        const int error = written == 0 ? ENOSPC : errno;
        // Half a packet would make the rest of the file unreadable. Where this fails, the next chunk overwrites it.
        if (to != end_ && ftruncate(fd_, end_) != 0) return errno;
        return error;
      }
    }
    end_ = to;
    return 0;
  }

  // A network file system may report a full disk only here.
  int Close() {
    const int fd = std::exchange(fd_, -1);
    return fd >= 0 && close(fd) != 0 && errno != EINTR ? errno : 0;
  }

 private:
  int fd_;
  off_t end_ = 0;
};

}  // namespace

Result<ChunkSink> ChunkFile(const std::string& file) {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return Fail(file, ": cannot be written: ", std::strerror(errno), "; choose a folder that can be written");
  auto opened = std::make_shared<File>(fd);
  return ChunkSink([opened](std::span<const std::uint8_t> chunk) {
    return chunk.empty() ? opened->Close() : opened->Append(chunk);
  });
}

// What the writer thread uses: it stays until that thread has ended, which may be after its ChunkWriter.
struct ChunkWriter::Shared {
  ChunkSink sink;
  std::unique_ptr<std::uint8_t[]> memory;
  std::deque<Lane> lanes;
  pthread_t thread{};
  sem_t handed_over{};  // posted for each chunk, and to stop
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> progress{0};
  std::mutex mutex;  // of what follows; no producer takes it
  std::condition_variable changed;
  bool ended = false;
  int first_error = 0;

  Shared() { sem_init(&handed_over, 0, 0); }
  ~Shared() { sem_destroy(&handed_over); }

  void Fail(int error) {
    const std::lock_guard lock(mutex);
    if (first_error == 0) first_error = error;
  }

  // Writes what lane by lane was handed over; false if there was nothing.
  bool WriteAll() {
    bool any = false;
    for (Lane& lane : lanes) {
      std::uint64_t taken = lane.taken_.load(std::memory_order_relaxed);
      for (; taken != lane.handed_.load(std::memory_order_acquire); any = true) {
        Lane::Chunk& chunk = lane.chunks_[taken % lane.chunks_.size()];
        const int error = sink({chunk.bytes, chunk.size});
        if (error != 0) {
          Fail(error);
          lane.Lose(chunk.events);
        }
        lane.settled_events_.fetch_add(chunk.events, std::memory_order_release);
        chunk.size = 0;
        chunk.events = 0;
        lane.taken_.store(++taken, std::memory_order_release);
        progress.fetch_add(1);
      }
    }
    return any;
  }

  void Body() {
    const sched_param normal{};
    pthread_setschedparam(pthread_self(), SCHED_OTHER, &normal);
    for (;;) {
      while (sem_wait(&handed_over) != 0) {
      }
      const bool last = stop.load(std::memory_order_acquire);
      while (WriteAll()) {
      }
      if (!last) continue;
      if (const int error = sink({})) Fail(error);
      break;
    }
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
  }
};

std::span<std::uint8_t> ChunkWriter::Lane::room() {
  const std::uint64_t handed = handed_.load(std::memory_order_relaxed);
  if (handed - taken_.load(std::memory_order_acquire) == chunks_.size()) return {};
  const Chunk& chunk = chunks_[handed % chunks_.size()];
  return {chunk.bytes + chunk.size, kChunkBytes - chunk.size};
}

void ChunkWriter::Lane::Commit(std::size_t bytes, std::uint64_t events) {
  Chunk& chunk = chunks_[handed_.load(std::memory_order_relaxed) % chunks_.size()];
  chunk.size += bytes;
  chunk.events += events;
}

void ChunkWriter::Lane::HandOver() {
  const std::uint64_t handed = handed_.load(std::memory_order_relaxed);
  if (handed - taken_.load(std::memory_order_acquire) == chunks_.size()) return;
  const Chunk& chunk = chunks_[handed % chunks_.size()];
  if (chunk.size == 0) return;
  handed_events_.fetch_add(chunk.events, std::memory_order_relaxed);
  handed_.store(handed + 1, std::memory_order_release);
  wake_();
}

void ChunkWriter::Lane::Lose(std::uint64_t events) {
  lost_events_.fetch_add(events, std::memory_order_relaxed);
  losses_.fetch_add(1, std::memory_order_release);
}

Result<std::unique_ptr<ChunkWriter>> ChunkWriter::Start(ChunkSink sink, const std::vector<int>& lanes) {
  auto shared = std::make_shared<Shared>();
  shared->sink = std::move(sink);
  std::size_t total = 0;
  for (const int chunks : lanes) total += static_cast<std::size_t>(chunks);
  shared->memory.reset(new std::uint8_t[total * kChunkBytes]);  // not touched yet
  std::uint8_t* next = shared->memory.get();
  for (const int chunks : lanes) {
    Lane& lane = shared->lanes.emplace_back();
    lane.chunks_.resize(static_cast<std::size_t>(chunks));
    for (Lane::Chunk& chunk : lane.chunks_) chunk.bytes = std::exchange(next, next + kChunkBytes);
    lane.wake_ = [raw = shared.get()] { sem_post(&raw->handed_over); };
  }
  auto keep = std::make_unique<std::shared_ptr<Shared>>(shared);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(
      &shared->thread, &attributes,
      [](void* raw) -> void* {
        const std::unique_ptr<std::shared_ptr<Shared>> kept(static_cast<std::shared_ptr<Shared>*>(raw));
        (*kept)->Body();
        return nullptr;
      },
      keep.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) return Fail("the trace's writer thread cannot be started: ", std::strerror(error));
  (void)keep.release();  // the thread's
  return std::unique_ptr<ChunkWriter>(new ChunkWriter(std::move(shared)));
}

ChunkWriter::~ChunkWriter() { (void)Finish(std::chrono::seconds(1)); }

ChunkWriter::Lane& ChunkWriter::lane(std::size_t index) { return shared_->lanes[index]; }

bool ChunkWriter::Drain(std::chrono::milliseconds patience) {
  const auto waiting = [this] {
    for (const Lane& lane : shared_->lanes) {
      if (lane.taken_.load(std::memory_order_acquire) != lane.handed_.load(std::memory_order_relaxed)) return true;
    }
    return false;
  };
  std::unique_lock lock(shared_->mutex);
  while (waiting()) {
    const std::uint64_t seen = shared_->progress.load();
    // A chunk more is written without `changed`, for which the writer thread would have to lock: a look every 5 ms.
    const auto until = std::chrono::steady_clock::now() + patience;
    while (waiting() && seen == shared_->progress.load()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      shared_->changed.wait_for(lock, std::chrono::milliseconds(5));
    }
  }
  return true;
}

Status ChunkWriter::Finish(std::chrono::milliseconds patience) {
  if (finished_) return {};
  finished_ = true;
  for (Lane& lane : shared_->lanes) lane.HandOver();
  shared_->stop.store(true, std::memory_order_release);
  sem_post(&shared_->handed_over);

  std::unique_lock lock(shared_->mutex);
  for (std::uint64_t seen = shared_->progress.load() - 1; !shared_->ended && seen != shared_->progress.load();) {
    seen = shared_->progress.load();
    shared_->changed.wait_for(lock, patience, [&] { return shared_->ended; });
  }
  if (!shared_->ended) {
    pthread_detach(shared_->thread);
    return Fail("the disk took nothing for ", patience.count(), " ms");
  }
  const int error = shared_->first_error;
  lock.unlock();
  pthread_join(shared_->thread, nullptr);
  if (error != 0) return Fail(std::strerror(error));
  return {};
}

std::uint64_t ChunkWriter::lost_events() const {
  std::uint64_t lost = 0;
  for (const Lane& lane : shared_->lanes) {
    lost += lane.lost_events_.load(std::memory_order_relaxed);
    // Of a sink that was given up: what it has not taken. Settled is read first, as it never overtakes the other.
    if (!finished_) continue;
    const std::uint64_t settled = lane.settled_events_.load(std::memory_order_acquire);
    lost += lane.handed_events_.load(std::memory_order_relaxed) - settled;
  }
  return lost;
}

}  // namespace corerig
