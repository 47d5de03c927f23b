// The tag's data-* options -> config. Its address tells where the collector is: api/track beside the script.

const script = (document.currentScript ?? document.querySelector("script[data-key]")) as HTMLScriptElement;
const data = script.dataset;
const words = (text = "") => text.split(/[\s,]+/).filter(Boolean);

export const config = {
  key: data.key ?? "",
  api: new URL("api/track", script.src).href,
  autoUrl: new URL("auto.js", script.src).href,
  sample: Number(data.sample) || 100, // percent of the visitors
  auto: words(data.auto),
  domains: words(data.domains), // the site's own, for the hand-over
  asks: data.consent === "required",
  cookieless: "cookieless" in data && data.cookieless !== "false",
  hears: data.respectDnt !== "false", // Do Not Track and Global Privacy Control
};

export const warn = (...what: unknown[]) => console.warn("tributary:", ...what);

/** The function, but what goes wrong in it never reaches the page. */
export const safe =
  <A extends unknown[]>(what: (...given: A) => void) =>
  (...given: A) => {
    try {
      what(...given);
    } catch (error) {
      warn(error);
    }
  };

export const uuid = () =>
  "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (+digit ^ (crypto.getRandomValues(new Uint8Array(1))[0]! & (15 >> (+digit / 4)))).toString(16),
  );

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (const letter of text) sum = Math.imul(sum ^ letter.codePointAt(0)!, 0x01000193);
  return sum >>> 0;
}
