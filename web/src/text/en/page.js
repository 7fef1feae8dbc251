// Title, navigation, and what several chapters say.

export default {
  "page.title": "GoogLeNet, seen from inside",
  "page.name": "GoogLeNet",
  "page.lede":
    "A student’s notes on GoogLeNet, the first Inception network, with everything in them set in motion. Move a slider and the arithmetic follows; choose a picture and a real network, which is inside this file, shows what it does with it.",
  "page.skip": "Skip to the first chapter",
  "page.chapters": "Chapters",
  "page.footer":
    "Made by <code>googlenet page</code>, version {version}. Numbers of cost are those of <code>googlenet.cost</code>, probabilities those of PyTorch within 1e-4. The page needs no network and sends nothing. Source of the architecture: Szegedy et al., <em>Going deeper with convolutions</em>, CVPR 2015. Pictures of clothes: Fashion-MNIST, Zalando SE, MIT licence. Signals: GunPoint, UCR archive.",
  "nav.size": "Size",
  "nav.compression": "1×1",
  "nav.module": "Module",
  "nav.network": "Network",
  "nav.auxiliary": "Auxiliary",
  "nav.pretrained": "Pretrained",
  "nav.signals": "1-D",
  "nav.own": "Your own",
  "picture.choose": "Picture",
  "picture.waking": "The network is waking up …",
  "hero.none": "This page has no picture to show the network: choose one under <a href=\"#own\">Your own</a>.",
  "picture.says": "It says <b>{label}</b>, at {share}.",
  "picture.alt": "The picture as the network sees it: {label}",
  "picture.own": "your picture",
  "hero.maps": "From left to right: the picture, then what each module makes of it, as the mean of its channels, dark where it is low and bright where it is high, on a scale of its own. The maps become smaller and the channels more, until a mean over places and one linear layer decide.",
  "hero.map": "Mean map of module {module}, {size} samples",
};
