"""The programs of README.md run, and print what it says."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_readme_programs(tmp_path):
    text = (ROOT / "README.md").read_text("utf-8")
    programs = re.findall(r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", text, re.S)
    assert len(programs) >= 2
    for program, printed in programs:
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == printed.strip()


def test_links_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "csrc" / "README.md", ROOT / "tests" / "README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
