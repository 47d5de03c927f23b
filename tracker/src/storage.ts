// What may be remembered in this browser, and where: consent and signals in, values by name out.
//
// Small values live in a cookie that the site's subdomains share and in localStorage, large ones in localStorage only.
// Without consent, in cookieless mode and where the browser refuses, they live in memory until the page goes.

import { config } from "./config";

const CHOICE = "_tb_consent";
const YEAR = 31536000;
const memory = new Map<string, string>();

const attempt = <T>(what: () => T): T | undefined => {
  try {
    return what();
  } catch {
    return undefined; // blocked storage throws
  }
};

const asChoice = (text: string | null | undefined) => (text ? text === "1" : undefined);
const nav = navigator as Navigator & { globalPrivacyControl?: boolean };
const objects = config.hears && (nav.doNotTrack === "1" || nav.globalPrivacyControl === true);
// Where consent is asked for, a withdrawal on another subdomain took the cookie: what is stored here does not count.
let choice =
  config.cookieless || (config.asks && nav.cookieEnabled && !cookie(CHOICE))
    ? undefined
    : asChoice(cookie(CHOICE) ?? attempt(() => localStorage.getItem(CHOICE)));
addEventListener("storage", ({ key, newValue }) => {
  if (key === CHOICE) choice = asChoice(newValue); // of another tab
});

/** false: no id and no storage; true: the visitor agreed; undefined: nobody asked, and nobody objected. */
export const consent = () => (objects ? false : (choice ?? (config.asks ? false : undefined)));
export const mayStore = () => !config.cookieless && consent() !== false;

/** Remember what the visitor chose. A withdrawal deletes everything else; `kept` stays in memory, to be sent. */
export function choose(given: boolean, kept: string): void {
  if (!given) {
    const unsent = read(kept);
    names().forEach(drop);
    setCookie("_tb", "", 0);
    setCookie(CHOICE, "", 0);
    memory.clear();
    if (unsent) memory.set(kept, unsent);
  }
  choice = given;
  // Where nothing is stored before consent, a refusal needs no memory.
  if (given ? mayStore() : !(config.asks || config.cookieless || objects)) keepSmall(CHOICE, given ? "1" : "0", true);
}

function cookie(name: string): string | undefined {
  return attempt(() => document.cookie.split("; ").find((pair) => pair.startsWith(name + "="))?.slice(name.length + 1));
}

function setCookie(name: string, value: string, age: number, domain = ownDomain()): void {
  const secure = location.protocol === "https:" ? ";secure" : "";
  attempt(() => {
    document.cookie = `${name}=${value};path=/;max-age=${age};samesite=lax${secure}${domain && ";domain=" + domain}`;
  });
}

let widest: string | undefined;

/** The widest domain that takes a cookie, such as shop.example on www.shop.example; empty where none does. */
export function ownDomain(): string {
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

/** A value, from memory where storage refused it. */
export function read(name: string): string | undefined {
  return memory.get(name) ?? ((mayStore() && attempt(() => localStorage.getItem(name))) || undefined);
}

/** A value that was kept as JSON; undefined where there is none, or somebody else wrote over it. */
export const readJson = <T>(name: string): T | undefined => attempt(() => JSON.parse(read(name)!) as T);

export function keep(name: string, value: string, store = mayStore()): void {
  if (store && attempt(() => (localStorage.setItem(name, value), true))) memory.delete(name);
  else memory.set(name, value);
}

export const readSmall = (name: string) => (mayStore() ? cookie(name) : undefined) ?? read(name);

export function keepSmall(name: string, value: string, store = mayStore()): void {
  if (store) setCookie(name, value, YEAR);
  keep(name, value, store);
}

export function drop(name: string): void {
  memory.delete(name);
  attempt(() => localStorage.removeItem(name));
}

/** Names of ours in localStorage. */
export const names = (): string[] =>
  attempt(() => Object.keys(localStorage).filter((name) => name.startsWith("_tb"))) ?? [];
