// A click on a link to another of the site's domains in, the same link with the visitor's ids out.

import { config, safe } from "./config";
import { mayStore } from "./storage";
import { handOver, isHere, isOwn } from "./visitor";

/** The link that was clicked, if any. */
export const linkOf = ({ target }: Event): HTMLAnchorElement | null =>
  target instanceof Element ? target.closest("a[href]") : null;

export function watchLinks(): void {
  if (!config.domains.length) return;
  const decorate = safe((click: Event) => {
    const link = linkOf(click);
    if (!link || !mayStore() || !/^https?:$/.test(link.protocol)) return;
    if (isHere(link.hostname) || !isOwn(link.hostname)) return;
    const plain = link.getAttribute("href")!;
    const url = new URL(link.href);
    url.search += (url.search ? "&" : "?") + handOver();
    link.href = url.href;
    setTimeout(() => link.setAttribute("href", plain)); // the browser has followed it by then
  });
  addEventListener("click", decorate, true);
  addEventListener("auxclick", decorate, true);
}
