// `corerig board`.
#pragma once

namespace corerig {

// Prints what this board is, what can be measured on it and what to change, as text or as JSON. Returns the exit
// status.
int BoardCommand(bool as_json);

}  // namespace corerig
