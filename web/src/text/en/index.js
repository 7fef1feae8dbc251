// Every text of the page in English; text/ko has the same keys.

import auxiliary from "./auxiliary.js";
import compression from "./compression.js";
import module from "./module.js";
import network from "./network.js";
import own from "./own.js";
import page from "./page.js";
import pretrained from "./pretrained.js";
import signals from "./signals.js";
import size from "./size.js";

export default { ...page, ...size, ...compression, ...module, ...network, ...auxiliary, ...pretrained, ...signals, ...own };
