// Capture clicks, forms, scrolling and videos automatically: events with a confidence from 0 to 1 that a visitor meant it.
//
// This is a separate script (auto.js). The core loads it if the tag names captures, and shares its `kit` with it.
// It never sends typed text or a URL's query: it names links and forms by host, path, id and name.

import type { Kit } from "./index";

const { tributary } = window as unknown as { tributary: { kit: Kit } };
const { captures: wanted, track, safe, linkOf, isSiteHost } = tributary.kit;

const DOWNLOADS =
  /\.(pdf|zip|gz|7z|rar|dmg|exe|msi|pkg|apk|csv|xlsx?|docx?|pptx?|odt|ods|epub|mp[34]|mov|avi|wav|txt|json|xml)$/i;
const RAGE = { clicks: 3, within: 1000, pixels: 30 };
const DEPTHS = [25, 50, 75, 90, 100];

const listen = (name: string, handler: (event: any) => void) =>
  addEventListener(name, safe(handler), { capture: true, passive: true });

const captures: Record<string, () => void> = {
  outbound() {
    const clicked = (click: MouseEvent) => {
      const link = linkOf(click);
      if (!link || !/^https?:$/.test(link.protocol) || click.button > 1) return;
      const target = { href: link.origin + link.pathname, id: link.id || undefined };
      const certainty = click.isTrusted ? 1 : 0.3; // a script may have clicked
      if (link.hasAttribute("download") || DOWNLOADS.test(link.pathname))
        track("FILE_DOWNLOAD", { ...target, confidence: link.hasAttribute("download") ? certainty : 0.9 * certainty });
      else if (!isSiteHost(link.hostname)) track("OUTBOUND_CLICK", { ...target, confidence: certainty });
    };
    listen("click", clicked);
    listen("auxclick", clicked);
  },

  forms() {
    listen("submit", ({ target: form, isTrusted }) => {
      // Read attributes, because a field named `id` or `action` hides the form's property.
      const [id, name, action] = ["id", "name", "action"].map((part) => form.getAttribute(part) || undefined);
      const to = new URL(action ?? "", location.href);
      track("FORM_SUBMIT", { form: { id, name, action: to.origin + to.pathname }, confidence: isTrusted ? 0.9 : 0.5 });
    });
  },

  scroll() {
    let place = "";
    let reached = 0;
    listen("scroll", () => {
      const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
      if (place !== location.pathname) [place, reached] = [location.pathname, 0];
      if (scrollHeight <= clientHeight) return;
      const depth = (100 * (scrollTop + clientHeight + 1)) / scrollHeight;
      for (const percent of DEPTHS.filter((step) => step > reached && step <= depth))
        track("SCROLL_DEPTH", { percent: (reached = percent), confidence: 0.9 });
    });
  },

  video() {
    const seen = new WeakMap<HTMLVideoElement, number>();
    const watch = ({ target: video }: { target: HTMLVideoElement }) => {
      if (!(video instanceof HTMLVideoElement)) return;
      const before = seen.get(video) ?? -1;
      const now = video.ended ? 100 : (100 * video.currentTime) / video.duration || 0;
      for (const percent of [0, 25, 50, 75, 100].filter((step) => step > before && step <= now)) {
        seen.set(video, percent);
        const src = video.currentSrc.split(/[?#]/)[0];
        // A muted video with autoplay starts without the visitor.
        const confidence = video.muted && video.autoplay ? 0.5 : 1;
        track("VIDEO", { percent, src, id: video.id || undefined, confidence });
      }
    };
    for (const name of ["play", "timeupdate", "ended"]) listen(name, watch);
  },

  rage() {
    let series: MouseEvent[] = [];
    listen("click", (click: MouseEvent) => {
      const isNear = (other: MouseEvent) =>
        click.timeStamp - other.timeStamp < RAGE.within &&
        Math.hypot(click.clientX - other.clientX, click.clientY - other.clientY) <= RAGE.pixels;
      series = [...series.filter(isNear), click];
      const target = click.target as Element;
      const selection = getSelection();
      // Three clicks also select a paragraph. A series is sent once.
      if (series.length !== RAGE.clicks || (String(selection).trim() && target.contains(selection!.anchorNode))) return;
      const control = target.closest("button,input,select,video,audio,summary,[role=button]");
      const { localName, id } = control ?? target;
      // People click a stepper often listen purpose.
      track("RAGE_CLICK", { target: id ? `${localName}#${id}` : localName, confidence: control ? 0.5 : 0.8 });
    });
  },
};

for (const name of wanted) captures[name]?.();
