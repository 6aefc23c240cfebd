"""Builds pystream._engine from csrc/*/*.c, and pystream._kafka from csrc/kafka where librdkafka is found, with the system's libraries.

PYSTREAM_DEBUG=1      assertions and debug information
PYSTREAM_SANITIZE=1   address and undefined-behaviour sanitizers
PYSTREAM_COVERAGE=1   gcov counters
"""
import glob
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

#: Extension -> pkg-config name -> Debian package.
LIBRARIES = {
    "pystream._engine": {"zlib": "zlib1g-dev", "liblz4": "liblz4-dev", "libzstd": "libzstd-dev", "libpcre2-8": "libpcre2-dev"},
    "pystream._kafka": {"rdkafka": "librdkafka-dev"},
}


def missing(extension):
    """The Debian packages that an extension lacks."""
    if shutil.which("pkg-config") is None:
        sys.exit("pystream: pkg-config is missing; on Debian: apt-get install pkg-config")
    return [debian for name, debian in LIBRARIES[extension].items() if subprocess.call(["pkg-config", "--exists", name])]


def pkg_config(extension, option):
    return subprocess.check_output(["pkg-config", option, *LIBRARIES[extension]], text=True).split()


def flags():
    compile_args = ["-std=c11", "-D_GNU_SOURCE", "-O3", "-fno-semantic-interposition"]
    link_args = []
    if not (os.environ.get("PYSTREAM_DEBUG") or os.environ.get("PYSTREAM_SANITIZE")):
        compile_args += ["-g0", "-DNDEBUG"]
    if os.environ.get("PYSTREAM_DEBUG"):
        compile_args += ["-g", "-DPS_DEBUG", "-O1"]
    if os.environ.get("PYSTREAM_SANITIZE"):
        sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
        compile_args += [*sanitize, "-g", "-O1", "-fno-omit-frame-pointer", "-DPS_DEBUG"]
        link_args += sanitize
    if os.environ.get("PYSTREAM_COVERAGE"):
        compile_args += ["--coverage", "-O0"]
        link_args += ["--coverage"]
    return compile_args, link_args


class BuildExt(build_ext):
    """Compiles the sources of an extension side by side, and only what has changed."""

    def links(self, ext):
        """The engine shows its ps_ names; another extension lies beside it and is linked to it."""
        if ext.name == "pystream._engine":
            return ["-Wl,--version-script=csrc/engine.map", "-Wl,-Bsymbolic"]
        engine = self.get_ext_fullpath("pystream._engine")
        return [f"-L{os.path.dirname(engine)}", f"-l:{os.path.basename(engine)}", "-Wl,-rpath,$ORIGIN"]

    def build_extension(self, ext):
        compile_args, link_args = flags()
        ext.extra_compile_args = [*compile_args, *pkg_config(ext.name, "--cflags")]
        ext.extra_link_args = [*link_args, *self.links(ext), *pkg_config(ext.name, "--libs")]
        compiler, compile_one = self.compiler, type(self.compiler)._compile

        def side_by_side(sources, output_dir=None, macros=None, include_dirs=None, debug=0, extra_preargs=None,
                         extra_postargs=None, depends=None):
            macros, objects, extra, pp_opts, build = compiler._setup_compile(
                output_dir, macros, include_dirs, sources, depends, extra_postargs)
            cc_args = compiler._get_cc_args(pp_opts, debug, extra_preargs)
            newest = max(os.path.getmtime(name) for name in ext.depends)
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                jobs = [pool.submit(compile_one, compiler, obj, *build[obj], cc_args, extra, pp_opts)
                        for obj in objects if stale(obj, build[obj][0], newest, self.force)]
                for job in jobs:
                    job.result()
            return objects

        compiler.compile = side_by_side
        super().build_extension(ext)


def stale(obj, source, newest_header, force):
    return force or not os.path.exists(obj) or os.path.getmtime(obj) < max(os.path.getmtime(source), newest_header)


def extension(name, *folders):
    sources = sorted(source for folder in folders for source in glob.glob(f"csrc/{folder}/*.c"))
    return Extension(name, sources, include_dirs=["csrc"], depends=HEADERS)


FOLDERS = ("base", "col", "log", "fmt", "state", "expr", "io", "op", "plan", "sql", "query", "py")
HEADERS = sorted([*glob.glob("csrc/*/*.h"), *glob.glob("csrc/*/*.def"), "csrc/engine.map", "setup.py"])
EXTENSIONS = [extension("pystream._engine", *FOLDERS)]

if missing("pystream._engine"):
    sys.exit(f"pystream: libraries are missing; on Debian: apt-get install {' '.join(missing('pystream._engine'))}")
if missing("pystream._kafka"):
    print(f"pystream: without Kafka, whose headers are missing; on Debian: apt-get install {' '.join(missing('pystream._kafka'))}")
else:
    EXTENSIONS.append(extension("pystream._kafka", "kafka"))

setup(ext_modules=EXTENSIONS, cmdclass={"build_ext": BuildExt})
