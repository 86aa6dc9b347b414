"""Repository rules that turn Debian packages into Bazel repositories (no network)."""

_RULES_CC = "/usr/share/bazel/rules/cc"

def _require(ctx, path, package):
    if not ctx.path(path).exists:
        fail("%s is missing: apt-get install %s" % (path, package))

def _debian_rules_cc_impl(ctx):
    """The bazel-rules-cc package, made loadable by Bazel 4.2.

    Two files of version 0.0.4 load use_cpp_toolchain() from @bazel_tools, which
    has it from Bazel 5 on.  It stands for a list that holds the C++ toolchain
    type; the list is put in its place.  Later versions have no such file.
    """
    _require(ctx, _RULES_CC + "/cc/defs.bzl", "bazel-rules-cc")
    impl = "cc/private/rules_impl/"
    rewrite = [
        name
        for name in [impl + "compiler_flag.bzl", impl + "cc_flags_supplier.bzl"]
        if ctx.path(_RULES_CC + "/" + name).exists
    ]
    directories = ["cc", "cc/private", "cc/private/rules_impl"] if rewrite else []
    for directory in [""] + directories:
        for child in ctx.path(_RULES_CC + "/" + directory).readdir():
            name = directory + "/" + child.basename if directory else child.basename
            if name not in rewrite + directories + ["WORKSPACE"]:
                ctx.symlink(child, name)
    for name in rewrite:
        text = ctx.read(_RULES_CC + "/" + name)
        text = text.replace(', "use_cpp_toolchain"', "")
        text = text.replace("use_cpp_toolchain()", '["@bazel_tools//tools/cpp:toolchain_type"]')
        ctx.file(name, text, executable = False)
    ctx.file("WORKSPACE", 'workspace(name = "rules_cc")\n', executable = False)

debian_rules_cc = repository_rule(
    implementation = _debian_rules_cc_impl,
    local = True,
)

def _debian_library_impl(ctx):
    for path, package in ctx.attr.needs.items():
        _require(ctx, path, package)
    for name, candidates in ctx.attr.links.items():
        for path in candidates:
            if ctx.path(path).exists:
                ctx.symlink(path, name)
                break
    for name, text in ctx.attr.files.items():
        ctx.file(name, text, executable = False)
    ctx.symlink(ctx.attr.build_file, "BUILD.bazel")
    ctx.file("WORKSPACE", 'workspace(name = "%s")\n' % ctx.name, executable = False)

debian_library = repository_rule(
    implementation = _debian_library_impl,
    local = True,
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        "files": attr.string_dict(doc = "file in the repository -> its text"),
        "links": attr.string_list_dict(doc = "path in the repository -> absolute paths, the first that exists"),
        "needs": attr.string_dict(doc = "absolute path -> Debian package that ships it"),
    },
)

# cpu in @platforms//cpu -> Debian's library directory.
_MULTIARCH = {
    "aarch64": "aarch64-linux-gnu",
    "armv7": "arm-linux-gnueabihf",
    "riscv64": "riscv64-linux-gnu",
    "x86_64": "x86_64-linux-gnu",
}

def _libuv_links():
    links = {"include/uv": ["/usr/include/uv"], "include/uv.h": ["/usr/include/uv.h"]}
    for cpu, triplet in _MULTIARCH.items():
        directory = "/usr/lib/%s/" % triplet
        links["lib/%s/libuv.a" % cpu] = [directory + "libuv_a.a", directory + "libuv.a"]
        links["lib/%s/libuv.so.1" % cpu] = [directory + "libuv.so.1"]
    return links

def debian_libraries():
    """The libraries, under the names they have in the Bazel Central Registry."""
    debian_library(
        name = "cli11",
        build_file = "//tools/deps:cli11.BUILD",
        links = {"include/CLI": ["/usr/include/CLI"]},
        needs = {"/usr/include/CLI/CLI.hpp": "libcli11-dev"},
    )
    debian_library(
        name = "eigen",
        build_file = "//tools/deps:eigen.BUILD",
        links = {"include/Eigen": ["/usr/include/eigen3/Eigen"]},
        needs = {"/usr/include/eigen3/Eigen/Core": "libeigen3-dev"},
    )
    debian_library(
        name = "google_benchmark",
        build_file = "//tools/deps:google_benchmark.BUILD",
        links = {
            "include/benchmark": ["/usr/include/benchmark"],
            "lib/libbenchmark.so": ["/usr/lib/x86_64-linux-gnu/libbenchmark.so", "/usr/lib/aarch64-linux-gnu/libbenchmark.so"],
        },
        needs = {"/usr/include/benchmark/benchmark.h": "libbenchmark-dev"},
    )
    debian_library(
        name = "googletest",
        build_file = "//tools/deps:googletest.BUILD",
        links = {
            "googlemock": ["/usr/src/googletest/googlemock"],
            "googletest": ["/usr/src/googletest/googletest"],
        },
        needs = {"/usr/src/googletest/googletest/src/gtest-all.cc": "googletest"},
    )
    debian_library(
        name = "libuv",
        build_file = "//tools/deps:libuv.BUILD",
        links = _libuv_links(),
        needs = {"/usr/include/uv.h": "libuv1-dev"},
    )
    debian_library(
        name = "nlohmann_json",
        build_file = "//tools/deps:nlohmann_json.BUILD",
        links = {"include/nlohmann": ["/usr/include/nlohmann"]},
        needs = {"/usr/include/nlohmann/json.hpp": "nlohmann-json3-dev"},
    )
    debian_library(
        name = "tl-expected",
        build_file = "//tools/deps:tl_expected.BUILD",
        links = {"include/tl": ["/usr/include/tl"]},
        needs = {"/usr/include/tl/expected.hpp": "libexpected-dev"},
    )
    debian_library(
        name = "tomlplusplus",
        build_file = "//tools/deps:tomlplusplus.BUILD",
        files = {"toml.hpp": "#include <toml++/toml.h>\n"},
        links = {"include/toml++": ["/usr/include/toml++"]},
        needs = {"/usr/include/toml++/toml.h": "libtomlplusplus-dev"},
    )

def debian_repositories():
    """All repositories of WORKSPACE.  Each one takes the place of a download."""
    debian_rules_cc(name = "rules_cc")
    for name, path in {
        "bazel_features": "tools/features",  # from Bazel 7 on
        "bazel_skylib": "tools/skylib",
        "rules_java": "rules/java",
        "rules_license": "rules/license",  # from Bazel 7 on
        "rules_proto": "rules/proto",
        "rules_python": "rules/python",  # from Bazel 7 on
    }.items():
        native.local_repository(name = name, path = "/usr/share/bazel/" + path)
    debian_library(name = "remote_coverage_tools", build_file = "//tools/deps:coverage.BUILD")
    debian_libraries()
