// The page's commands, such as tributary("conversion", {...}). Most call track() in events.ts.

import { config, safe, warn } from "./config";
import { type Given, track } from "./events";
import { linkOf, watchLinks } from "./links";
import { page, pageChanged, resendWithIds, watchPages } from "./pages";
import { adopt, leave, queueName, start } from "./queue";
import { choose, mayStore } from "./storage";
import { adoptHandOver, ids, isSiteHost, touches } from "./visitor";

const commands: Record<string, (...given: any[]) => void> = {
  page,
  conversion: (given: Given) => track("CONVERSION", given),
  identify: (given: Given) => track("IDENTIFY", given),
  // A name in capitals is a declared type. Any other name becomes a property of a CUSTOM event.
  event: (name: string, given?: Given) =>
    /^[A-Z][A-Z0-9_]*$/.test(name) ? track(name, given) : track("CUSTOM", { ...given, name }),
  product: (given: Given) => track("PRODUCT_VIEW", given),
  cart: (given: Given) => track("ADD_TO_CART", given),
  checkout: (given: Given) => track("CHECKOUT_STARTED", given),
  consent(given: boolean) {
    if (!given) adopt(true);
    choose(given, queueName);
    if (given) resendWithIds();
  },
  /** Pass {anonId, sessionId, firstTouch, lastTouch} to the page, which may attach them to an order. */
  visitor(callback: (who: Given) => void) {
    const { first, last } = touches();
    const { anonId, sessionId }: Partial<ReturnType<typeof ids>> = mayStore() ? ids() : {};
    callback({ anonId, sessionId, firstTouch: first, lastTouch: last });
  },
};
commands.track = commands.event!;

/** The functions that auto.js uses. */
const kit = { captures: config.auto, track, safe, linkOf, isSiteHost };
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
  safe(adoptHandOver)();
  calls.filter(asksConsent).forEach((call) => tributary(...call)); // before the script stores anything
  start();
  page();
  calls.filter((call) => !asksConsent(call)).forEach((call) => tributary(...call));
  watchPages();
  watchLinks();
  if (config.auto.length)
    document.head.append(Object.assign(document.createElement("script"), { src: config.autoUrl }));
  addEventListener("pagehide", safe(() => (pageChanged(), leave())));
});

// A prerendered page is not viewed until it is activated.
if ((document as Document & { prerendering?: boolean }).prerendering)
  document.addEventListener("prerenderingchange", begin, { once: true });
else begin();
