// Takes chunks of whole packets to a file by a thread of its own, so that a slow disk never holds up who produces them.
//
//   auto writer = ChunkWriter::Start(*std::move(sink), {6, 2});
//   ChunkWriter::Lane& lane = (*writer)->lane(0);
//   std::span<std::uint8_t> room = lane.room();      // empty: every chunk waits for the disk
//   ... write a packet of n bytes that tells 40 events ...
//   lane.Commit(n, 40);
//   (*writer)->Finish(5s);
//
// A lane is a ring of chunks between one producer thread and the writer thread; neither ever waits for the other's lock
// (the producer may run at a real-time priority, the writer does not). All memory is allocated by Start, and touched
// as it is used. What the disk does not take, or takes too late, is lost and counted; what was written stays whole.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace corerig {

// Takes all of a chunk, or none of it: 0, or the errno why not. Called by the writer thread alone, may block. An empty
// chunk says that no other follows: the file is to be closed.
using ChunkSink = std::function<int(std::span<const std::uint8_t>)>;

// A file, created or emptied now. When it cannot take a chunk whole (a full disk), it is cut back to the end of the one
// before; later chunks are tried all the same. The error is one line, "FILE: cause; what would be right".
Result<ChunkSink> ChunkFile(const std::string& file);

class ChunkWriter {
 public:
  static constexpr std::size_t kChunkBytes = 64 * 1024;

  // The producer's end of a ring of chunks. One thread.
  class Lane {
   public:
    // What is left of the chunk being filled; empty if there is none, because all wait for the sink. Never waits.
    std::span<std::uint8_t> room();
    // The first `bytes` of room() hold whole packets now, which tell `events` events.
    void Commit(std::size_t bytes, std::uint64_t events);
    // The chunk being filled goes to the writer thread, if there is anything in it.
    void HandOver();
    // `events` events found no room.
    void Lose(std::uint64_t events);
    // How often something of this lane was lost, in here or on the disk; changes are what matters.
    std::uint64_t losses() const { return losses_.load(std::memory_order_acquire); }

   private:
    friend class ChunkWriter;
    struct Chunk {
      std::uint8_t* bytes = nullptr;
      std::size_t size = 0;
      std::uint64_t events = 0;
    };

    std::vector<Chunk> chunks_;
    // Chunks handed over and chunks taken, ever: the producer owns chunks_[handed_ % size] while handed_ - taken_ <
    // size.
    std::atomic<std::uint64_t> handed_{0}, taken_{0};
    std::atomic<std::uint64_t> losses_{0}, lost_events_{0};
    std::atomic<std::uint64_t> handed_events_{0}, settled_events_{0};  // settled: written or lost
    std::function<void()> wake_;
  };

  // Starts the thread, with the affinity of the calling thread but at the normal policy and with all signals blocked.
  // `lanes` holds how many chunks each lane has.
  static Result<std::unique_ptr<ChunkWriter>> Start(ChunkSink sink, const std::vector<int>& lanes);

  // Finishes if that was not done.
  ~ChunkWriter();

  Lane& lane(std::size_t index);

  // Waits until all that was handed over is written; false if the sink takes nothing for `patience`.
  bool Drain(std::chrono::milliseconds patience);

  // Hands over what is left and waits until all of it is written; no lane may be used any more, but for losses. A sink
  // that takes nothing for `patience` is given up (its thread then ends with its write, or with the process), and what
  // was not written counts as lost. Fails with the cause of the first loss on the disk: "No space left on device".
  Status Finish(std::chrono::milliseconds patience);

  // Events that were lost: they found no room, or the sink did not take them. Any thread.
  std::uint64_t lost_events() const;

 private:
  struct Shared;

  explicit ChunkWriter(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
  bool finished_ = false;
};

}  // namespace corerig
