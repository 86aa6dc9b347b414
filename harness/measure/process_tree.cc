#include "harness/measure/process_tree.h"

#include <unistd.h>

#include <algorithm>

#include "harness/base/text.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

// A member that ends while the others are read may be counted twice or not at all: then all are read once more.
constexpr int kTries = 5;

std::optional<ProcessStat> StatOf(const ProcFs& procfs, pid_t pid) {
  const auto text = procfs.Read(pid, "stat");
  const auto stat = text ? ParseStat(*text) : Result<ProcessStat>(Forward(text));
  return stat ? std::optional(*stat) : std::nullopt;
}

void AddSwitches(SchedulingReading& sum, const SchedulingReading& part) {
  sum.wait += part.wait;
  sum.timeslices += part.timeslices;
  sum.voluntary += part.voluntary;
  sum.involuntary += part.involuntary;
  if (sum.migrations && part.migrations) {
    *sum.migrations += *part.migrations;
  } else {
    sum.migrations.reset();
  }
}

void AddUse(SchedulingReading& sum, const SchedulingReading& part) {
  sum.run += part.run;
  sum.minor_faults += part.minor_faults;
  sum.major_faults += part.major_faults;
}

// What the kernel has handed on to a parent.
void AddWaitedFor(SchedulingReading& sum, const ProcessStat& stat) {
  static const long ticks_per_second = sysconf(_SC_CLK_TCK);
  sum.run += Nanos(static_cast<std::int64_t>(stat.children_ticks) * (1'000'000'000 / ticks_per_second));
  sum.minor_faults += stat.children_minor_faults;
  sum.major_faults += stat.children_major_faults;
}

}  // namespace

std::vector<pid_t> ProcessTree::ChildrenOf(pid_t pid,
                                           std::optional<std::map<pid_t, std::vector<pid_t>>>& scanned) const {
  if (!scanned) {
    if (auto listed = procfs_.Children(pid)) return std::move(*listed);
    if (!StatOf(procfs_, pid)) return {};  // gone in the meantime
    scanned.emplace();
    for (const pid_t each : procfs_.Processes()) {
      if (const auto stat = StatOf(procfs_, each)) (*scanned)[stat->parent].push_back(each);
    }
  }
  return (*scanned)[pid];
}

bool ProcessTree::Belongs(pid_t orphan, const ProcessStat& stat) {
  if (stat.session == origin_.root) return true;
  const Identity identity = {orphan, stat.start_time};
  if (strangers_.contains(identity)) return false;
  const auto environment = procfs_.Read(orphan, "environ");
  if (environment && !environment->empty()) {
    for (const auto variable : Split(*environment, '\0')) {
      if (variable == origin_.mark) return true;
    }
    strangers_.insert(identity);
  }
  return false;
}

const std::vector<ProcessTree::Member>& ProcessTree::Look() {
  members_.clear();
  std::set<Identity> found;
  std::optional<std::map<pid_t, std::vector<pid_t>>> scanned;
  const auto add = [&](pid_t pid, const ProcessStat& stat) {
    if (found.insert({pid, stat.start_time}).second) members_.push_back({pid, stat});
  };
  const auto add_known = [&](const Identity& identity) {
    const auto stat = StatOf(procfs_, identity.first);
    if (stat && stat->start_time == identity.second) add(identity.first, *stat);
  };
  add_known({origin_.root, origin_.start_time});
  for (const Identity& identity : known_) add_known(identity);
  for (const pid_t orphan : ChildrenOf(origin_.reaper, scanned)) {
    const auto stat = StatOf(procfs_, orphan);
    if (stat && stat->parent == origin_.reaper && Belongs(orphan, *stat)) add(orphan, *stat);
  }
  // The list grows while it is gone through.
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const pid_t parent = members_[i].pid;
    for (const pid_t child : ChildrenOf(parent, scanned)) {
      const auto stat = StatOf(procfs_, child);
      if (stat && stat->parent == parent) add(child, *stat);
    }
  }
  known_ = std::move(found);
  most_ = std::max(most_, static_cast<std::size_t>(std::count_if(members_.begin(), members_.end(),
                                                                 [](const auto& member) { return !member.ended(); })));
  return members_;
}

// Reads every member; false if one came or ended meanwhile, or had a child that did.
bool ProcessTree::TryRead(std::map<Identity, Seen>& seen) {
  seen.clear();
  for (const Member& member : Look()) {
    auto reading = ReadProcess(procfs_, member.pid);
    if (!reading) continue;  // gone in the meantime
    AddWaitedFor(*reading, member.stat);
    seen[{member.pid, member.stat.start_time}] = {.parent = member.stat.parent, .reading = *reading};
  }
  return std::all_of(members_.begin(), members_.end(), [&](const Member& member) {
    const auto stat = StatOf(procfs_, member.pid);
    return stat && stat->children_ticks == member.stat.children_ticks &&
           stat->children_minor_faults == member.stat.children_minor_faults;
  });
}

// Of who was read before and is gone now, what nobody else counts.
void ProcessTree::Retain(const std::map<Identity, Seen>& now) {
  for (const auto& [identity, last] : seen_) {
    if (now.contains(identity)) continue;
    const auto stat = StatOf(procfs_, identity.first);
    if (stat && stat->start_time == identity.second) continue;  // only not readable just now
    AddSwitches(retained_, last.reading);
    if (last.parent == origin_.reaper) AddUse(retained_, last.reading);
  }
}

Result<SchedulingReading> ProcessTree::Read() {
  const Nanos at = MonotonicNow();
  const auto root = ReadProcess(procfs_, origin_.root);
  if (!root) return root;
  std::map<Identity, Seen> now;
  for (int i = 0; i < kTries && !TryRead(now); ++i) {
  }
  Retain(now);
  seen_ = std::move(now);
  SchedulingReading sum = retained_;
  sum.at = at;
  for (const auto& [identity, each] : seen_) {
    AddSwitches(sum, each.reading);
    AddUse(sum, each.reading);
  }
  return sum;
}

Result<std::optional<MemoryReading>> ProcessTree::ReadMemory() {
  std::optional<MemoryReading> sum;
  for (const Member& member : Look()) {
    if (member.ended()) continue;
    const auto reading = corerig::ReadMemory(procfs_, member.pid);
    if (!reading) {
      const auto stat = StatOf(procfs_, member.pid);
      if (!stat || stat->state == 'Z' || stat->state == 'X') continue;  // it ended just now
      return Forward(reading);
    }
    if (!sum) {
      sum = *reading;
      continue;
    }
    sum->rss += reading->rss;
    sum->pss += reading->pss;
    sum->uss += reading->uss;
    sum->shared += reading->shared;
    sum->swap += reading->swap;
    // What is not told of one of them is not known of all.
    if (sum->page_tables && reading->page_tables) {
      *sum->page_tables += *reading->page_tables;
    } else {
      sum->page_tables.reset();
    }
  }
  return sum;
}

}  // namespace corerig
