"""BLAKE3's official C sources, as packaged by Debian inside librust-blake3-dev."""

_BUILD = """
cc_library(
    name = "blake3",
    srcs = [
        "c/blake3.c",
        "c/blake3_dispatch.c",
        "c/blake3_portable.c",
    ] + select({
        "@platforms//cpu:x86_64": [
            "c/blake3_avx2_x86-64_unix.S",
            "c/blake3_avx512_x86-64_unix.S",
            "c/blake3_sse2_x86-64_unix.S",
            "c/blake3_sse41_x86-64_unix.S",
        ],
        "@platforms//cpu:aarch64": ["c/blake3_neon.c"],
        "//conditions:default": [],
    }),
    hdrs = ["c/blake3.h"],
    # blake3_impl.h declares hash_many and the chunk primitives, which the
    # threaded tree hash of ours is built on.
    textual_hdrs = ["c/blake3_impl.h"],
    copts = ["-w", "-O3"],
    includes = ["c"],
    visibility = ["//visibility:public"],
)
"""

def _impl(ctx):
    listing = ctx.execute(["sh", "-c", "ls -d /usr/share/cargo/registry/blake3-*/c | sort -V | tail -n 1"])
    path = listing.stdout.strip()
    if not path:
        fail("BLAKE3's C sources are missing (package librust-blake3-dev); run tools/setup first")
    ctx.symlink(path, "c")
    ctx.file("BUILD", _BUILD)

blake3_repository = repository_rule(implementation = _impl, local = True)
