// Joins the reports of the shards of a run into one.
#pragma once

#include <vector>

#include "harness/base/record.h"
#include "harness/report/shard_report.h"
#include "harness/run/rig.h"

namespace corerig {

// The answers are concluded from the sums of all shards: the same bits as of one run over all, if all computed in
// vectors of one width. The verdict is the worst of the shards', and of the answers' checks; UNDECIDED if a shard is
// missing. Fails if the reports are not of one run, two are of one shard, or a workload is not this rig's.
Result<RunRecord> MergeShards(const Rig& rig, const std::vector<ShardReport>& shards);

}  // namespace corerig
