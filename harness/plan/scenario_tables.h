// The tables of a scenario, each read into its part of the plan. Private to ReadScenario.
//
// What is wrong goes to `fault`; the parts then hold defaults, and their names, so that budgets can be checked all the
// same.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/plan/first_fault.h"
#include "harness/plan/plan.h"
#include "harness/plan/scenario.h"
#include "harness/plan/scenario_document.h"
#include "harness/plan/section.h"
#include "harness/plan/vocabulary.h"

namespace corerig {

// Made of a-z, 0-9 and "-", and not empty.
bool IsName(std::string_view text);

// The tables [KIND.NAME] of one kind, in the order of the file, their names checked.
std::vector<const Entry*> NamedTables(const Entry* kind, FirstFault& fault);

// The one core of a thread: `cores = [n]`, the board's first by default; nothing if it is wrong. `what` is "a loop".
std::optional<CpuId> ReadCore(Section& section, std::string_view what, const Board& board, FirstFault& fault);

Policy ReadPolicy(Section& section, FirstFault& fault);

// A core's number if the board has it. `remedy` ends the message.
std::optional<CpuId> CheckCore(const Value& value, const Board& board, std::string_view remedy, FirstFault& fault);

// A share that stands under `key`: 0.01 or "1%".
double ReadShare(const Value& value, std::string_view key, FirstFault& fault);

// The key `break` of a stream, or of the whole scenario.
std::optional<Nanos> ReadBreakAbove(Section& section, FirstFault& fault);

// A part's own parameters, each checked against its declaration, defaults filled in.
std::vector<Parameter> ReadParameters(Section& section, const std::vector<ParameterInfo>& declared, FirstFault& fault);

// The key `fault` of a stream that sends `frames`; `sensor` is null if it is not known.
std::vector<FaultPlan> ReadFaults(Section& section, bool timer, const SensorInfo* sensor, Rate frames,
                                  FirstFault& fault);

StreamPlan ReadStream(const Entry& table, const std::vector<std::string>& loops, const Vocabulary& vocabulary,
                      FirstFault& fault);

// `used` are the cores of source and loops. A group whose cores are wrong still has as many workers as it may have
// meant.
WorkerPlan ReadWorker(const Entry& table, const std::vector<CpuId>& used, const Vocabulary& vocabulary,
                      const Board& board, FirstFault& fault);

}  // namespace corerig
