"""What a command refuses before it begins."""

from pathlib import Path

from googlenet.apps.cli.usage import is_read


def test_no_result_is_written_over_what_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a/0.png", "photos/a/1.png", "labels.csv", "photos/labels.csv", "run/run.json", "run/x.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    one = Path("photos/a/0.png")
    assert all(
        is_read(one, word) for word in ("photos/a/0.png", "photos/a", "photos", "photos/*/0.png", "photos/**/*.png")
    )
    assert not any(is_read(one, word) for word in ("photos/a/1.png", "photos/a/1*.png", "run", "-"))
    assert is_read(Path("run/x.csv"), "run") and not is_read(Path("photos/labels.csv"), "photos")
    assert not is_read(Path("photos/a/2.png"), "photos")
