#include "harness/child/command.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace corerig {
namespace {

// A folder of this test with a few files in it.
class Program : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::string(getenv("TEST_TMPDIR")) + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    mkdir(folder_.c_str(), 0755);
    mkdir((folder_ + "/bin").c_str(), 0755);
  }
  std::string Add(const std::string& name, const std::string& content, mode_t mode = 0755) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    chmod(path.c_str(), mode);
    return path;
  }
  Result<std::string> Find(const std::string& name, const std::string& search = "") {
    CommandPlan command{.argv = {name}, .env = {}, .workdir = folder_, .units_pattern = "", .until_exit = false};
    if (!search.empty()) command.env.push_back({"PATH", search});
    return FindProgram(command, folder_);
  }
  std::string Refusal(const std::string& name, const std::string& search = "") {
    const auto found = Find(name, search);
    EXPECT_FALSE(found) << name << " was taken as " << *found;
    return found ? "" : found.error().message;
  }
  std::string folder_;
};

TEST_F(Program, APathIsSeenFromTheWorkdir) {
  Add("prog", "#!/bin/sh\n");
  EXPECT_EQ(Find("./prog").value_or("none"), "./prog");
  EXPECT_EQ(Find(folder_ + "/prog").value_or("none"), folder_ + "/prog");
  EXPECT_EQ(Refusal("./other"),
            "there is no program ./other (seen from " + folder_ + "); write the path of one, or set workdir");
}

TEST_F(Program, ANameIsLookedForInThePathOfTheCommand) {
  Add("bin/prog", "#!/bin/sh\n");
  EXPECT_EQ(Find("prog", "/nowhere:" + folder_ + "/bin").value_or("none"), folder_ + "/bin/prog");
  EXPECT_EQ(Find("prog", "bin").value_or("none"), "bin/prog") << "seen from the workdir";
  Add("here", "#!/bin/sh\n");
  EXPECT_EQ(Find("here", ":/nowhere").value_or("none"), "./here") << "an empty part is the workdir";
  EXPECT_EQ(Refusal("here", "/nowhere"),
            "there is no program here in PATH (/nowhere); write its path, such as \"./here\"");
  EXPECT_TRUE(Find("sh")) << "our own PATH";
}

TEST_F(Program, AFileThatCannotBeExecutedIsPassedOverAndNamed) {
  Add("prog", "#!/bin/sh\n", 0644);
  Add("bin/prog", "#!/bin/sh\n");
  EXPECT_EQ(Find("prog", ".:bin").value_or("none"), "bin/prog");
  EXPECT_NE(Refusal("prog", ".").find("./prog is not executable"), std::string::npos);
  EXPECT_NE(Refusal("./prog").find("chmod +x ./prog"), std::string::npos);
  EXPECT_NE(Refusal("./bin").find("is a directory"), std::string::npos);
}

TEST_F(Program, AScriptNeedsItsInterpreter) {
  Add("lost", "#! /no/such/interpreter -x\n");
  EXPECT_NE(Refusal("./lost").find("a script for \"/no/such/interpreter\", which is not there"), std::string::npos)
      << Refusal("./lost");
  Add("windows", "#!/bin/sh\r\necho\r\n");
  EXPECT_NE(Refusal("./windows").find("CR LF"), std::string::npos) << Refusal("./windows");
  Add("empty", "#!\n");
  EXPECT_NE(Refusal("./empty"), "");
}

TEST_F(Program, AWorkdirIsAFolder) {
  const auto check = [](const std::string& workdir) {
    const auto checked = CheckWorkdir({.argv = {"x"}, .env = {}, .workdir = workdir});
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(check(folder_), "");
  EXPECT_EQ(check(""), "");
  EXPECT_NE(check(folder_ + "/none").find("ENOENT"), std::string::npos);
  EXPECT_NE(check(Add("file", "")).find("is no folder"), std::string::npos);
}

// The errno is the kernel's own, by executing it.
TEST_F(Program, ARefusedExecIsExplained) {
  const auto refusal = [](const std::string& path) {
    char* argv[] = {const_cast<char*>(path.c_str()), nullptr};
    execve(path.c_str(), argv, environ);
    return ExecRefusal(path, errno);
  };
  EXPECT_NE(refusal(folder_ + "/none").find("No such file or directory (ENOENT)"), std::string::npos);
  EXPECT_NE(
      refusal(Add("script", "#!/no/such/interpreter\n")).find("its interpreter /no/such/interpreter is not there"),
      std::string::npos);
  EXPECT_NE(refusal(Add("text", "neither\n")).find("neither a program for this machine nor a script"),
            std::string::npos);
  EXPECT_NE(refusal(Add("plain", "#!/bin/sh\n", 0644)).find("EACCES"), std::string::npos);
}

}  // namespace
}  // namespace corerig
