#include "tools/corerig/merge_command.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <system_error>

#include "harness/base/text.h"
#include "harness/os/fd.h"
#include "harness/report/report_file.h"
#include "harness/report/report_json.h"
#include "harness/report/summary.h"
#include "tools/corerig/folder_hold.h"
#include "tools/corerig/merge_shards.h"
#include "tools/corerig/rig_main.h"

namespace corerig {
namespace {

int Complain(const std::string& message) {
  std::cerr << "corerig: " << message << "\n";
  return kWrongUse;
}

std::string FileOf(const std::string& path) {
  struct stat status = {};
  const bool folder = stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  return folder ? path + "/report.json" : path;
}

Status Write(const std::string& folder, const RunRecord& record) {
  if (auto prepared = PrepareFolder(folder); !prepared) return prepared;
  const auto held = HoldFolder(folder);
  if (!held) return Forward(held);
  return WriteReport(folder, ReportToJson(record));
}

}  // namespace

int MergeCommand(const Rig& rig, const MergeArguments& arguments) {
  const std::string path = arguments.out.empty() ? "" : arguments.out + "/report.json";
  std::vector<ShardReport> shards;
  for (const auto& report : arguments.reports) {
    const std::string file = FileOf(report);
    std::error_code none;
    if (std::filesystem::equivalent(file, path, none)) {
      return Complain(
          StrCat("--out ", arguments.out, " would replace ", file, ", which is to be merged; name another folder"));
    }
    const auto text = ReadFile(file);
    if (!text) return Complain(text.error().message);
    auto shard = ReadShardReport(*text, file);
    if (!shard) return Complain(shard.error().message);
    shards.push_back(std::move(*shard));
  }
  auto record = MergeShards(rig, shards);
  if (!record) return Complain(record.error().message);
  record->version = kVersion;
  Status written;
  if (!arguments.out.empty()) written = Write(arguments.out, *record);
  std::cout << Summary(*record, written ? path : "not written, see the error",
                       isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nullptr)
            << std::flush;
  if (!written) return Complain(written.error().message);
  return ExitCode(record->verdict);
}

}  // namespace corerig
