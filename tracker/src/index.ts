// The page's calls in: tributary("conversion", {...}). Each is a few lines here; everything else is behind track().

import { config, safe, warn } from "./config";
import { type Given, track } from "./events";
import { linkOf, watchLinks } from "./links";
import { named, page, pageChanged, watchPages } from "./pages";
import { adopt, leave, own, start } from "./queue";
import { choose, mayStore } from "./storage";
import { arrive, ids, isOwn, touches } from "./visitor";

const commands: Record<string, (...given: any[]) => void> = {
  page,
  conversion: (given: Given) => track("CONVERSION", given),
  identify: (given: Given) => track("IDENTIFY", given),
  // A declared type is in capitals; any other name is a property of a CUSTOM event.
  event: (name: string, given?: Given) =>
    /^[A-Z][A-Z0-9_]*$/.test(name) ? track(name, given) : track("CUSTOM", { ...given, name }),
  product: (given: Given) => track("PRODUCT_VIEW", given),
  cart: (given: Given) => track("ADD_TO_CART", given),
  checkout: (given: Given) => track("CHECKOUT_STARTED", given),
  consent(given: boolean) {
    if (!given) adopt(true);
    choose(given, own);
    if (given) named();
  },
  /** Hands the page what it may attach to an order: {anonId, sessionId, firstTouch, lastTouch}. */
  visitor(callback: (who: Given) => void) {
    const { first, last } = touches();
    const { anonId, sessionId }: Partial<ReturnType<typeof ids>> = mayStore() ? ids() : {};
    callback({ anonId, sessionId, firstTouch: first, lastTouch: last });
  },
};
commands.track = commands.event!;

/** What auto.js works with. */
const kit = { captures: config.auto, track, safe, linkOf, isOwn };
export type Kit = typeof kit;

type Tributary = ((...call: any[]) => void) & { q?: ArrayLike<any>[]; kit?: Kit };
const scope = window as Window & { tributary?: Tributary };

const tributary: Tributary = safe((name: string, ...given: unknown[]) =>
  commands[name] ? commands[name](...given) : warn(`no command ${name}`),
);
tributary.kit = kit;

const begin = safe(() => {
  if (scope.tributary?.kit) return;
  const calls = Array.from(scope.tributary?.q ?? [], (call) => Array.from(call));
  scope.tributary = tributary;
  const asksConsent = ([name]: unknown[]) => name === "consent";
  safe(arrive)();
  calls.filter(asksConsent).forEach((call) => tributary(...call)); // before anything is stored
  start();
  page();
  calls.filter((call) => !asksConsent(call)).forEach((call) => tributary(...call));
  watchPages();
  watchLinks();
  if (config.auto.length)
    document.head.append(Object.assign(document.createElement("script"), { src: config.autoUrl }));
  addEventListener("pagehide", safe(() => (pageChanged(), leave())));
});

// A page that is only prepared for a click that may never come is not yet viewed.
if ((document as Document & { prerendering?: boolean }).prerendering)
  document.addEventListener("prerenderingchange", begin, { once: true });
else begin();
