"""Tables with a row for each moment, written for tests."""

from googlenet.data.signals.recordings.readers.formats import open_recordings


def long_table(ids="", step=0.02, column="time", unit=1.0):
    rows = [f"{'session,' if ids else ''}{column},ax,ay,activity"]
    for name in ids or " ":
        for at in range(100):
            label = "walk" if at < 50 else "run"
            rows.append(f"{name + ',' if ids else ''}{at * step * unit:.6g},{at},{-at},{label}")
    return "\n".join(rows) + "\n"


def dated_table(tmp_path, zone, date="2024-05-01 10:00:"):
    rows = [f"{date}{at // 50:02}.{at % 50 * 2:02}{zone},{at}" for at in range(500)]
    (tmp_path / "a.csv").write_text("\n".join(["time,x", *rows]) + "\n")
    return open_recordings(tmp_path / "a.csv")
