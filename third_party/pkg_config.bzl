"""Wraps libraries of the system as Bazel targets by asking pkg-config.

The order of `pkg-config --libs` is kept: Abseil's modules print pairs of
-Wl,--push-state and --pop-state that lose their meaning when sorted.
"""

def _run(ctx, arguments):
    result = ctx.execute(["pkg-config"] + arguments)
    if result.return_code != 0:
        fail("pkg-config %s failed; run tools/setup first: %s" %
             (" ".join(arguments), result.stderr))
    return [word for word in result.stdout.strip().split(" ") if word]

def _impl(ctx):
    build = ['package(default_visibility = ["//visibility:public"])']
    linked = {}
    archives = {}
    for target, module in ctx.attr.targets.items():
        defines = []
        includes = []
        headers = []
        for word in _run(ctx, ["--cflags", module]):
            if word.startswith("-D"):
                defines.append(word[2:])
            elif word.startswith("-I") and word != "-I/usr/include":
                directory = word[2:]
                name = directory.strip("/").replace("/", "_")
                if name not in linked:
                    ctx.symlink(directory, name)
                    linked[name] = True
                includes.append(name)
                headers.append(name + "/**")
        linkopts = _run(ctx, ["--libs", module])
        if ctx.attr.archives:
            directory = ctx.path(_run(ctx, ["--variable=libdir", module])[0])
            for word in linkopts:
                archive = "lib" + word[2:] + ".a"
                if word.startswith("-l") and archive not in archives and directory.get_child(archive).exists:
                    ctx.symlink(directory.get_child(archive), "archives/" + archive)
                    archives[archive] = True
        build.append("""cc_library(
    name = {name},
    hdrs = glob({headers}, allow_empty = True),
    defines = {defines},
    includes = {includes},
    linkopts = {linkopts},
)""".format(
            name = repr(target),
            headers = repr(headers),
            defines = repr(defines),
            includes = repr(includes),
            linkopts = repr(linkopts),
        ))
    if ctx.attr.archives:
        build.append("""filegroup(
    name = "archives",
    srcs = glob(["archives/*.a"]),
)""")
    for target, linkopts in ctx.attr.plain.items():
        build.append("cc_library(name = %s, linkopts = %s)" %
                     (repr(target), repr(linkopts)))
    ctx.file("BUILD", "\n".join(build) + "\n")

pkg_config_repository = repository_rule(
    implementation = _impl,
    attrs = {
        "targets": attr.string_dict(doc = "target name -> pkg-config module"),
        "archives": attr.bool(doc = "offer the static libraries, too: see program.bzl"),
        "plain": attr.string_list_dict(doc = "target name -> linkopts, for libraries without a .pc file"),
    },
    doc = "One repository whose targets are modules known to pkg-config.",
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)
