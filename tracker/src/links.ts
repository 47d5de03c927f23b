// Add the visitor's ids to a clicked link to another domain of the site.

import { config, safe } from "./config";
import { mayStore } from "./storage";
import { handOver, sharesCookie, isSiteHost } from "./visitor";

/** Return the clicked link, if any. */
export const linkOf = ({ target }: Event): HTMLAnchorElement | null =>
  target instanceof Element ? target.closest("a[href]") : null;

export function watchLinks(): void {
  if (!config.domains.length) return;
  const decorate = safe((click: Event) => {
    const link = linkOf(click);
    if (!link || !mayStore() || !/^https?:$/.test(link.protocol)) return;
    if (sharesCookie(link.hostname) || !isSiteHost(link.hostname)) return;
    const plain = link.getAttribute("href")!;
    const url = new URL(link.href);
    url.search += (url.search ? "&" : "?") + handOver();
    link.href = url.href;
    setTimeout(() => link.setAttribute("href", plain)); // after the browser has followed the link
  });
  addEventListener("click", decorate, true);
  addEventListener("auxclick", decorate, true);
}
