// Send a page view for the page, and one for each change of path or query in the address bar.

import { safe } from "./config";
import { type Given, track } from "./events";
import { consent } from "./storage";

const HISTORY = ["pushState", "replaceState"] as const;
let current = "";
let referrer = document.referrer;
let anonymousView: Given | undefined; // the first page view, while there is no consent

// A hash that looks like a path is a path: #/cart, #!/cart.
const place = () => location.pathname + location.search + (/^#!?\//.test(location.hash) ? location.hash : "");

/** Send a page view of the address bar. */
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
  if (consent() === false) anonymousView ??= view;
  track("PAGE_VIEW", view);
  referrer = location.href;
}

/** Send the first page view again, with ids, once the visitor consents. It is already counted. */
export function resendWithIds(): void {
  if (anonymousView && consent() !== false) track("PAGE_VIEW", { ...anonymousView, isReplay: true });
  anonymousView = undefined;
}

export function pageChanged(): void {
  if (place() !== current) page();
}

export function watchPages(): void {
  for (const name of HISTORY) {
    const native = history[name];
    history[name] = function (...given) {
      native.apply(this, given);
      setTimeout(safe(pageChanged)); // after the application has set the title
    };
  }
  addEventListener("popstate", safe(pageChanged));
  addEventListener("hashchange", safe(pageChanged));
  addEventListener("pageshow", safe(({ persisted }) => persisted && page())); // the page came back without a load
}
