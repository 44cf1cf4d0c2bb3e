"""fuzz_test: one target that is a replay test under GCC and a libFuzzer binary under --config=fuzz."""

def fuzz_test(name, srcs, deps = [], corpus = [], size = "small", tags = []):
    """A fuzzer.

    Args:
      name: the target, x_fuzz.
      srcs: the file with LLVMFuzzerTestOneInput.
      deps: what it needs.
      corpus: files to start from; replayed and mutated by the test.
      size: of the test.
      tags: of the test.
    """
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        args = ["$(locations %s)" % label for label in corpus],
        data = corpus,
        linkopts = select({
            "//base/testing:libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        tags = tags + ["fuzz"],
        deps = deps + select({
            "//base/testing:libfuzzer": [],
            "//conditions:default": ["//base/testing:fuzz_replay_main"],
        }),
    )
