// The address bar in, page views out: one for the page, one for each change of path or query.

import { safe } from "./config";
import { type Given, track } from "./events";
import { consent } from "./storage";

const HISTORY = ["pushState", "replaceState"] as const;
let current = "";
let referrer = document.referrer;
let unnamed: Given | undefined; // how the visitor came, as long as there is no consent

// A hash that looks like a path is one: #/cart, #!/cart.
const place = () => location.pathname + location.search + (/^#!?\//.test(location.hash) ? location.hash : "");

/** A page view of what the address bar shows. */
export function page(given: Given = {}): void {
  current = place();
  const view = {
    url: location.href,
    path: location.pathname,
    title: document.title.slice(0, 1000),
    referrer: referrer || undefined,
    webdriver: navigator.webdriver || undefined,
    framed: window.top !== window || undefined,
    visible: document.hidden ? false : undefined,
    ...given,
  };
  if (consent() === false) unnamed ??= view;
  track("PAGE_VIEW", view);
  referrer = location.href;
}

/** With consent, how the visitor came is told again, now with ids; it is counted already. */
export function named(): void {
  if (unnamed && consent() !== false) track("PAGE_VIEW", { ...unnamed, isReplay: true });
  unnamed = undefined;
}

export function pageChanged(): void {
  if (place() !== current) page();
}

export function watchPages(): void {
  for (const name of HISTORY) {
    const native = history[name];
    history[name] = function (...given) {
      native.apply(this, given);
      setTimeout(safe(pageChanged)); // by then the application has set the title
    };
  }
  addEventListener("popstate", safe(pageChanged));
  addEventListener("hashchange", safe(pageChanged));
  addEventListener("pageshow", safe(({ persisted }) => persisted && page())); // back, without a load
}
