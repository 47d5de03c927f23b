// Store values by name, as far as consent, the browser's privacy signals and the browser allow.
//
// Small values are in a cookie, which the site's subdomains share, and in localStorage; large ones in localStorage only.
// Without consent, in cookieless mode, and if the browser blocks storage, they are in memory until the page is unloaded.

import { config } from "./config";

const CHOICE = "_tb_consent";
const YEAR = 31536000;
const memory = new Map<string, string>();

const attempt = <T>(action: () => T): T | undefined => {
  try {
    return action();
  } catch {
    return undefined; // blocked storage throws
  }
};

const asChoice = (text: string | null | undefined) => (text ? text === "1" : undefined);
const nav = navigator as Navigator & { globalPrivacyControl?: boolean };
const objects = config.respectsSignals && (nav.doNotTrack === "1" || nav.globalPrivacyControl === true);
// If the site asks for consent, a withdrawal on another subdomain deleted the cookie. Then a stored choice is void.
let choice =
  config.cookieless || (config.asksConsent && nav.cookieEnabled && !cookie(CHOICE))
    ? undefined
    : asChoice(cookie(CHOICE) ?? attempt(() => localStorage.getItem(CHOICE)));
addEventListener("storage", ({ key, newValue }) => {
  if (key === CHOICE) choice = asChoice(newValue); // of another tab
});

/** false: no id and no storage; true: the visitor agreed; undefined: the site does not ask, and nobody objected. */
export const consent = () => (objects ? false : (choice ?? (config.asksConsent ? false : undefined)));
export const mayStore = () => !config.cookieless && consent() !== false;

/** Store the visitor's choice. A withdrawal deletes everything else; the value `unsentName` stays in memory, to be sent. */
export function choose(given: boolean, unsentName: string): void {
  if (!given) {
    const unsent = read(unsentName);
    names().forEach(drop);
    setCookie("_tb", "", 0);
    setCookie(CHOICE, "", 0);
    memory.clear();
    if (unsent) memory.set(unsentName, unsent);
  }
  choice = given;
  // If nothing is stored before consent, a refusal need not be stored.
  if (given ? mayStore() : !(config.asksConsent || config.cookieless || objects)) saveSmall(CHOICE, given ? "1" : "0", true);
}

function cookie(name: string): string | undefined {
  return attempt(() => document.cookie.split("; ").find((pair) => pair.startsWith(name + "="))?.slice(name.length + 1));
}

function setCookie(name: string, value: string, age: number, domain = cookieDomain()): void {
  const secure = location.protocol === "https:" ? ";secure" : "";
  attempt(() => {
    document.cookie = `${name}=${value};path=/;max-age=${age};samesite=lax${secure}${domain && ";domain=" + domain}`;
  });
}

let widest: string | undefined;

/** Return the widest domain that accepts a cookie, such as shop.example on www.shop.example; or an empty text. */
export function cookieDomain(): string {
  if (widest !== undefined || !mayStore()) return widest ?? "";
  const labels = location.hostname.split(".");
  for (let count = 2; count <= labels.length; count++) {
    const domain = labels.slice(-count).join(".");
    setCookie("_tb_d", "1", 9, domain);
    if (cookie("_tb_d")) {
      setCookie("_tb_d", "", 0, domain);
      return (widest = domain);
    }
  }
  return (widest = "");
}

/** Return a value, from memory if the browser blocks storage. */
export function read(name: string): string | undefined {
  return memory.get(name) ?? ((mayStore() && attempt(() => localStorage.getItem(name))) || undefined);
}

/** Return a value stored as JSON; undefined if there is none, or if another script overwrote it. */
export const readJson = <T>(name: string): T | undefined => attempt(() => JSON.parse(read(name)!) as T);

export function save(name: string, value: string, store = mayStore()): void {
  if (store && attempt(() => (localStorage.setItem(name, value), true))) memory.delete(name);
  else memory.set(name, value);
}

export const readSmall = (name: string) => (mayStore() ? cookie(name) : undefined) ?? read(name);

export function saveSmall(name: string, value: string, store = mayStore()): void {
  if (store) setCookie(name, value, YEAR);
  save(name, value, store);
}

export function drop(name: string): void {
  memory.delete(name);
  attempt(() => localStorage.removeItem(name));
}

/** Return the names of this script's values in localStorage. */
export const names = (): string[] =>
  attempt(() => Object.keys(localStorage).filter((name) => name.startsWith("_tb"))) ?? [];
