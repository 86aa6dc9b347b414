#include "harness/child/command.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "harness/base/text.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

// `path` as seen from where this process stands.
std::string Seen(const std::string& path, const std::string& from) {
  return from.empty() || path.starts_with('/') ? path : StrCat(from, "/", path);
}

// Where a relative path starts, for messages: "" for an absolute one.
std::string StartOf(const std::string& path, const std::string& from) {
  if (path.starts_with('/')) return "";
  char here[4096];
  if (getcwd(here, sizeof here) == nullptr) return "";
  return StrCat(" (seen from ", from.empty() ? here : from.starts_with('/') ? from : StrCat(here, "/", from), ")");
}

// 0, or the errno of execve for what can be told beforehand.
int Executable(const std::string& seen) {
  struct stat status = {};
  if (stat(seen.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, seen.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

// The interpreter that a script names in its first line (man 2 execve); nothing for what is no script.
std::optional<std::string> InterpreterOf(const std::string& seen) {
  const Fd file(open(seen.c_str(), O_RDONLY | O_CLOEXEC));
  char head[256];
  const ssize_t size = file.valid() ? read(file.get(), head, sizeof head) : -1;
  if (size < 2 || head[0] != '#' || head[1] != '!') return std::nullopt;
  std::string_view line(head + 2, static_cast<std::size_t>(size) - 2);
  line = line.substr(0, line.find('\n'));
  line = line.substr(std::min(line.size(), line.find_first_not_of(" \t")));
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

std::string Refusal(const std::string& path, const std::string& from, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return StrCat("there is no program ", path, StartOf(path, from), "; write the path of one, or set workdir");
    case EISDIR:
      return StrCat(path, " is a directory", StartOf(path, from), "; write the path of a program");
    case EACCES:
      return StrCat(path, " is not executable", StartOf(path, from), "; first: chmod +x ", path);
    default:
      return StrCat(path, StartOf(path, from), ": ", ErrnoText(error));
  }
}

// The program itself is executable; so must be what executes it.
Status CheckInterpreter(const std::string& path, const std::string& from) {
  const auto interpreter = InterpreterOf(Seen(path, from));
  if (!interpreter) return {};
  const int error = interpreter->empty() ? ENOENT : Executable(Seen(*interpreter, from));
  if (error == 0) return {};
  std::string shown = *interpreter;
  // Written on Windows: the line ends in CR LF, and the interpreter's name in CR.
  const bool carriage_return = shown.ends_with('\r');
  if (carriage_return) shown.pop_back();
  return Fail(path, " is a script for \"", shown, "\"",
              carriage_return ? ", but its first line ends in CR LF; write it with LF"
              : error == ENOENT || error == ENOTDIR
                  ? ", which is not there; install that interpreter or correct the script's first line"
                  : ", which cannot be executed; correct the script's first line");
}

std::string SearchPath(const CommandPlan& command) {
  for (const auto& variable : command.env) {
    if (variable.name == "PATH") return variable.value;
  }
  const char* ours = getenv("PATH");
  return ours != nullptr ? ours : "/usr/local/bin:/usr/bin:/bin";
}

}  // namespace

Status CheckWorkdir(const CommandPlan& command) {
  if (command.workdir.empty()) return {};
  struct stat status = {};
  if (stat(command.workdir.c_str(), &status) != 0) {
    return Fail("workdir ", command.workdir, StartOf(command.workdir, ""), ": ", ErrnoText(errno),
                "; name a folder that is there");
  }
  if (!S_ISDIR(status.st_mode)) return Fail("workdir ", command.workdir, " is no folder; name one");
  if (faccessat(AT_FDCWD, command.workdir.c_str(), X_OK, AT_EACCESS) != 0) {
    return Fail("workdir ", command.workdir, " may not be entered: ", ErrnoText(errno));
  }
  return {};
}

Result<std::string> FindProgram(const CommandPlan& command, const std::string& from) {
  const std::string& name = command.argv.at(0);
  if (name.find('/') != std::string::npos) {
    if (const int error = Executable(Seen(name, from)); error != 0) return Fail(Refusal(name, from, error));
    if (const auto checked = CheckInterpreter(name, from); !checked) return Forward(checked);
    return name;
  }
  const std::string search = SearchPath(command);
  std::string refused;
  for (const std::string_view folder : Split(search, ':')) {
    // An empty part is the working directory (man 3 execvp).
    const std::string path = StrCat(folder.empty() ? "." : folder, "/", name);
    const int error = Executable(Seen(path, from));
    if (error == EACCES && refused.empty()) refused = path;
    if (error != 0) continue;
    if (const auto checked = CheckInterpreter(path, from); !checked) return Forward(checked);
    return path;
  }
  if (!refused.empty()) return Fail(Refusal(refused, from, EACCES));
  return Fail("there is no program ", name, " in PATH (", search, "); write its path, such as \"./", name, "\"");
}

std::string ExecRefusal(const std::string& path, int error) {
  const std::string what = StrCat("exec ", path, ": ");
  const bool there = Executable(path) == 0;
  if (error == ENOENT && there) {
    const auto interpreter = InterpreterOf(path);
    if (interpreter) return StrCat(what, "its interpreter ", *interpreter, " is not there: ", ErrnoText(error));
    return StrCat(what, "the dynamic loader it names is not there (readelf -l tells which): ", ErrnoText(error));
  }
  if (error == ENOEXEC) {
    return StrCat(what, "neither a program for this machine nor a script that begins with #!: ", ErrnoText(error));
  }
  if (error == EACCES && there) {
    return StrCat(what, "refused, as on a file system mounted noexec: ", ErrnoText(error));
  }
  return StrCat(what, ErrnoText(error));
}

}  // namespace corerig
