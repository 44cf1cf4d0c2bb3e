"""Every library of the system that the project links, by its upstream name."""

load("//third_party:blake3.bzl", "blake3_repository")
load("//third_party:pkg_config.bzl", "pkg_config_repository")

_ABSL = [
    "any_invocable",
    "base",
    "bind_front",
    "cleanup",
    "cord",
    "core_headers",
    "fixed_array",
    "flat_hash_map",
    "flat_hash_set",
    "function_ref",
    "hash",
    "inlined_vector",
    "int128",
    "node_hash_map",
    "optional",
    "random_bit_gen_ref",
    "random_distributions",
    "random_random",
    "span",
    "status",
    "statusor",
    "str_format",
    "strings",
    "synchronization",
    "time",
    "variant",
]

_PROTOBUF_BUILD = """
package(default_visibility = ["//visibility:public"])
cc_library(name = "protobuf", linkopts = ["-lprotobuf"])
sh_binary(name = "protoc", srcs = ["bin/protoc"])
proto_lang_toolchain(
    name = "cc_toolchain",
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
)
"""

def _one(name, module, target = None):
    pkg_config_repository(name = name, targets = {(target or name): module})

def system_libraries():
    """Declares one repository for each library."""
    pkg_config_repository(
        name = "com_google_absl",
        archives = True,
        targets = {name: "absl_" + name for name in _ABSL},
    )
    native.new_local_repository(
        name = "com_google_protobuf",
        build_file_content = _PROTOBUF_BUILD,
        path = "/usr",
    )
    pkg_config_repository(
        name = "com_google_googletest",
        targets = {"gtest": "gmock", "gtest_main": "gmock_main"},
    )
    pkg_config_repository(name = "com_github_google_benchmark", targets = {"benchmark": "benchmark"})
    _one("com_github_google_glog", "libglog", "glog")
    _one("com_googlesource_code_re2", "re2", "re2")
    _one("fuse3", "fuse3")
    _one("liburing", "liburing")
    _one("isal", "libisal")
    _one("xxhash", "libxxhash")
    _one("openssl_crypto", "libcrypto", "crypto")
    _one("lz4", "liblz4")
    _one("zstd", "libzstd")
    _one("libarchive", "libarchive", "archive")
    _one("ncursesw", "ncursesw")
    _one("zlib", "zlib")
    _one("md4c", "md4c")
    _one("libyaml", "yaml-0.1")
    _one("libxml2", "libxml-2.0")
    _one("pugixml", "pugixml")
    _one("expat", "expat")
    _one("utf8proc", "libutf8proc")
    pkg_config_repository(name = "icu", targets = {"uc": "icu-uc", "i18n": "icu-i18n"})
    _one("libwebp", "libwebp", "webp")
    _one("libjpeg", "libjpeg", "jpeg")
    _one("libspng", "spng")

    # Header-only or without a .pc file of their own.
    pkg_config_repository(
        name = "system",
        plain = {
            "nlohmann_json": [],
            "tomlplusplus": [],
            "simdjson": ["-lsimdjson"],
            "httplib": ["-lcpp-httplib", "-lpthread"],
            "pthread": ["-lpthread"],
        },
    )
    blake3_repository(name = "blake3")
