// One call of a rig's binary, as a user makes it, and everything it left behind. It is tests/rig's test_rig, or what
// the test's environment names: CORERIG_TEST_RIG, a path in its runfiles.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace corerig {

struct FinishedRun {
  int exit_status = -1;  // or minus the signal that killed it
  std::string out, err;
  std::chrono::nanoseconds took{0};
  nlohmann::json report;  // null if none was written or it is no JSON
  std::string report_text;

  // Of the report; NaN if it is absent.
  double Metric(const std::string& name) const;
  std::string verdict() const;  // "PASS"; empty without a report
  // The part of a list that has this name (and index), e.g. ("workers", "price", 0); null if there is none.
  nlohmann::json Part(const std::string& list, const std::string& name, int index = -1) const;
};

class RigRun {
 public:
  // Writes `scenario` to a file of its own and starts `test_rig run FILE --out FOLDER ARGUMENTS...`.
  // `under` is a command that is given all that as its last arguments: {"perf", "record", "--"}.
  explicit RigRun(const std::string& scenario, const std::vector<std::string>& arguments = {},
                  const std::vector<std::string>& under = {});
  // Starts the rig with these arguments and no scenario.
  static RigRun Call(const std::vector<std::string>& arguments);
  RigRun(RigRun&& other) noexcept;
  ~RigRun();  // kills what still runs

  pid_t pid() const { return pid_; }
  const std::string& folder() const { return folder_; }
  const std::string& scenario_file() const { return scenario_file_; }
  FinishedRun Wait();

  // Every process that descends from this call and lives (zombies do not), the rig itself included: they are known by a
  // variable of their environment.
  std::vector<pid_t> Living() const;
  // Waits until nothing of this call lives; what still does after the limit.
  std::vector<pid_t> LivingAfter(std::chrono::milliseconds limit) const;
  // A living child by its name in the process list ("worker lone.0"), waited for; 0 if it does not come.
  pid_t Find(const std::string& name) const;
  // Waits until a line of progress says that the window has begun; false if none does.
  bool AwaitWindow() const;
  // All of that name, without waiting.
  std::vector<pid_t> FindAll(const std::string& name) const;

 private:
  RigRun() = default;
  void Start(const std::vector<std::string>& arguments, const std::vector<std::string>& under = {});

  pid_t pid_ = 0;
  std::string mark_, folder_, scenario_file_, out_, err_;
  std::chrono::steady_clock::time_point started_;
};

// The report's complaints against docs/report.md.
std::vector<std::string> CheckReport(const FinishedRun& run);

// The cores this test may use.
std::vector<int> TestCores();

// Whether the kernel's trace numbers tasks as we do: it knows those of the first pid namespace only.
bool InFirstPidNamespace();

}  // namespace corerig
