// Chapter 7: one dimension.

export default {
  "signals.title": "Can the same idea serve 1-D data?",
  "signals.intro":
    "The notes end with this question. A signal has one axis, so a kernel is a stretch of time: 9 taps instead of 3×3. The rest stays: branches of several lengths side by side, a 1×1 in front of them, channels concatenated. Here such a network (<code>googlenet_1d</code>, six modules, four networks side by side) has learned GunPoint: the height of a hand that draws a gun from its holster and aims, or only points. Draw another course with the pointer, or alter this one with the sliders, and see which branch answers.",
  "signals.figure": "A signal, the network’s answer to it, and which branch answers where",
  "signals.none": "This page has no signal to show the network: choose one under <a href=\"#own\">Your own</a>.",
  "signals.example": "Example",
  "signals.option": "{name}: {label}",
  "signals.channel": "Channel to draw",
  "signals.place": "Bump at",
  "signals.height": "Bump, height",
  "signals.width": "Bump, width",
  "signals.shift": "Shift in time",
  "signals.gain": "Strength",
  "signals.reset": "The example as it was",
  "signals.trace": "The signal: {count} samples; the darker the ground, the more a stretch adds to the answer {label}",
  "signals.says": "The network says <b>{label}</b>, at {share}.",
  "signals.known": "The example is of the class {label}.",
  "signals.drawn": "This is your own signal.",
  "signals.kernels": "kernels of module {module} where the pointer or the bump is, true to scale",
  "signals.branches": "Which branch answers, and when",
  "signals.table": "Every branch of every module: the mean of its channels along time",
  "signals.strips": "Each strip runs from the first sample to the last: the mean of the channels of a branch, dark where it is silent, bright where it answers. The strips of a module share one scale.",
  "signals.contribute": "Work out what each branch contributes",
  "signals.caption":
    "Orange ground: what a stretch adds to the logit of the answer (class activation map; exact, since the network ends in a mean over time and one linear layer). Bars below the signal: the kernels of the first module.",
  "signals.answer":
    "<b>It can.</b> On 48 sets of the UCR archive four such networks and the kernels beside them have a mean test accuracy of 0.891, where the published one of InceptionTime is 0.854. All 48 take an hour of one core to train; on GunPoint, InceptionTime would take 133 times as long as the networks alone on the same cores. Two things had to change: long kernels stand only where there are few channels to read, and further in, dilation and a shorter signal give the reach. The script is <code>benchmarks/ucr.py</code>, the table <code>docs/signals.md</code>.",
};
