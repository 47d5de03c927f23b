// Read the tag's data-* options. The collector's address is api/track beside the script's.

const script = (document.currentScript ?? document.querySelector("script[data-key]")) as HTMLScriptElement;
const data = script.dataset;
const words = (text = "") => text.split(/[\s,]+/).filter(Boolean);

export const config = {
  key: data.key ?? "",
  api: new URL("api/track", script.src).href,
  autoUrl: new URL("auto.js", script.src).href,
  sample: Number(data.sample) || 100, // percent of the visitors
  auto: words(data.auto),
  domains: words(data.domains), // of the site, for the hand-over
  asksConsent: data.consent === "required",
  cookieless: "cookieless" in data && data.cookieless !== "false",
  respectsSignals: data.respectDnt !== "false", // Do Not Track and Global Privacy Control
};

export const warn = (...details: unknown[]) => console.warn("tributary:", ...details);

/** Return the function with its errors caught, so that none reaches the page. */
export const safe =
  <A extends unknown[]>(action: (...args: A) => void) =>
  (...args: A) => {
    try {
      action(...args);
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
